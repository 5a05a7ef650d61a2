#!/usr/bin/env bash
# Runs a command with libtorch found, fetched first where there is none:
# with_libtorch.sh cargo build --package persea-torch
#
# Use it for every cargo command that builds crates/torch: the same LIBTORCH each time means that
# torch-sys, which takes minutes, is built once. Nothing else needs it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

LIBTORCH=$("$here/libtorch.sh")
export LIBTORCH

exec "$@"
