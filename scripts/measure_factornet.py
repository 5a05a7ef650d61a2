"""Peaks of transcription factors in lines where they were not measured:
measure_factornet.py PERSEA [SHARED] [--train "OPTIONS"] [--rounds N]

PERSEA is the program, SHARED the folder of shared data with `pilot` and `factornet`. In a temporary folder
the pilot compendium and the peaks are ingested into one database. Each factor that was measured in two lines
or more is held out in each of its lines in turn: one line a factor in each round. In every round a model is
trained without those experiments, and its imputations are scored beside average activity: average precision,
and recall at a false discovery rate of 10 %, of telling the bins that a peak covers. A row an experiment, then
means, as TSV.
"""
import argparse
import collections
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("persea", type=Path)
parser.add_argument("shared", type=Path, nargs="?", default=Path(__file__).parent / "../../shared/data")
parser.add_argument("--train", default="", help="options of train")
parser.add_argument("--rounds", type=int, help="the first rounds only")
a = parser.parse_args()
program, shared = a.persea.resolve(), a.shared.resolve()
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
# The lines that Roadmap's tracks are of.
ROADMAP = {"H1-hESC": "E003", "GM12878": "E116", "HeLa-S3": "E117", "IMR-90": "E017"}
MEASURES = ["auprc", "recall10fdr", "mse", "gwcorr"]


def persea(*arguments):
    run = subprocess.run([program, *map(str, arguments), "--db", folder / "joined.persea"],
                         capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"persea {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


peaks = shared / "factornet"
lines = collections.defaultdict(list)
manifest = folder / "peaks.tsv"
with manifest.open("w") as out:
    out.write("biosample\tassay\tpath\tformat\n")
    for row in csv.DictReader((peaks / "manifest.tsv").open(), delimiter="\t"):
        line = ROADMAP.get(row["biosample"], row["biosample"])
        lines[row["assay"]].append(line)
        out.write(f"{line}\t{row['assay']}\t{peaks / row['path']}\t{row['format']}\n")
pilot = shared / "pilot"
persea("create", "--assembly", "hg19", "--regions", pilot / "pilot_regions.hg19.bed", "--mask",
       shared / "annotation/hg19-blacklist.v2.bed")
persea("ingest", pilot / "manifest.tsv")
persea("ingest", manifest)
rounds = max(map(len, lines.values()))
found = []
for turn in range(min(rounds, a.rounds or rounds)):
    held = [(of[turn], factor) for factor, of in sorted(lines.items()) if len(of) >= 2 and turn < len(of)]
    name, began = f"round-{turn}", time.time()
    persea("train", "--name", name, "--hold", ",".join(map(":".join, held)), *a.train.split())
    trained = time.time()
    scored = persea("evaluate", "--model", name, "--peaks", manifest, "--format", "json")
    found += json.loads(scored)["tracks"]
    print(f"round {turn}: {len(held)} experiments, trained in {trained - began:.0f} s, scored in "
          f"{time.time() - trained:.0f} s", file=sys.stderr, flush=True)


def cell(value):
    return "" if value is None else f"{value:.4f}"


PREDICTORS = ("measures", "average_activity")
print("biosample", "assay", *MEASURES, *("average_" + m for m in MEASURES), sep="\t")
for t in found:
    print(t["biosample"], t["assay"], *(cell(t[p][m]) for p in PREDICTORS for m in MEASURES), sep="\t")
means = []
for predictor in PREDICTORS:
    for measure in MEASURES:
        values = [t[predictor][measure] for t in found if t[predictor][measure] is not None]
        means.append(sum(values) / len(values) if values else None)
better = [sum((t["measures"][m] or 0) > (t["average_activity"][m] or 0) for t in found) for m in MEASURES[:2]]
print(f"mean of {len(found)}", f"better: auprc {better[0]}, recall {better[1]}", *map(cell, means), sep="\t")
