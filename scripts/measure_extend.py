"""What `extend` is worth, on the pilot compendium: measure_extend.py PERSEA [DATA] [--model NAME] [--train "OPTIONS"]

PERSEA is the program, DATA the folder `pilot` of the shared data (../shared/data/pilot by default).
In a temporary folder: each biosample is left out of training and added with 1, 2 and 3 of its
tracks, the rest scored; each assay likewise; then every fifth region. Prints a table of the mean
squared error, the shape mse and the correlation over the scored tracks beside average activity's and
its calibrated form's, as TSV: a row a biosample, assay or fold, then means over them.
"""
import argparse
import itertools
import json
import subprocess
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("persea", type=Path)
parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).parent / "../../shared/data/pilot")
parser.add_argument("--model", choices=["avocado", "persea"], default="avocado")
parser.add_argument("--train", help="more options of train; those by default leave nothing to a search")
parser.add_argument("--draws", type=int, default=2, help="choices of the given tracks for each number of them")
parser.add_argument("--only", choices=["biosamples", "assays", "regions"])
a = parser.parse_args()
program, data = a.persea.resolve(), a.data.resolve()
# The refinement's passes are its own: those of the factors change nothing that is measured here.
options = {"avocado": "--model avocado --preset small --no-validate --passes 15",
           "persea": "--model persea --no-validate --passes 1"}[a.model]
extending = {"avocado": [], "persea": ["--passes", 1]}[a.model]
MEASURES = ["mse", "shape_mse", "gwcorr"]
folder = tempfile.TemporaryDirectory()
database = Path(folder.name) / "pilot.persea"


def persea(*arguments):
    run = subprocess.run([program, *map(str, arguments), "--db", database], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"persea {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


def train(name, *arguments):
    persea("train", "--name", name, "--replace", *options.split(), *(a.train or "").split(), *arguments)


def score(model, *arguments):
    mean = json.loads(persea("evaluate", "--model", model, "--format", "json", *arguments))["mean"]
    return mean["measures"], mean["average_activity"], mean["calibrated_average"]


def mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values) if values else None


reported = {}


def report(axis, name, given, scores):
    """The mean over the draws of each predictor's measures."""
    cells = [mean(s[predictor][m] for s in scores) for predictor in range(3) for m in MEASURES]
    reported.setdefault((axis, given), []).append(cells)
    show(axis, name, given, len(scores), cells)


def show(axis, name, given, n, cells):
    print(axis, name, given, n, *("" if c is None else f"{c:.4f}" for c in cells), sep="\t", flush=True)


persea("create", "--assembly", "hg19", "--regions", data / "pilot_regions.hg19.bed",
       "--mask", data / "../annotation/hg19-blacklist.v2.bed")
persea("ingest", data / "manifest.tsv")
tracks = [(t["biosample"], t["assay"]) for t in json.loads(persea("track", "list", "--format", "json"))]
predictors = ["", "average_", "calibrated_"]
print("axis", "name", "given", "draws", *(p + m for p in predictors for m in MEASURES), sep="\t")

for axis, place in (("biosamples", 0), ("assays", 1)):
    if a.only not in (None, axis):
        continue
    for name in sorted({t[place] for t in tracks}):
        own = [":".join(t) for t in tracks if t[place] == name]
        train("base", "--hold", ",".join(own))
        for n_given in (1, 2, 3):
            # Choices far apart in the list of all: different tracks are given first.
            choices = list(itertools.combinations(own, n_given))
            scores = []
            for choice in choices[:: max(1, len(choices) // a.draws)][: a.draws]:
                rest = [t for t in own if t not in choice]
                if rest:
                    persea("extend", "--model", "base", "--name", "more", f"--{axis}", name,
                           "--tracks", ",".join(choice), "--hold", ",".join(rest), *extending)
                    scores.append(score("more", "--tracks", ",".join(rest)))
                    persea("model", "delete", "more")
            if scores:
                report(axis, name, n_given, scores)

if a.only in (None, "regions"):
    lines = (data / "pilot_regions.hg19.bed").read_text().splitlines(keepends=True)
    old, new = Path(folder.name) / "old.bed", Path(folder.name) / "new.bed"
    new.write_text("".join(lines[::5]))
    old.write_text("".join(line for i, line in enumerate(lines) if i % 5))
    for fold in range(5):
        hold = ("--hold-folds", data / "folds.tsv", "--fold", fold)
        train("part", *hold, "--regions", old)
        persea("extend", "--model", "part", "--name", "more", "--regions", new, *extending)
        report("regions", f"fold {fold}", "added", [score("more", "--regions", new)])
        persea("model", "delete", "more")
        train("whole", *hold)
        report("regions", f"fold {fold}", "trained", [score("whole", "--regions", new)])

for (axis, given), rows in reported.items():
    show(axis, "mean", given, len(rows), [mean(column) for column in zip(*rows)])
