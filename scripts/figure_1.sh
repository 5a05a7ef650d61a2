#!/usr/bin/env bash
# The paper's figure 1 in kind, on the real pilot data: figure_1.sh FOLDER [DATABASE]
#
# Genome positions coloured promoter or enhancer, biosamples by anatomy, and a held-out active mark observed
# against imputed at one locus. Writes SVG and PNG into FOLDER. Without DATABASE it makes one of the pilot data and
# trains the model fold0 (minutes); with one, its default model is shown. Skips, saying so, where the data is
# absent. The pilot compendium has no H3K27ac: H3K4me3, the other mark of active promoters, stands for it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'figure 1: %s\n' "$*" >&2; }

[ $# -ge 1 ] || { say "figure_1.sh FOLDER [DATABASE]"; exit 2; }
data=${PERSEA_SHARED_DATA:-$here/../../shared/data}
[ -d "$data/pilot" ] || { say "skipped: there is no folder $data/pilot"; exit 0; }
data=$(cd "$data" && pwd)
PATH=$("$here/target_folder.sh")/release:$PATH
export PATH
mkdir -p "$1"
out=$(cd "$1" && pwd)

if [ $# -ge 2 ]; then
    PERSEA_DB=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    export PERSEA_DB
else
    export PERSEA_DB=$out/pilot.persea
    if [ ! -d "$PERSEA_DB" ]; then
        cd "$data/pilot"
        persea create --assembly hg19 --regions pilot_regions.hg19.bed \
            --genes ../annotation/genes.gencode_v10.hg19.gtf.gz \
            --enhancers ../annotation/enhancers.targetfinder6.hg19.bed.gz --mask ../annotation/hg19-blacklist.v2.bed
        persea ingest manifest.tsv
        persea train --name fold0 --preset small --hold-folds folds.tsv --fold 0
    fi
fi
persea ingest --metadata "$data/roadmap/Consolidated_EpigenomeIDs_summary_Table.tsv"

cd "$out"
# a: positions. As many promoters as enhancers, since there are nine times as many bins of these.
persea project genome --class promoter,enhancer --balance --sample 8000 --method umap --name figure-1a --output figure_1a.svg
# b: biosamples. Five are too few for anything but principal components.
persea project biosamples --colour anatomy --name figure-1b --output figure_1b.svg
# c: a held-out track of an active mark.
persea plot tracks "${LOCUS:-IRF1}" --flank 60000 --tracks E116:H3K4me3,E065:H3K4me1 --output figure_1c.svg
persea plot projection figure-1a --output figure_1a.png --dpi 150
persea plot projection figure-1b --colour anatomy --output figure_1b.png --dpi 150
persea plot tracks "${LOCUS:-IRF1}" --flank 60000 --tracks E116:H3K4me3,E065:H3K4me1 --output figure_1c.png --dpi 150
