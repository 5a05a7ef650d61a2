#!/usr/bin/env bash
# Runs the R code of the book's page docs/src/howto/r.md as it stands: vignette.sh WHEEL
#
# Needs Debian's r-base-core and r-cran-reticulate, and Python 3 with pip and venv. The database is the
# one that the notebook of the first hour makes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wheel=$(realpath "${1:?give the wheel}")

say() { printf 'vignette: %s\n' "$*" >&2; }

command -v Rscript >/dev/null || { say "skipped: there is no Rscript (Debian: apt install r-base-core r-cran-reticulate)"; exit 0; }
Rscript -e 'library(reticulate)' >/dev/null 2>&1 || { say "skipped: R has no reticulate (Debian: apt install r-cran-reticulate)"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python"
# What Debian 12's reticulate converts: see the page.
"$work/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check 'numpy<2' 'pandas<2.3' "$wheel"
PATH=$work/python/bin:$PATH
export PATH PERSEA_R_PYTHON=$work/python/bin/python

cd "$work"
persea simulate --output files --biosamples 8 --assays 5 --chromosomes 4 --chromosome-bp 400000 --seed 1
persea create --db example.persea --assembly simulated --chrom-sizes files/chrom.sizes --genes files/genes.gtf.gz \
    --enhancers files/enhancers.bed --mask files/mask.bed
persea ingest files/manifest.tsv --db example.persea
persea train --db example.persea --name base --hold S3:H3K4me3

awk '/^```r$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$root/docs/src/howto/r.md" >vignette.R
[ -s vignette.R ] || { say "the page has no R code"; exit 1; }
Rscript --vanilla vignette.R
say "every line of docs/src/howto/r.md ran"
