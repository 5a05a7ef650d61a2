#!/usr/bin/env bash
# Submits all steps to Slurm, each after the one that it needs: submit.sh SETTINGS [OPTIONS OF SBATCH]
#
# Needs nothing but Slurm. Submitted again, it goes on from what is done.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
settings=$(realpath "${1:?the path of the settings; see settings.sh}")
shift
# shellcheck source=workflow/slurm/settings.sh
. "$settings"

# submit STEP ARRAY AFTER [OPTIONS]: prints the job's number.
submit() {
    local step=$1 array=$2 after=$3
    shift 3
    sbatch --parsable ${array:+--array="$array"} ${after:+--dependency="afterok:$after"} --kill-on-invalid-dep=yes \
        "$@" "$here/array.sh" "$here/../step.sh" "$settings" "$step"
}

ingest=$(submit ingest "1-$N_INGEST" "" --cpus-per-task=2 --mem=4G --time=4:00:00 "$@")
merge=$(submit merge "" "$ingest" --cpus-per-task=2 --mem=4G --time=4:00:00 "$@")
train=$(submit train "" "$merge" --cpus-per-task=16 --mem=32G --time=8:00:00 "$@")
ready=$train
if [ "${N_EXTEND:-0}" -gt 0 ]; then
    extend=$(submit extend "1-$N_EXTEND" "$train" --cpus-per-task=8 --mem=16G --time=8:00:00 "$@")
    ready=$(submit extended "" "$extend" --cpus-per-task=8 --mem=32G --time=4:00:00 "$@")
fi
impute=$(submit impute "1-$N_IMPUTE" "$ready" --cpus-per-task=8 --mem=16G --time=8:00:00 "$@")
last=$impute
if [ "$N_EVALUATE" -gt 0 ]; then
    evaluate=$(submit evaluate "1-$N_EVALUATE" "$ready" --cpus-per-task=4 --mem=16G --time=4:00:00 "$@")
    # The imputations come first: from here on the merged database is written to again.
    last=$(submit scores "" "$impute:$evaluate" --mem=8G --time=1:00:00 "$@")
fi
report=$(submit report "" "$last" --mem=8G --time=1:00:00 "$@")
printf 'jobs: ingest %s, merge %s, train %s, extend %s, impute %s, evaluate %s, report %s\n' \
    "$ingest" "$merge" "$train" "${extend:-none}" "$impute" "${evaluate:-none}" "$report"
