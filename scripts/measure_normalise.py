#!/usr/bin/env python3
"""The effect of normalising on held-out error: measure_normalise.py PERSEA [simulated|pilot] [DATA] [--train "OPTIONS"]

PERSEA is the program, DATA the folder `pilot` of the shared data. Needs NumPy and zarr. Everything happens in a
temporary folder. Held-out tracks are never in a database with the model that imputes them.

simulated: compendia of which tracks are shifted on purpose, one world a seed. Signal x becomes x times a factor that
goes from that of the background to that of the peaks as x goes through the planted height, so that no
power law is planted. Shifts `none`, `by track`, and `by biosample` (a quarter of them, all of their tracks).
pilot: the 16 training tracks of fold 0; each of the four H3K9me3 tracks is held out in turn, E065's among
them. (The other assays have three tracks without fold 0, two with one held out, and a reference needs three.)

Printed as TSV, a row a held-out track and then means: the mean squared error (arcsinh) of
  plain             a model of the tracks as they are
  reference         a model of normalised tracks, on the scale of the reference
  plain, own        plain, after the power law that gives it the held-out track's background and peaks
  reference, own    reference, after the inverse of the held-out track's law: what is written for a measured one
The first two know nothing of the held-out track; the last two know two numbers of it. In simulated worlds also
against the held-out track before its shift (`plain, unshifted`, `reference, unshifted`).
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import zarr

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("persea", type=Path)
parser.add_argument("what", choices=["simulated", "pilot"])
parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).parent / "../../shared/data/pilot")
parser.add_argument("--train", default="--no-validate --passes 1", help="options of train")
parser.add_argument("--seeds", type=int, default=3, help="number of simulated worlds")
a = parser.parse_args()
program, data = a.persea.resolve(), a.data.resolve()
COLUMNS = ["plain", "reference", "plain, own", "reference, own", "plain, unshifted", "reference, unshifted"]


def run(db, *arguments):
    done = subprocess.run([program, *map(str, arguments), "--db", db], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"persea {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def law_between(values, wanted_background, wanted_peaks):
    """Power law (factor, exponent) that gives the two means to values at background and at peaks."""
    background, peaks = (np.maximum(v, 0).astype("f8") for v in values)
    wanted = wanted_peaks / wanted_background
    low, high = 0.05, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        ratio = np.mean(peaks**middle) / np.mean(background**middle)
        low, high = (middle, high) if ratio < wanted else (low, middle)
    return wanted_peaks / np.mean(peaks**middle), middle


def power(law, values):
    return law[0] * np.sign(values) * np.abs(values) ** law[1]


def write_manifest(folder, tracks):
    lines = ["biosample\tassay\tpath\ttransform"]
    for (b, s), values in tracks.items():
        path = folder / f"{b}.{s}.npy"
        np.save(path, values.astype("f4"))
        lines.append(f"{b}\t{s}\t{path}\tnone")
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")


def imputed(db, experiment, folder):
    run(db, "impute", ":".join(experiment), "--arcsinh", "--output", folder / "imputed.npy")
    return np.load(folder / "imputed.npy")


def measure(create, tracks, held, unshifted, folder, label, mask):
    """Rows of held-out tracks: their errors over unmasked bins with data."""
    write_manifest(folder, {k: v for k, v in tracks.items() if k not in held})
    for kind, options in [("plain", []), ("normalised", ["--normalise"])]:
        db = folder / f"{kind}.persea"
        run(db, "create", *create)
        run(db, "ingest", folder / "manifest.tsv", *options)
        run(db, "train", "--name", "model", *a.train.split())
    plain, normalised = folder / "plain.persea", folder / "normalised.persea"
    guesses = {k: (imputed(plain, k, folder), imputed(normalised, k, folder)) for k in held}
    # The laws of the held-out tracks, by the frozen references; the model is used no more.
    write_manifest(folder, {k: tracks[k] for k in held})
    run(normalised, "ingest", folder / "manifest.tsv")
    listed = {(t["biosample"], t["assay"]): t for t in json.loads(run(normalised, "track", "list", "--format", "json"))}
    rows = []
    for key in held:
        truth, (without, within), stored = tracks[key], guesses[key], listed[key]
        keep = ~np.isnan(truth) & ~mask
        mse = lambda guess, to=truth: float(np.mean((guess[keep] - to[keep]) ** 2))
        row = [mse(without), mse(within)]
        if stored["factor"] is None:
            print(label, *key, "not normalised", sep="\t", flush=True)
            continue
        law = stored["factor"], stored["exponent"]
        inverse = (1 / law[0]) ** (1 / law[1]), 1 / law[1]
        # The held-out track's own background and peaks: its lowest 90 % and highest 2 %.
        order = np.argsort(truth[keep], kind="stable")
        n = len(order)
        parts = order[: int(0.9 * n)], order[int(0.98 * n):]
        means = [float(np.mean(np.maximum(truth[keep][p], 0))) for p in parts]
        own = law_between([without[keep][p] for p in parts], *means)
        row += [mse(power(own, np.maximum(without, 0))), mse(power(inverse, np.maximum(within, 0)))]
        if unshifted is not None:
            row += [mse(without, unshifted[key]), mse(within, unshifted[key])]
        rows.append(row)
        print(label, *key, *(f"{v:.4f}" for v in row), f"{law[0]:.3f} v^{law[1]:.3f}", sep="\t", flush=True)
    return rows


def summarise(label, rows):
    rows = np.array(rows)
    better = f"reference better on {int(np.sum(rows[:, 1] < rows[:, 0]))} of {len(rows)}"
    print(label, "mean", better, *(f"{v:.4f}" for v in rows.mean(axis=0)), sep="\t", flush=True)


def stored_arrays(db):
    """Biosample and assay to values, of all tracks, as they are stored."""
    found = {}
    for path in (db / "signal.zarr").iterdir():
        if path.name.startswith("track_"):
            array = zarr.open_array(path, mode="r")
            found[array.attrs["biosample"], array.attrs["assay"]] = np.asarray(array[:]).ravel()
    return found


def shift(values, background, peaks):
    """Signal whose background is times one factor and whose peaks are times another (at 5 and beyond)."""
    signal = np.sinh(values.astype("f8"))
    weight = signal**2 / (signal**2 + 25.0)
    return np.arcsinh(signal * background ** (1 - weight) * peaks**weight).astype("f4")


def simulated(seed, folder):
    sim = folder / "sim"
    run(folder / "x", "simulate", "--output", sim, "--biosamples", 8, "--groups", 2, "--assays", 5, "--chromosomes", 1,
        "--chromosome-bp", 2_000_000, "--missing", 0.25, "--seed", seed)
    create = ["--assembly", "simulated", "--chrom-sizes", sim / "chrom.sizes", "--mask", sim / "mask.bed"]
    both = folder / "all.persea"
    run(both, "create", *create)
    run(both, "ingest", sim / "manifest.tsv")
    measured = set(stored_arrays(both))
    run(both, "ingest", sim / "truth.tsv")
    clean = stored_arrays(both)
    mask = np.zeros(len(next(iter(clean.values()))), bool)
    for line in (sim / "mask.bed").read_text().splitlines():
        start, end = map(int, line.split("\t")[1:3])
        mask[start // 25 : -(-end // 25)] = True
    # Of each assay one that was not measured, where four tracks or more are left for the reference.
    held = sorted(set(clean) - measured)
    rng = np.random.default_rng(seed)
    by_track = {k: np.exp(rng.normal(0, [0.35, 0.7])) for k in sorted(clean)}
    quiet = sorted({b for b, _ in clean})[:: 4]
    shifts = {
        "none": lambda k: None,
        "by track": lambda k: by_track[k],
        "by biosample": lambda k: (0.7, 0.4) if k[0] in quiet else None,
    }
    for name, of in shifts.items():
        tracks = {k: shift(v, *of(k)) if of(k) is not None else v for k, v in clean.items()}
        with tempfile.TemporaryDirectory(dir=folder) as place:
            yield name, measure(create, tracks, held, clean, Path(place), f"{name}, world {seed}", mask)


print("shift", "biosample", "assay", *COLUMNS, "law", sep="\t")
if a.what == "simulated":
    found = {}
    for seed in range(a.seeds):
        with tempfile.TemporaryDirectory() as temporary:
            for name, rows in simulated(seed, Path(temporary)):
                found.setdefault(name, []).extend(rows)
    for name, rows in found.items():
        summarise(name, rows)
else:
    fold = {tuple(line.split("\t")[1:]) for line in (data / "folds.tsv").read_text().splitlines() if line[0] == "0"}
    tracks = {}
    for line in (data / "manifest.tsv").read_text().splitlines()[1:]:
        biosample, assay, path, _ = line.split("\t")
        if (biosample, assay) not in fold:
            tracks[biosample, assay] = np.load(data / path)["arr_0"]
    create = ["--assembly", "hg19", "--regions", data / "pilot_regions.hg19.bed",
              "--mask", data / "../annotation/hg19-blacklist.v2.bed"]
    # Scored on all bins: few are masked.
    mask = np.zeros(len(next(iter(tracks.values()))), bool)
    rows = []
    for key in sorted(k for k in tracks if k[1] == "H3K9me3"):
        with tempfile.TemporaryDirectory() as temporary:
            rows += measure(create, tracks, [key], None, Path(temporary), "pilot", mask)
    summarise("pilot", rows)
