#!/usr/bin/env bash
# Makes the fixture of a schema version, once, with the program whose version it is:
#     scripts/fixture_database.sh target/release/persea fixtures/databases/schema_1
#
# A small database (three regions of two simulated chromosomes, three tracks, a model a precision), the
# database file gzipped, and what that program answered: tracks, models, an imputation. The test
# `databases_of_every_schema_version_give_the_answers_they_gave` opens every folder of
# fixtures/databases. A change of the schema adds a folder, made *before* the change by the program
# that has the version before it; a folder that is there is never made anew.
set -euo pipefail

persea=$(realpath "$1")
to=$2
[ ! -e "$to" ] || { echo "$to is there already, and stays as it is" >&2; exit 1; }
mkdir -p "$to"
to=$(realpath "$to")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PERSEA_DB=x.persea

"$persea" simulate --output sim --biosamples 2 --groups 1 --assays 2 --chromosomes 2 --chromosome-bp 60010 --missing 0 --seed 5
printf 'chr1\t1000\t16000\tfirst\nchr2\t45000\t60010\nchr2\t10010\t12000\tsecond\n' >regions.bed
"$persea" create --assembly simulated --chrom-sizes sim/chrom.sizes --regions regions.bed --genes sim/genes.gtf.gz \
    --enhancers sim/enhancers.bed --mask sim/mask.bed
# Three of the four experiments.
head -n 4 sim/manifest.tsv >sim/three.tsv
"$persea" ingest sim/three.tsv
# Small networks: what is committed stays under 1 MiB.
small="--preset small --nodes 8 --members 1 --refine-nodes 16 --batch-size 500 --threads 1 --passes 2 --no-validate"
held=$(awk -F '\t' 'NR == 2 { print $1 ":" $2 }' sim/three.tsv)
# shellcheck disable=SC2086 # several words
"$persea" train $small --name base --seed 1 --hold "$held"
# shellcheck disable=SC2086
"$persea" train $small --name half --seed 2 --precision f16
"$persea" check

"$persea" track list --format json | grep -v '"location"' >"$to/tracks.json"
"$persea" model list --format json >"$to/models.json"
# Not what every version has its own of: the schema's number, the size of the file.
"$persea" info --format json | grep -vE '"(database|schema|sqlite_bytes|log_bytes|free_bytes)"' >"$to/info.json"
for model in base half; do
    "$persea" impute "$held" --model "$model" --arcsinh --output "$to/$model.npy"
done
printf '%s\n' "$held" >"$to/experiment.txt"
gzip -9 -n -c x.persea/persea.sqlite >"$to/persea.sqlite.gz"
cp -r x.persea/signal.zarr "$to/signal.zarr"
du -sk "$to"
