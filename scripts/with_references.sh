#!/usr/bin/env bash
# Runs a command, the tests, with what they compare Persea with: with_references.sh cargo test
#
# PERSEA_PYTHON is exported: a Python with pyBigWig, zarr and scipy. Where none can be had the tests
# that need it skip; CI must not skip them. Says here which tests will skip, as cargo hides what a
# passing test prints.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'test: %s\n' "$*" >&2; }

if python=$("$here/python.sh"); then
    export PERSEA_PYTHON=$python
elif [ "${CI:-}" = true ] || [ -n "${PERSEA_PYTHON:-}" ]; then
    exit 1
else
    say "skipped: the cross-checks against Python packages, for the reason above"
fi

data=${PERSEA_SHARED_DATA:-$here/../../shared/data}
[ -d "$data" ] || say "skipped: the tests on real data, as there is no folder $data"

exec "$@"
