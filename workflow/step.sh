#!/usr/bin/env bash
# One step of the work on many tracks, for any engine: step.sh STEP [I N]
#
# Steps: ingest I N, merge N, train, extend I N, extended N, impute I N, evaluate I N, scores N, report. Each may be repeated: what is
# done is left as it is, and the step exits with 0. The settings are variables of the environment; workflow/slurm/
# settings.sh lists them. A shard's database is written by one job. The merged database is written by merge, train,
# extended, scores and report, and can only be read while extend, impute and evaluate run, so that many nodes may
# read it. extend and extended are only needed where the model is trained on a core of EXTEND_REGIONS.
set -euo pipefail

step=${1:?which step? ingest, merge, train, extend, extended, impute, evaluate, scores or report}
shift
: "${OUTPUT:?the folder for all results is not set}"
persea=${PERSEA:-persea}
shards=$OUTPUT/shards
merged=$OUTPUT/merged.persea
model=${MODEL:-base}
threads=${THREADS:+--threads $THREADS}

say() { printf 'step %s: %s\n' "$step" "$*" >&2; }

# Nobody writes to the merged database by accident, and SQLite needs no locks on it.
freeze() { chmod -R a-w "$merged"; }
thaw() { if [ -d "$merged" ]; then chmod -R u+w "$merged"; fi; }

# What a model depends on: the tracks' content and the options.
training_key() {
    {
        "$persea" track list --db "$merged" --format tsv |
            awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
                { print $column["biosample"], $column["assay"], $column["checksum"] }'
        printf '%s\n' "${TRAIN_OPTIONS:-}"
    } | cksum
}

case $step in
ingest)
    i=$1 n=$2 shard=$shards/$1-of-$2.persea
    mkdir -p "$shards"
    if [ ! -d "$shard" ]; then
        "$persea" create --db "$shard" --assembly "${ASSEMBLY:?}" --regions "${REGIONS:?}" \
            ${CHROM_SIZES:+--chrom-sizes "$CHROM_SIZES"} ${GENES:+--genes "$GENES"} \
            ${ENHANCERS:+--enhancers "$ENHANCERS"} ${MASK:+--mask "$MASK"}
    fi
    # shellcheck disable=SC2086 # options are meant to split
    "$persea" ingest "${MANIFEST:?}" --shard "$i/$n" --db "$shard" $threads ${INGEST_OPTIONS:-}
    ;;
merge)
    n=$1
    thaw
    list=()
    for i in $(seq "$n"); do list+=("$shards/$i-of-$n.persea"); done
    # shellcheck disable=SC2086
    "$persea" merge "$merged" "${list[@]}" $threads
    ;;
train)
    thaw
    key=$(training_key)
    if [ "$(cat "$OUTPUT/trained.key" 2>/dev/null)" = "$key" ] &&
        "$persea" model show "$model" --db "$merged" >/dev/null 2>&1; then
        say "model $model is there already"
    else
        # An earlier job's checkpoint, if there is one of the same tracks; else from the beginning.
        # shellcheck disable=SC2086
        "$persea" train --db "$merged" --name "$model" --resume $threads ||
            "$persea" train --db "$merged" --name "$model" --replace $threads ${TRAIN_OPTIONS:-}
        printf '%s\n' "$key" >"$OUTPUT/trained.key"
    fi
    freeze
    ;;
extend)
    i=$1 n=$2
    mkdir -p "$OUTPUT/extension"
    # shellcheck disable=SC2086
    "$persea" extend --regions "${EXTEND_REGIONS:?}" --shard "$i/$n" --db "$merged" --model "$model" \
        --output "$OUTPUT/extension/$i-of-$n.factors" $threads ${EXTEND_OPTIONS:-}
    ;;
extended)
    n=$1
    thaw
    files=$(seq -f "$OUTPUT/extension/%.0f-of-$n.factors" -s , "$n")
    # shellcheck disable=SC2086
    "$persea" extend --regions "${EXTEND_REGIONS:?}" --merge "${files%,}" --db "$merged" --model "$model" \
        $threads ${EXTEND_OPTIONS:-}
    freeze
    ;;
impute)
    i=$1 n=$2
    # shellcheck disable=SC2086
    "$persea" impute --all-missing --shard "$i/$n" --db "$merged" --model "$model" \
        --output "$OUTPUT/imputed" $threads ${IMPUTE_OPTIONS:-}
    ;;
evaluate)
    i=$1 n=$2
    mkdir -p "$OUTPUT/evaluation"
    part=$OUTPUT/evaluation/$i-of-$n.json
    # shellcheck disable=SC2086
    "$persea" evaluate --shard "$i/$n" --db "$merged" --model "$model" --format json \
        $threads ${EVALUATE_OPTIONS:-} >"$part.part"
    mv "$part.part" "$part"
    ;;
scores)
    n=$1
    thaw
    files=$(seq -f "$OUTPUT/evaluation/%.0f-of-$n.json" -s , "$n")
    # shellcheck disable=SC2086
    "$persea" evaluate --merge "${files%,}" --db "$merged" --model "$model" --format json \
        ${EVALUATE_OPTIONS:-} >"$OUTPUT/evaluation.json.part"
    mv "$OUTPUT/evaluation.json.part" "$OUTPUT/evaluation.json"
    ;;
report)
    thaw
    "$persea" check --db "$merged"
    # shellcheck disable=SC2086
    "$persea" report --db "$merged" --output "$OUTPUT/report.html" ${REPORT_OPTIONS:-}
    ;;
*)
    say "is not a step"
    exit 2
    ;;
esac
