#!/usr/bin/env bash
#SBATCH --job-name=persea
#SBATCH --output=%x-%A-%a.log
#SBATCH --requeue
# One step as a job array: sbatch --array=1-8 array.sh STEP_SCRIPT SETTINGS STEP
#
# submit.sh submits all steps. A task that was killed or preempted is queued again and goes on where it was.
set -euo pipefail

step_script=${1:?the path of step.sh} settings=${2:?the path of the settings} step=${3:?the step}
set -a
# shellcheck source=workflow/slurm/settings.sh
. "$settings"
set +a
export THREADS=${SLURM_CPUS_PER_TASK:-}

n=${SLURM_ARRAY_TASK_COUNT:-1}
case $step in
ingest | extend | impute | evaluate) exec "$step_script" "$step" "${SLURM_ARRAY_TASK_ID:?run this with sbatch --array=1-N}" "$n" ;;
merge) exec "$step_script" merge "$N_INGEST" ;;
extended) exec "$step_script" extended "$N_EXTEND" ;;
scores) exec "$step_script" scores "$N_EVALUATE" ;;
*) exec "$step_script" "$step" ;;
esac
