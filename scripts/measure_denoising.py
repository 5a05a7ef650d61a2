"""Denoising, on the pilot compendium: measure_denoising.py PERSEA [DATA] [--train "OPTIONS"]

PERSEA is the program, DATA the folder `pilot` of the shared data. Needs NumPy. In a temporary folder: every
track is made worse on purpose, a model is trained on what came out, and each track is imputed as if it
had not been measured (its denoised form). Prints the mean squared error and the correlation to the
clean track, before and after, as TSV: a row a track, then means. Two ways of making worse:
`thinned`, signal replaced by a Poisson count of a quarter of it, times four; `noised`, normal noise of a
standard deviation of 0.5 added on the arcsinh scale.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("persea", type=Path)
parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).parent / "../../shared/data/pilot")
parser.add_argument("--train", default="--no-validate --passes 1", help="options of train")
a = parser.parse_args()
program, data = a.persea.resolve(), a.data.resolve()
rng = np.random.default_rng(6)
WORSE = {
    "thinned": lambda x: np.arcsinh(rng.poisson(np.sinh(np.maximum(x, 0).astype("f8")) / 4) * 4.0),
    "noised": lambda x: x + rng.normal(0, 0.5, len(x)),
}


def score(values, clean):
    return np.mean((values - clean) ** 2), np.corrcoef(values, clean)[0, 1]


print("made worse", "biosample", "assay", "mse before", "mse after", "gwcorr before", "gwcorr after", sep="\t")
for name, worse in WORSE.items():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        def persea(*arguments):
            run = subprocess.run([program, *map(str, arguments), "--db", folder / "worse.persea"],
                                 capture_output=True, text=True)
            if run.returncode:
                raise SystemExit(f"persea {' '.join(map(str, arguments))}: {run.stderr}")
            return run.stdout

        lines = (data / "manifest.tsv").read_text().splitlines()
        header = lines[0].split("\t")
        tracks = [dict(zip(header, line.split("\t"))) for line in lines[1:]]
        clean, bad = {}, {}
        manifest = "biosample\tassay\tpath\ttransform\n"
        for t in tracks:
            key = t["biosample"], t["assay"]
            clean[key] = np.load(data / t["path"])["arr_0"]
            bad[key] = worse(clean[key]).astype("f4")
            path = folder / f"{key[0]}.{key[1]}.npz"
            np.savez(path, arr_0=bad[key])
            manifest += f"{key[0]}\t{key[1]}\t{path}\tnone\n"
        (folder / "manifest.tsv").write_text(manifest)
        persea("create", "--assembly", "hg19", "--regions", data / "pilot_regions.hg19.bed",
               "--mask", data / "../annotation/hg19-blacklist.v2.bed")
        persea("ingest", folder / "manifest.tsv")
        persea("train", "--name", "model", *a.train.split())
        persea("impute", *map(":".join, clean), "--as", "npz", "--arcsinh", "--output", folder / "imputed")
        rows = []
        for key in clean:
            file, = (folder / "imputed").glob(f"{key[0]}*{key[1]}*.npz")
            stored = np.load(file)
            imputed = np.concatenate([stored[k].ravel() for k in stored.files])
            (before, r_before), (after, r_after) = score(bad[key], clean[key]), score(imputed, clean[key])
            rows.append((before, after, r_before, r_after))
            print(name, *key, *(f"{v:.4f}" for v in rows[-1]), sep="\t")
        better = sum(r[1] < r[0] for r in rows)
        print(name, "mean", f"better on {better} of {len(rows)}", *(f"{v:.4f}" for v in np.mean(rows, axis=0)),
              sep="\t", flush=True)
