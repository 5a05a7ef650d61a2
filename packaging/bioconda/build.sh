#!/usr/bin/env bash
# conda-build runs this in the unpacked sdist, with PYTHON set to the host environment's.
set -euo pipefail

"$PYTHON" -m pip install . --no-deps --no-build-isolation --no-cache-dir -vv
