#!/usr/bin/env bash
# Which similarity makes good choices? Measures `persea select evaluate` on simulated compendia and on the
# training tracks of fold 0 of the pilot data:
#     scripts/measure_selection.sh PERSEA FOLDER simulated SEED…
#     scripts/measure_selection.sh PERSEA FOLDER pilot SHARED_DATA
#
# Simulated: 16 biosamples of 4 groups, 6 assays, a tenth of the experiments missing. Pilot: the tracks that fold 0
# trains on; those that it holds out are not in the database. A model for each assay, trained without it, scores it.
# Each run leaves NAME.json in FOLDER. SIMILARITY names what is compared, PASSES the passes of each training.
set -euo pipefail

persea=$(realpath "$1")
folder=$2
kind=$3
shift 3
mkdir -p "$folder"
folder=$(realpath "$folder")
kernels="cosine,squared-correlation,correlation,rbf"
similarity=${SIMILARITY:-factors,imputed,observed}

# Trains a model without an assay: without DB NAME ASSAY
without() {
    local tracks
    tracks=$("$persea" --db "$1" track list --format tsv | awk -F '\t' -v assays="$3" '
        BEGIN { n = split(assays, list, ","); for (i = 1; i <= n; i++) out[list[i]] = 1 }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["assay"] in out { printf "%s%s:%s", (k++ ? "," : ""), $at["biosample"], $at["assay"] }')
    "$persea" --db "$1" train --name "$2" --hold "$tracks" --no-validate --members 1 --passes "$PASSES" --threads 2
}

# A model without each assay of a manifest: each_without DB MANIFEST. Leaves their names in `models`.
each_without() {
    local assay
    models=
    for assay in $(tail -n +2 "$2" | cut -f2 | sort -u); do
        without "$1" "without_$assay" "$assay"
        models=$models${models:+,}without_$assay
    done
}

case $kind in
simulated)
    PASSES=${PASSES:-20}
    for seed in "$@"; do
        work=$folder/simulated_$seed
        rm -rf "$work"
        mkdir -p "$work"
        "$persea" simulate --output "$work/sim" --biosamples 16 --groups 4 --assays 6 --chromosomes 4 --chromosome-bp 750010 \
            --missing 0.1 --seed "$seed"
        db=$work/x.persea
        "$persea" --db "$db" create --assembly simulated --chrom-sizes "$work/sim/chrom.sizes" \
            --chromosomes chr1,chr2,chr3,chr4 --genes "$work/sim/genes.gtf.gz" --mask "$work/sim/mask.bed"
        "$persea" --db "$db" ingest "$work/sim/manifest.tsv"
        each_without "$db" "$work/sim/manifest.tsv"
        "$persea" --db "$db" select evaluate --models "$models" -k 1,2,4 --similarity "$similarity" --kernel "$kernels" \
            --random 100 --format json \
            >"$folder/simulated_$seed.json"
    done
    ;;
pilot)
    PASSES=${PASSES:-20}
    data=$(realpath "$1")
    work=$folder/pilot
    rm -rf "$work"
    mkdir -p "$work"
    db=$work/x.persea
    cd "$data/pilot"
    "$persea" --db "$db" create --assembly hg19 --regions pilot_regions.hg19.bed \
        --genes ../annotation/genes.gencode_v10.hg19.gtf.gz --mask ../annotation/hg19-blacklist.v2.bed
    # Without what fold 0 holds out.
    awk -F '\t' -v data="$data/pilot/" '
        NR == FNR { if (FNR > 1 && $1 == 0) held[$2 ":" $3] = 1; next }
        FNR == 1 { print; next }
        !($1 ":" $2 in held) { $3 = data $3; print }' OFS='\t' folds.tsv manifest.tsv >"$work/manifest.tsv"
    "$persea" --db "$db" ingest "$work/manifest.tsv"
    each_without "$db" "$work/manifest.tsv"
    "$persea" --db "$db" select evaluate --models "$models" -k 1,2 --similarity "$similarity" --kernel "$kernels" \
        --random 100 --format json \
        >"$folder/pilot.json"
    ;;
*)
    echo "simulated or pilot, not $kind" >&2
    exit 2
    ;;
esac
