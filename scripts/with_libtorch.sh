#!/usr/bin/env bash
# Runs a command with libtorch found, fetched first where there is none: with_libtorch.sh cargo build
#
# Use it for every cargo command that builds with the feature `torch`: the same LIBTORCH each time
# means that torch-sys, which takes minutes, is built once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

LIBTORCH=$("$here/libtorch.sh")
export LIBTORCH

# build.rs gives the run path to everything but doc tests: rustdoc links those, and takes link
# arguments from no build script. Encoded, so that a folder's name may have spaces.
separator=$(printf '\037')
if [ -z "${CARGO_ENCODED_RUSTDOCFLAGS:-}" ] && [ -n "${RUSTDOCFLAGS:-}" ]; then
    for flag in $RUSTDOCFLAGS; do
        CARGO_ENCODED_RUSTDOCFLAGS=${CARGO_ENCODED_RUSTDOCFLAGS:+$CARGO_ENCODED_RUSTDOCFLAGS$separator}$flag
    done
fi
export CARGO_ENCODED_RUSTDOCFLAGS="${CARGO_ENCODED_RUSTDOCFLAGS:+$CARGO_ENCODED_RUSTDOCFLAGS$separator}-Clink-arg=-Wl,-rpath,${LIBTORCH_LIB:-$LIBTORCH}/lib"

exec "$@"
