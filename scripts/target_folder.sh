#!/usr/bin/env bash
# Prints the folder that cargo builds into, wherever a variable or a configuration file put it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo metadata --no-deps --offline --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
