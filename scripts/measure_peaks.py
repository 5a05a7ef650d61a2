"""Imputation of sparse peak tracks: measure_peaks.py PERSEA [DATA] [--train "OPTIONS"]

PERSEA is the program, DATA the folder `targetfinder/peaks-chr20-22` of the shared data. In a temporary
folder: the assays seen in two lines or more are ingested over the regions given; of every assay seen in
three lines or more one line's experiment is held out (the lines in turn), a model is trained without
them, and scored beside average activity: mean squared error, and average precision and recall at a
false discovery rate of 10 % of telling the bins that a peak covers. A row a track, then means, as TSV.
"""
import argparse
import collections
import csv
import json
import re
import subprocess
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("persea", type=Path)
parser.add_argument("data", type=Path, nargs="?",
                    default=Path(__file__).parent / "../../shared/data/targetfinder/peaks-chr20-22")
parser.add_argument("--train", default="--no-validate --passes 1", help="options of train")
parser.add_argument("--regions", default="chr20:30000000-40000000,chr22:30000000-40000000",
                    help="0-based, half-open: part of the chromosomes")
a = parser.parse_args()
program, data = a.persea.resolve(), a.data.resolve()
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
CHROMATIN = re.compile(r"^(H[0-9]|DNase|FAIRE|Methyl|RRBS|CAGE|POLR)")


def persea(*arguments):
    run = subprocess.run([program, *map(str, arguments), "--db", folder / "peaks.persea"],
                         capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"persea {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


rows = [r for r in csv.DictReader(open(data / "manifest.tsv"), delimiter="\t") if r["file"] not in ("", "missing")]
lines = collections.defaultdict(set)
for row in rows:
    lines[row["assay"]].add(row["cell"])
first = {}
for row in rows:  # Of replicates the first.
    if len(lines[row["assay"]]) >= 2:
        first.setdefault((row["cell"], row["assay"]), data / row["file"])
manifest = folder / "manifest.tsv"
manifest.write_text("biosample\tassay\tpath\n" + "".join(f"{b}\t{s}\t{p}\n" for (b, s), p in first.items()))
bed = folder / "regions.bed"
bed.write_text("".join("\t".join(re.split("[:-]", r)) + "\n" for r in a.regions.split(",")))
held, turn = [], 0
for assay in sorted(lines):
    if len(lines[assay]) >= 3:
        held.append((sorted(lines[assay])[turn % len(lines[assay])], assay))
        turn += 1
persea("create", "--assembly", "hg19", "--regions", bed, "--mask", data / "../../annotation/hg19-blacklist.v2.bed")
persea("ingest", manifest)
persea("train", "--name", "peaks", "--hold", ",".join(map(":".join, held)), *a.train.split())
found = json.loads(persea("evaluate", "--model", "peaks", "--peaks", manifest, "--format", "json"))["tracks"]
NAMES = ["mse", "gwcorr", "auprc", "recall10fdr"]
print("biosample", "assay", "kind", *NAMES, *("average_" + n for n in NAMES), sep="\t")


def cell(value):
    return "" if value is None else f"{value:.4f}"


def report(name, tracks):
    means = []
    for predictor in ("measures", "average_activity"):
        for measure in NAMES:
            values = [t[predictor][measure] for t in tracks if t[predictor][measure] is not None]
            means.append(sum(values) / len(values) if values else None)
    better = sum((t["measures"]["auprc"] or 0) > (t["average_activity"]["auprc"] or 0) for t in tracks)
    print("mean", f"of {len(tracks)}, auprc better on {better}", name, *map(cell, means), sep="\t")


kinds = collections.defaultdict(list)
for t in found:
    kind = "chromatin" if CHROMATIN.match(t["assay"]) else "factor"
    kinds[kind].append(t)
    print(t["biosample"], t["assay"], kind, *(cell(t["measures"][n]) for n in NAMES),
          *(cell(t["average_activity"][n]) for n in NAMES), sep="\t")
for kind, tracks in kinds.items():
    report(kind, tracks)
report("all", found)
