#!/usr/bin/env bash
# Prints a Python that has Snakemake (see pins/workflow.txt); makes one in the cache where there is none.
#
# $PERSEA_SNAKEMAKE_PYTHON is used as it is. A second run fetches nothing and needs no network.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

say() { printf 'snakemake: %s\n' "$*" >&2; }

has_snakemake() { "$1" -c 'import snakemake, snakemake_executor_plugin_slurm' 2>/dev/null; }

if [ -n "${PERSEA_SNAKEMAKE_PYTHON:-}" ]; then
    has_snakemake "$PERSEA_SNAKEMAKE_PYTHON" ||
        { say "PERSEA_SNAKEMAKE_PYTHON=$PERSEA_SNAKEMAKE_PYTHON lacks a package of scripts/pins/workflow.txt; install it there, or unset it"; exit 1; }
    printf '%s\n' "$PERSEA_SNAKEMAKE_PYTHON"
    exit 0
fi

need_pip "Snakemake; or set PERSEA_SNAKEMAKE_PYTHON" || exit 1
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { say "$(python3 --version) is too old for the pinned Snakemake, which needs 3.11; set PERSEA_SNAKEMAKE_PYTHON"; exit 1; }

pins=$here/pins/workflow.txt
cache=$(cache_folder)
# Another list or another Python is another folder.
key=$({ cat "$pins"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | cksum | cut -d ' ' -f 1)
home=$cache/snakemake-$key

is_whole() { [ -f "$home/complete" ] && has_snakemake "$home/bin/python"; }
if is_whole; then
    printf '%s\n' "$home/bin/python"
    exit 0
fi

mkdir -p "$cache"
hold_lock "$cache/.snakemake.lock"
if is_whole; then
    printf '%s\n' "$home/bin/python"
    exit 0
fi
make_workplace "$cache" snakemake-fetch

say "fetching Snakemake (once) into $home"
# Without pip inside, so that no ensurepip is needed (Debian packs it apart); the outer pip fills it.
python3 -m venv --without-pip "$workplace/venv" >&2 ||
    { say "python3 -m venv failed (Debian: apt install python3-venv); or set PERSEA_SNAKEMAKE_PYTHON"; exit 1; }
packages=$("$workplace/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
quiet=--quiet
if [ -t 2 ]; then quiet=; fi
# shellcheck disable=SC2086 # an empty word must vanish
PIP_ROOT_USER_ACTION=ignore python3 -m pip install $quiet --no-input --no-cache-dir --disable-pip-version-check --no-deps \
    --target "$packages" --requirement "$pins" >&2 || {
    say "the packages could not be installed, for the reason that pip gives above; check the network, or set PERSEA_SNAKEMAKE_PYTHON"
    exit 1
}
has_snakemake "$workplace/venv/bin/python" ||
    { say "the packages were installed but cannot be imported; set PERSEA_SNAKEMAKE_PYTHON"; exit 1; }
touch "$workplace/venv/complete"
# A Python finds its packages from where it lies, so that it can be moved. What is there is not whole.
rm -rf "$home"
mv "$workplace/venv" "$home"
printf '%s\n' "$home/bin/python"
