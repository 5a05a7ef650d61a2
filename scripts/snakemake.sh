#!/usr/bin/env bash
# Prints a Python that has Snakemake (see pins/workflow.txt); makes one in the cache where there is none.
#
# $PERSEA_SNAKEMAKE_PYTHON is used as it is. A second run fetches nothing and needs no network.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"
# shellcheck source=scripts/pinned_python.sh
. "$here/pinned_python.sh"

say() { printf 'snakemake: %s\n' "$*" >&2; }

pinned_python snakemake "$here/pins/workflow.txt" "snakemake, snakemake_executor_plugin_slurm" PERSEA_SNAKEMAKE_PYTHON \
    "Snakemake"
