#!/usr/bin/env bash
# Prints a Python that has what the tests check Persea against (pyBigWig, zarr, scipy, anndata; see
# pins/python.txt); makes one in the cache where there is none.
#
# $PERSEA_PYTHON is used as it is. A second run fetches nothing and needs no network.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

say() { printf 'python: %s\n' "$*" >&2; }

if [ -n "${PERSEA_PYTHON:-}" ]; then
    "$PERSEA_PYTHON" -c 'import numpy, scipy, sklearn, pyBigWig, zarr, anndata' >&2 ||
        { say "PERSEA_PYTHON=$PERSEA_PYTHON lacks a package of scripts/pins/python.txt; install them there, or unset it"; exit 1; }
    printf '%s\n' "$PERSEA_PYTHON"
    exit 0
fi

need_pip "the packages that tests check against; or set PERSEA_PYTHON" || exit 1
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { say "$(python3 --version) is too old for the pinned packages, which need 3.11; set PERSEA_PYTHON to one that has them"; exit 1; }

pins=$here/pins/python.txt
cache=$(cache_folder)
# Another list or another Python is another folder.
key=$({ cat "$pins"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | cksum | cut -d ' ' -f 1)
home=$cache/python-$key

is_whole() { [ -f "$home/complete" ] && "$home/bin/python" -c 'import numpy, pyBigWig, zarr, anndata' 2>/dev/null; }
if is_whole; then
    printf '%s\n' "$home/bin/python"
    exit 0
fi

mkdir -p "$cache"
hold_lock "$cache/.python.lock"
if is_whole; then
    printf '%s\n' "$home/bin/python"
    exit 0
fi
make_workplace "$cache" python-fetch

say "making a Python with pyBigWig, zarr, scipy, scikit-learn and anndata (once) in $home"
# Without pip inside, so that no ensurepip is needed (Debian packs it apart); the outer pip fills it.
python3 -m venv --without-pip "$workplace/venv" >&2 ||
    { say "python3 -m venv failed (Debian: apt install python3-venv); or set PERSEA_PYTHON"; exit 1; }
packages=$("$workplace/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
quiet=--quiet
if [ -t 2 ]; then quiet=; fi
# shellcheck disable=SC2086 # an empty word must vanish
PIP_ROOT_USER_ACTION=ignore python3 -m pip install $quiet --no-input --no-cache-dir --disable-pip-version-check --no-deps \
    --target "$packages" --requirement "$pins" >&2 || {
    say "the packages could not be installed, for the reason that pip gives above; check the network, or set PERSEA_PYTHON"
    exit 1
}
"$workplace/venv/bin/python" -c 'import numpy, scipy, sklearn, pyBigWig, zarr, anndata' >&2 ||
    { say "the packages were installed but cannot be imported; set PERSEA_PYTHON"; exit 1; }
touch "$workplace/venv/complete"
# A Python finds its packages from where it lies, so that it can be moved. What is there is not whole.
rm -rf "$home"
mv "$workplace/venv" "$home"
printf '%s\n' "$home/bin/python"
