#!/usr/bin/env python3
"""Pools what scripts/measure_selection.sh left: selection_table.py FILE.json… [--by similarity|chooser]

The ratio of errors, chosen to random, of each similarity (greedy choices) or of each way to choose (observed signal,
squared correlation), by k and prediction: the mean over all assays of all files. The standard error is over files where
there are several, since assays of one compendium share biosamples, and over assays otherwise. Prints rows of
docs/results.json.
"""

import json
import sys
from collections import defaultdict
from statistics import mean, stdev


def main():
    files = [a for a in sys.argv[1:] if not a.startswith("--") and a not in ("similarity", "chooser")]
    by = "chooser" if "chooser" in sys.argv else "similarity"
    ratios = defaultdict(lambda: defaultdict(list))
    for file in files:
        with open(file, encoding="utf-8") as opened:
            rows = json.load(opened)["rows"]
        for row in rows:
            if by == "similarity" and row["chooser"] != "greedy":
                continue
            if by == "chooser" and row["similarity"] != "observed, squared-correlation":
                continue
            key = (row[by], row["k"], row["predictor"])
            ratios[key][file] += [r["chosen"] / r["random"] for r in row["repetitions"]]
    names = list(dict.fromkeys(key[0] for key in ratios))
    columns = sorted({key[1:] for key in ratios}, key=lambda c: (["ridge", "mean", "nearest"].index(c[1]), c[0]))
    print(json.dumps([by, *(f"{predictor}, k {k}" for k, predictor in columns)], ensure_ascii=False))
    for name in names:
        cells = [name]
        for column in columns:
            of_files = ratios[(name, *column)]
            units = [mean(v) for v in of_files.values()]
            if len(units) == 1:
                units = next(iter(of_files.values()))
            error = stdev(units) / len(units) ** 0.5 if len(units) > 1 else 0.0
            cells.append([round(mean(units), 3), round(error, 3)])
        print(json.dumps(cells) + ",")


if __name__ == "__main__":
    main()
