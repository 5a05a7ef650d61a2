#!/usr/bin/env bash
# Runs the workflow with four shards on simulated data, and compares it with one database on one machine: test_workflow.sh [PERSEA]
#
# On the way Snakemake is killed in the middle, a shard is damaged, and the plain array script does the same work
# without Snakemake. Rows, arrays, factors, imputed files and scores must be those of the single database.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
PERSEA=$(realpath "${1:-$("$here/target_folder.sh")/release/persea}")
export PERSEA
python=$("$here/snakemake.sh")

work=$(mktemp -d)
# The merged database may be read-only.
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
# What Snakemake keeps for all workflows of a user is not the test's to change.
export XDG_CACHE_HOME=$work/cache

say() { printf 'workflow: %s\n' "$*"; }
fail() { say "$*"; exit 1; }

"$PERSEA" simulate --output sim --biosamples 5 --assays 5 --groups 2 --chromosomes 2 --chromosome-bp 300000 --missing 0.3 --seed 5
# Three of the measured tracks, of different biosamples and assays.
hold=$(awk -F '\t' 'NR > 1 && !($1 in b) && !($2 in a) && n < 3 { b[$1]; a[$2]; n++; printf "%s%s:%s", (n > 1 ? "," : ""), $1, $2 }' sim/manifest.tsv)
training="--model avocado --preset small --nodes 16 --batch-size 500 --passes 3 --no-validate --hold $hold"

say "one database"
"$PERSEA" create --db single.persea --assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed \
    --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask sim/mask.bed
"$PERSEA" ingest sim/manifest.tsv --db single.persea
# shellcheck disable=SC2086 # options are meant to split
"$PERSEA" train --db single.persea --name base $training 2>single.log || { cat single.log; exit 1; }
"$PERSEA" impute --all-missing --db single.persea --output single >single.txt
"$PERSEA" evaluate --db single.persea --format json >single.json

cat >settings.yaml <<YAML
manifest: sim/manifest.tsv
assembly: simulated
chrom_sizes: sim/chrom.sizes
regions: sim/regions.bed
genes: sim/genes.gtf.gz
enhancers: sim/enhancers.bed
mask: sim/mask.bed
output: results
shards: 4
impute_shards: 4
evaluate_shards: 2
train_options: "$training"
persea: "$PERSEA"
resources:
  ingest: { threads: 1, mem_mb: 500, runtime: 5 }
  merge: { threads: 1, mem_mb: 500, runtime: 5 }
  train: { threads: 2, mem_mb: 1000, runtime: 10 }
  impute: { threads: 1, mem_mb: 500, runtime: 5 }
  evaluate: { threads: 1, mem_mb: 500, runtime: 5 }
  report: { threads: 1, mem_mb: 500, runtime: 5 }
YAML
run() {
    "$python" -m snakemake --snakefile "$root/workflow/Snakefile" --configfile settings.yaml \
        --profile "$root/workflow/profiles/local" --cores 2 "$@"
}

say "the shards, one of them damaged afterwards"
run $(seq -f 'results/done/ingest.%.0f-of-4' 4) >ingest.log 2>&1 || { cat ingest.log; exit 1; }
chunk=$(find results/shards/3-of-4.persea/signal.zarr -path '*/c/*' -type f | sort | head -n 1)
cp "$chunk" chunk
"$python" - "$chunk" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(20)
    byte = file.read(1)[0] ^ 1
    file.seek(20)
    file.write(bytes([byte]))
PYTHON
if run --retries 0 results/done/merge >merge.log 2>&1; then fail "a damaged shard was merged"; fi
grep -q 'results/shards/3-of-4.persea cannot be merged' results/logs/merge.log || { cat results/logs/merge.log; fail "the damaged shard is not named"; }
[ ! -e results/merged.persea ] || fail "something was merged"
# The shard is made again.
rm -rf results/shards/3-of-4.persea results/done/ingest.3-of-4

say "the whole workflow, killed in the middle"
setsid "$python" -m snakemake --snakefile "$root/workflow/Snakefile" --configfile settings.yaml \
    --profile "$root/workflow/profiles/local" --cores 2 >killed.log 2>&1 &
killed=$!
for _ in $(seq 600); do
    if ls results/imputed/*.bw >/dev/null 2>&1; then break; fi
    kill -0 "$killed" 2>/dev/null || { cat killed.log; fail "the workflow ended before it imputed"; }
    sleep 0.1
done
# Snakemake and all of its jobs: a group of their own.
kill -KILL -- "-$killed"
wait "$killed" 2>/dev/null || true
[ ! -e results/report.html ] || fail "the workflow was done before it was killed"
run --unlock >unlock.log 2>&1
run >again.log 2>&1 || { cat again.log; exit 1; }

same() { # same MERGED IMPUTED EVALUATION
    "$PERSEA" diff databases "$1" single.persea || fail "$1 differs from the single database"
    (cd single && find . -name '*.bw' | sort | xargs cksum) >single.sums
    (cd "$2" && find . -name '*.bw' | sort | xargs cksum) >other.sums
    diff single.sums other.sums || fail "$2 differs from what one job imputed"
    "$python" - single.json "$3" <<'PYTHON'
import json, math, sys

def close(a, b, at=""):
    assert type(a) is type(b), (at, a, b)
    if isinstance(a, dict):
        assert a.keys() == b.keys(), (at, a.keys() ^ b.keys())
        for key in a:
            close(a[key], b[key], f"{at}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), at
        for i, (x, y) in enumerate(zip(a, b)):
            close(x, y, f"{at}[{i}]")
    elif isinstance(a, float):
        assert math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15), (at, a, b)
    else:
        assert a == b, (at, a, b)

one, other = (json.load(open(path)) for path in sys.argv[1:])
assert len(one["tracks"]) == 3, one["tracks"]
close(one, other)
PYTHON
}

[ -s results/report.html ] || fail "there is no report"
[ -s results/benchmarks/train.tsv ] || fail "there is no benchmark"
same results/merged.persea results/imputed results/evaluation.json

say "nothing is done twice"
run >nothing.log 2>&1
grep -q 'Nothing to be done' nothing.log || { cat nothing.log; fail "the finished workflow did something"; }

say "the array script, without Snakemake"
cat >settings.sh <<SETTINGS
MANIFEST=sim/manifest.tsv ASSEMBLY=simulated CHROM_SIZES=sim/chrom.sizes REGIONS=sim/regions.bed
GENES=sim/genes.gtf.gz ENHANCERS=sim/enhancers.bed MASK=sim/mask.bed
OUTPUT=plain MODEL=base N_INGEST=3 N_IMPUTE=2 N_EVALUATE=2 TRAIN_OPTIONS="$training"
SETTINGS
array() { # array STEP N: as Slurm runs it, one task after another
    for i in $(seq "$2"); do
        SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_COUNT=$2 SLURM_CPUS_PER_TASK=2 \
            "$root/workflow/slurm/array.sh" "$root/workflow/step.sh" settings.sh "$1"
    done
}
for step in "ingest 3" "merge 1" "train 1" "train 1" "impute 2" "impute 2" "evaluate 2" "scores 1" "report 1"; do
    # shellcheck disable=SC2086
    array $step >plain.log 2>&1 || { cat plain.log; exit 1; }
done
same plain/merged.persea plain/imputed plain/evaluation.json
say "a core is trained on, and jobs embed the rest"
printf 'chr1\t100000\t160000\n' >core.bed
core="--nodes 16 --batch-size 500 --passes 2 --members 1 --refine-nodes 32 --no-validate --regions core.bed"
# shellcheck disable=SC2086
"$PERSEA" train --db single.persea --name core $core 2>core.log || { cat core.log; exit 1; }
"$PERSEA" backup extended.persea --db single.persea
"$PERSEA" extend --db extended.persea --model core --regions sim/regions.bed
sed -e 's/^shards: 4/shards: 4\nmodel: core\nextend_shards: 3\nextend_regions: sim\/regions.bed/' \
    -e "s/^train_options: .*/train_options: \"$core\"/" settings.yaml >core.yaml
# The shards, the merged database and its other model are those of before.
rm -f results/done/train results/trained.key
chmod -R u+w results/merged.persea
"$python" -m snakemake --snakefile "$root/workflow/Snakefile" --configfile core.yaml \
    --profile "$root/workflow/profiles/local" --cores 2 results/done/extended >core.log 2>&1 || { cat core.log; exit 1; }
"$PERSEA" diff databases results/merged.persea extended.persea || fail "what jobs embedded differs from what one job does"
sed -e "s/MODEL=base/MODEL=core N_EXTEND=3 EXTEND_REGIONS=sim\/regions.bed/" \
    -e "s/TRAIN_OPTIONS=.*/TRAIN_OPTIONS=\"$core\"/" settings.sh >other.sh
mv other.sh settings.sh
for step in "train 1" "extend 3" "extended 1" "extend 3" "extended 1"; do
    # shellcheck disable=SC2086
    array $step >plain.log 2>&1 || { cat plain.log; exit 1; }
done
"$PERSEA" diff databases plain/merged.persea extended.persea || fail "the array script embeds otherwise than one job"
say "merged and single databases, imputed files, scores and embedded regions are equal"
