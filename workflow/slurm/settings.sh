# The settings of workflow/step.sh: copy this file, edit it, and give its path to submit.sh.
# shellcheck shell=bash disable=SC2034 # read by step.sh

MANIFEST=manifest.tsv # tracks: biosample, assay, path
ASSEMBLY=hg38
REGIONS=regions.bed
CHROM_SIZES= # these four are optional, as for `persea create`
GENES=
ENHANCERS=
MASK=

OUTPUT=results
MODEL=base
N_INGEST=4   # databases that are filled at the same time
N_EXTEND=0   # jobs that embed EXTEND_REGIONS after training on a core of them; 0 where the model covers all
EXTEND_REGIONS=
N_IMPUTE=8   # jobs that impute
N_EVALUATE=2 # jobs that score

INGEST_OPTIONS=
TRAIN_OPTIONS= # for example --hold E003:H3K4me3
EXTEND_OPTIONS=
IMPUTE_OPTIONS=
EVALUATE_OPTIONS=
REPORT_OPTIONS=
PERSEA=persea
