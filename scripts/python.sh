#!/usr/bin/env bash
# Prints a Python that has what the tests check Persea against (pyBigWig, zarr, scipy, anndata; see
# pins/python.txt); makes one in the cache where there is none.
#
# $PERSEA_PYTHON is used as it is. A second run fetches nothing and needs no network.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"
# shellcheck source=scripts/pinned_python.sh
. "$here/pinned_python.sh"

say() { printf 'python: %s\n' "$*" >&2; }

pinned_python python "$here/pins/python.txt" "numpy, scipy, sklearn, pyBigWig, zarr, anndata" PERSEA_PYTHON \
    "the packages that tests check against"
