#!/usr/bin/env python3
"""Puts a cross-validation of the pilot data into docs/results.json: results_of_folds.py FOLDS.json DATE COMMAND

FOLDS.json is what `persea evaluate --folds folds.tsv --format json` prints, for one seed. The tables
pilot-scores, pilot-paired, pilot-folds, pilot-assays, pilot-strata, pilot-intervals and pilot-tracks are
replaced. Then run scripts/results.py.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "docs/results.json"
NAMES = {
    "model": "persea",
    "average_activity": "average activity",
    "calibrated_average": "calibrated average",
    "nearest_biosample": "nearest biosample",
    "additive": "additive",
    "factors": "stored factors alone",
    "scaled_average": "scaled average",
    "ridge": "ridge",
    "boosted": "boosted trees",
}
MEASURES = "mse shape_mse gwcorr gwspear specificity departure_correlation mse1obs mse1imp mseprom msegene mseenh match1 catch1obs catch1imp aucobs1 aucimp1".split()
NOTE = "arcsinh scale, masked bins left out; mean over the 20 held-out tracks of five folds, ± standard error over tracks taken as independent; one seed"


def number(value, digits):
    """A number with so many decimals, or nothing."""
    return None if value is None else Decimal(f"{value:.{digits}f}")


def digits_of(measure):
    return 3 if measure.endswith(("1obs", "1imp")) or not measure.endswith("mse") else 4


def pair(score, digits):
    """[mean, standard error] of a score."""
    if score is None or score.get("mean") is None:
        return None
    error = score.get("standard_error")
    return number(score["mean"], digits) if error is None else [number(score["mean"], digits), number(error, digits)]


def tables(found, date, command):
    predictors = [p for p in NAMES if p in found["overall"]]
    shown = [NAMES[p] for p in predictors]

    def table(name, title, columns, rows, note=None):
        entry = {"name": name, "title": title, "date": date, "command": command}
        return {**entry, **({"note": note} if note else {}), "columns": columns, "rows": rows}

    overall = found["overall"]
    scores = [[m] + [pair(overall[p].get(m), digits_of(m)) for p in predictors] for m in MEASURES]
    yield table("pilot-scores", "Scores of held-out tracks, pilot data", ["measure", *shown], scores, NOTE)

    rows = []
    for measure in ("mse", "mse1obs", "mse1imp", "gwcorr", "specificity"):
        for d in (d for d in found["paired"] if d["measure"] == measure and d["competitor"] in NAMES):
            low, high = d["interval_95"] or (None, None)
            difference = number(d["difference"], 4)
            interval = difference if low is None else [difference, number(low, 4), number(high, 4)]
            rows.append([measure, NAMES[d["competitor"]], interval, ("< 0.001" if d["p"] is not None and d["p"] < 0.0005 else number(d["p"], 3)), f"{d['wins']} of {d['tracks']}"])
    yield table(
        "pilot-paired", "Paired differences by track", ["measure", "competitor", "difference", "p", "better on"], rows,
        "persea minus the competitor, mean over tracks; 95 % interval and p allow for effects of the biosample and of the assay; p is not corrected for the number of comparisons",
    )

    runs = found["runs"]

    def by_track(evaluation):
        for track in evaluation["tracks"]:
            yield track, {p: track["measures"] if p == "model" else track.get(p) or {} for p in predictors}

    folds = []
    for run in runs:
        mse = {p: [m[p].get("mse") for _, m in by_track(run["evaluation"])] for p in predictors}
        folds.append([run["fold"]] + [number(sum(mse[p]) / len(mse[p]), 4) if None not in mse[p] else None for p in predictors])
    chosen = [
        f"fold {run['fold']}, {NAMES[c['baseline']]}: " + ", ".join(f"{k} {v}" for k, v in c["chosen"]["settings"].items())
        for run in runs for c in run["evaluation"]["choices"] if c["chosen"]
    ]
    note = "settings chosen on training tracks of each fold: " + "; ".join(chosen) if chosen else None
    yield table("pilot-folds", "Mean squared error by fold", ["fold", *shown], folds, note)

    assays = []
    for assay, means in found["by_assay"].items():
        mean = lambda p, m: number((means[p].get(m) or {}).get("mean"), digits_of(m))  # noqa: E731
        assays.append([assay] + [mean(p, m) for m in ("mse", "gwcorr", "mse1obs") for p in ("model", "average_activity", "boosted") if p in predictors])
    some = [NAMES[p] for p in ("model", "average_activity", "boosted") if p in predictors]
    yield table("pilot-assays", "Scores by assay", ["assay", *[f"{m}, {p}" for m in ("mse", "gwcorr", "mse1obs") for p in some]], assays)

    strata = [
        ["the target's own peaks" if s["peaks_only"] else "all", s["others"], s["n_bins"]] + [number((s["mse"].get(p) or {}).get("mean"), 3) for p in predictors]
        for s in found["by_peaks"]
    ]
    yield table(
        "pilot-strata", "Mean squared error by how many other biosamples have a peak in the bin", ["bins", "others with a peak", "number of bins", *shown], strata,
        "mean over tracks; a peak is one of the 1 % of a track's bins with the highest signal",
    )

    names = {"all": "all bins", "highest": "highest 1 %", "high": "next 9 %", "rest": "the others"}
    columns = ("coverage_50", "coverage_90", "crps")
    intervals = [[names[k]] + [pair(found["intervals"][k].get(c), 3) for c in columns] for k in names if k in found["intervals"]]
    yield table(
        "pilot-intervals", "Coverage of the predicted intervals", ["imputed signal", "in the 50 % interval", "in the 90 % interval", "CRPS"], intervals,
        "share of bins whose observed signal lies in the interval; ± standard error over tracks",
    )

    tracks = []
    for run in runs:
        for track, m in by_track(run["evaluation"]):
            compared = [number(m[p].get("mse"), 4) for p in predictors]
            peaks = [number(m[p].get("mse1obs"), 2) for p in ("model", "average_activity")]
            tracks.append([run["fold"], f"{track['biosample']} {track['assay']}", *compared, *peaks])
    yield table("pilot-tracks", "Scores by track", ["fold", "track", *[f"mse, {s}" for s in shown], "mse1obs, persea", "mse1obs, average activity"], tracks)


def text(value):
    """JSON that keeps the decimals of a number."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(text(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def written(table):
    lines = [f' "{key}": {text(table[key])},' for key in ("name", "title", "date", "command", "machine", "note") if table.get(key)]
    rows = ",\n".join("  " + text(row) for row in table["rows"])
    return "\n".join(["{", *lines, f' "columns": {text(table["columns"])},', ' "rows": [', rows, " ]", "}"])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    kept = json.loads(RESULTS.read_text(encoding="utf-8"), parse_float=Decimal)["tables"]
    new = {t["name"]: t for t in tables(found, sys.argv[2], sys.argv[3])}
    all_tables = [new.pop(t["name"], t) for t in kept] + list(new.values())
    RESULTS.write_text('{\n"format": 1,\n"tables": [\n' + ",\n".join(written(t) for t in all_tables) + "\n]\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
