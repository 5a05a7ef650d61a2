#!/usr/bin/env bash
# Runs workflow/ on a Slurm cluster of two nodes that this script starts on this machine, and compares the result with
# one database on one machine: test_slurm.sh [PERSEA]
#
# A shard is damaged, a node is killed while it imputes, a job is requeued as if it had been preempted. Then Snakemake
# does the same work through its executor for Slurm. Needs root, and slurmctld, slurmd and munged (Debian: slurm-wlm,
# munge); without them it ends with a message. Nothing outside a temporary folder is changed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
PATH=$PATH:/usr/sbin
say() { printf 'slurm: %s (%d s)\n' "$*" "$SECONDS"; }
fail() { say "$*"; exit 1; }
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null || { say "skipped: $program is not installed (Debian: apt install slurm-wlm munge)"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { say "skipped: slurmctld and slurmd need root"; exit 0; }
PERSEA=$(realpath "${1:-$("$here/target_folder.sh")/release/persea}")

work=$(mktemp -d)
chmod 755 "$work"
cd "$work"
daemons=()
stop() {
    scancel --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 50); do
        [ -n "$(squeue -h 2>/dev/null)" ] || break
        sleep 0.1
    done
    for pid in "${daemons[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    chmod -R u+w "$work"
    rm -rf "$work"
}
# Prints the processes of a job on a node: its own, and the slurmstepd above them.
processes() {
    local pid parent
    for pid in $(scontrol listpids "$1" "$2" 2>/dev/null | awk 'NR > 1 && $1 > 1 { print $1 }'); do
        parent=$(ps -o ppid= -p "$pid" | tr -d ' ')
        if [ "$(ps -o comm= -p "${parent:-0}")" = slurmstepd ]; then printf '%s\n' "$parent"; fi
        printf '%s\n' "$pid"
    done
}
trap stop EXIT

say "a cluster of two nodes"
mkdir -m 700 cluster cluster/state cluster/n1 cluster/n2
head -c 1024 /dev/urandom >cluster/key
chmod 400 cluster/key
mkdir -m 755 socket
munged --foreground --force --key-file="$work/cluster/key" --socket="$work/socket/munge" --pid-file="$work/cluster/munge.pid" \
    --log-file="$work/cluster/munge.log" --seed-file="$work/cluster/seed" >munged.out 2>&1 &
daemons+=($!)
cat >cluster/slurm.conf <<CONF
ClusterName=persea
SlurmctldHost=$(hostname -s)
SlurmctldPort=16817
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/socket/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/cluster/state
SlurmdSpoolDir=$work/cluster/%n
SlurmdPidFile=$work/cluster/%n.pid
SlurmctldPidFile=$work/cluster/slurmctld.pid
SlurmctldLogFile=$work/cluster/slurmctld.log
SlurmdLogFile=$work/cluster/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SlurmdTimeout=8
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
MinJobAge=3600
MpiDefault=none
NodeName=n1 NodeHostname=$(hostname -s) Port=16831 CPUs=2 RealMemory=4000
NodeName=n2 NodeHostname=$(hostname -s) Port=16832 CPUs=2 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=INFINITE
CONF
export SLURM_CONF=$work/cluster/slurm.conf
for _ in $(seq 50); do [ -S socket/munge ] && break; sleep 0.1; done
slurmctld -D >ctld.out 2>&1 &
daemons+=($!)
slurmd -D -N n1 >n1.out 2>&1 &
daemons+=($!)
slurmd -D -N n2 >n2.out 2>&1 &
node2=$!
daemons+=("$node2")
for _ in $(seq 100); do [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && break; sleep 0.2; done
[ "$(sinfo -h -t idle -o %D)" = 2 ] || { cat ctld.out n1.out cluster/*.log; fail "the nodes do not come up"; }

say "one database"
"$PERSEA" simulate --output sim --biosamples 6 --assays 6 --groups 2 --chromosomes 2 --chromosome-bp 5000000 --missing 0.3 --seed 5
hold=$(awk -F '\t' 'NR > 1 && !($1 in b) && !($2 in a) && n < 3 { b[$1]; a[$2]; n++; printf "%s%s:%s", (n > 1 ? "," : ""), $1, $2 }' sim/manifest.tsv)
training="--model avocado --preset small --nodes 64 --batch-size 2000 --passes 1 --no-validate --hold $hold"
"$PERSEA" create --db single.persea --assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed \
    --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask sim/mask.bed
"$PERSEA" ingest sim/manifest.tsv --db single.persea
# shellcheck disable=SC2086 # options are meant to split
"$PERSEA" train --db single.persea --name base $training 2>single.log || { cat single.log; exit 1; }
"$PERSEA" impute --all-missing --db single.persea --output single >single.txt
"$PERSEA" evaluate --db single.persea --format json >single.json

cat >settings.sh <<SETTINGS
MANIFEST=sim/manifest.tsv ASSEMBLY=simulated CHROM_SIZES=sim/chrom.sizes REGIONS=sim/regions.bed
GENES=sim/genes.gtf.gz ENHANCERS=sim/enhancers.bed MASK=sim/mask.bed
OUTPUT=results MODEL=base N_INGEST=4 N_IMPUTE=2 N_EVALUATE=2 TRAIN_OPTIONS="$training" PERSEA="$PERSEA"
SETTINGS
submit() { "$root/workflow/slurm/submit.sh" settings.sh --cpus-per-task=2 --mem=500; }
number() { sed "s/.*$1 \([0-9]*\).*/\1/" jobs; }
wait_for() { # wait_for STEP: until its job is no longer in the queue
    local job
    job=$(number "$1")
    for _ in $(seq 1200); do
        if [ -z "$(squeue -h -j "$job" -t PD,R,CF,CG,S,RQ 2>/dev/null)" ]; then return; fi
        sleep 0.25
    done
    squeue
    fail "$1 does not end"
}

say "a damaged shard"
mkdir results
sbatch --wait --array=1-4 --cpus-per-task=1 --mem=200 "$root/workflow/slurm/array.sh" "$root/workflow/step.sh" settings.sh ingest >ingest.out
chunk=$(find results/shards/3-of-4.persea/signal.zarr -path '*/c/*' -type f | sort | head -n 1)
byte=$(od -An -tu1 -j 20 -N 1 "$chunk" | tr -d ' ')
# shellcheck disable=SC2059 # the byte is the format
printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of="$chunk" bs=1 seek=20 conv=notrunc status=none
submit >jobs
wait_for merge
wait_for report
cat persea-"$(number merge)"-*.log >merge.log
grep -q 'results/shards/3-of-4.persea cannot be merged' merge.log || { cat merge.log; fail "the damaged shard is not named"; }
[ ! -e results/merged.persea ] || fail "something was merged"
rm -rf results/shards/3-of-4.persea

say "a node is killed while it imputes, and a job is put back into the queue, as by preemption"
submit >jobs
for _ in $(seq 6000); do
    # Each node has one of the two jobs; both have begun a file.
    n_begun=$({ find results/imputed -name '.persea-*.part' 2>/dev/null || true; } | wc -l)
    if [ "$n_begun" -ge 8 ]; then break; fi
    [ ! -e results/report.html ] || fail "the imputation was over before it was seen"
    sleep 0.02
done
killed=$(squeue -h -t R -w n2 -o %A)
requeued=$(squeue -h -t R -w n1 -o %A)
pids=$(processes "$killed" n2)
kill -KILL "$node2"
# shellcheck disable=SC2086
kill -KILL $pids
scontrol requeue "$requeued"
echo "job $killed on n2 is killed with its node (processes $(echo $pids)); job $requeued is put back"
for _ in $(seq 200); do sinfo -h -n n2 -o %t | grep -q down && break; sleep 0.2; done
say "the node is $(sinfo -h -n n2 -o %t)"
slurmd -D -N n2 >n2.out 2>&1 &
daemons+=($!)
wait_for report
[ -s results/report.html ] || { tail -n 5 persea-*.log; fail "there is no report"; }
for job in "$killed" "$requeued"; do
    restarts=$(scontrol -o show job "$job" | tr ' ' '\n' | sed -n 's/^Restarts=//p' | head -n 1)
    echo "job $job was started again $restarts times"
    [ "${restarts:-0}" -ge 1 ] || fail "job $job was not interrupted"
done

same() { # same OUTPUT
    "$PERSEA" diff databases "$1/merged.persea" single.persea || fail "$1 differs from the single database"
    (cd single && find . -name '*.bw' | sort | xargs cksum) >single.sums
    (cd "$1/imputed" && find . -name '*.bw' | sort | xargs cksum) >other.sums
    diff single.sums other.sums || fail "imputed files of $1 differ"
    say "$1: rows, arrays, factors and $(wc -l <single.sums) imputed files are those of the single machine"
}
same results

say "Snakemake's executor for Slurm"
python=$("$here/snakemake.sh")
cat >settings.yaml <<YAML
manifest: sim/manifest.tsv
assembly: simulated
chrom_sizes: sim/chrom.sizes
regions: sim/regions.bed
genes: sim/genes.gtf.gz
enhancers: sim/enhancers.bed
mask: sim/mask.bed
output: snake
shards: 2
impute_shards: 2
evaluate_shards: 2
train_options: "$training"
persea: "$PERSEA"
resources:
  ingest: { threads: 1, mem_mb: 200, runtime: 5 }
  merge: { threads: 1, mem_mb: 200, runtime: 5 }
  train: { threads: 2, mem_mb: 500, runtime: 10 }
  impute: { threads: 1, mem_mb: 200, runtime: 5 }
  evaluate: { threads: 1, mem_mb: 500, runtime: 5 }
  report: { threads: 1, mem_mb: 500, runtime: 5 }
YAML
export XDG_CACHE_HOME=$work/cache
# The executor takes Slurm's variables from its jobs' environment, and with them where this cluster's settings are.
mkdir bin
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" >bin/srun
chmod +x bin/srun
export PATH=$work/bin:$PATH
"$python" -m snakemake --snakefile "$root/workflow/Snakefile" --configfile settings.yaml \
    --profile "$root/workflow/profiles/slurm" --latency-wait 5 --slurm-no-account --slurm-status-command squeue \
    --slurm-init-seconds-before-status-checks 5 --slurm-keep-successful-logs --slurm-delete-logfiles-older-than 0 --retries 0 --default-resources slurm_partition=main >snakemake.log 2>&1 ||
    { tail -n 60 snakemake.log; find .snakemake/slurm_logs -type f -exec tail -n 30 {} +; fail "Snakemake failed"; }
same snake
say "done"
