"""The paper's downstream comparison, fold by fold: XGBoost as the peer runs it, and Persea's `published` suite.

    python scripts/bench_downstream.py ../shared/peers ../shared/data/published peer.json       # the peer's folds
    persea task suite published --data ../shared/data/published --format json > ours.json
    python scripts/bench_downstream.py --compare peer.json ours.json
    python scripts/bench_downstream.py --times persea ../shared/peers ../shared/data/published 3 peer.json

The last writes the peer's folds too, and takes the time of each table, in turn: the peer's twenty folds, without Python's start, and the whole of
`persea task run`, start, intervals and baseline included. As often as the number says; printed are the medians.

Needs numpy, xgboost and scikit-learn. The folds are the peer's own (its function `folds`), which `--folds shuffled`
reproduces; differences are paired fold by fold.
"""
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


TASKS = {"RNAseq.E017": "published-expression", "FIREs.E116": "published-fire"}


def tables(published):
    for path in sorted(published.glob("*.npy")):
        task, features, _ = path.name.rsplit(".", 2)
        if features != "y":
            yield task, features, path


def peer_table(peers, published, task, path):
    """The average precision of each fold, as the peer computes it, and the seconds it took."""
    import numpy as np
    import xgboost
    from sklearn.metrics import average_precision_score

    sys.path.insert(0, str(peers))
    from downstream_peer import folds

    y = np.load(published / f"{task}.y.npy")
    y = (y >= 0.5).astype(int) if task == "RNAseq.E017" else y[:3000].astype(int)
    x, scores, began = np.load(path), [], time.perf_counter()
    for train, valid, test in folds(len(x)):
        model = xgboost.XGBClassifier(n_estimators=5000, max_depth=6, learning_rate=0.1, nthread=2, tree_method="hist",
                                      eval_metric="aucpr", early_stopping_rounds=20)
        model.fit(x[train], y[train], eval_set=[(x[valid], y[valid])], verbose=False)
        scores.append(average_precision_score(y[test], model.predict_proba(x[test])[:, 1]))
    return scores, time.perf_counter() - began


def run_peer(peers, published, output):
    results = []
    for task, features, path in tables(published):
        scores, seconds = peer_table(peers, published, task, path)
        results.append(dict(task=task, features=features, folds=scores, seconds=seconds))
        print(task, features, sum(scores) / len(scores), seconds, flush=True)
    output.write_text(json.dumps(results))


def times(program, peers, published, rounds, output):
    results = []
    with tempfile.TemporaryDirectory() as folder:
        persea = lambda *a: subprocess.run([program, *map(str, a), "--db", f"{folder}/times.persea"], check=True,
                                           capture_output=True)
        regions = Path(folder, "regions.bed")
        regions.write_text("chr1\t0\t1000000\n")
        persea("create", "--assembly", "hg19", "--regions", regions)
        persea("task", "import", "custom", published / "RNAseq.E017.y.npy", "--name", TASKS["RNAseq.E017"],
               "--biosample", "E017", "--unit", "arcsinh_rnaseq")
        persea("task", "import", "custom", published / "FIREs.E116.y.npy", "--name", TASKS["FIREs.E116"],
               "--biosample", "E116", "--rows", "3000")
        print("task\tfeatures\tpeer_seconds\tpersea_seconds\tratio")
        for task, features, path in tables(published):
            theirs, ours = [], []
            for _ in range(rounds):
                scores, seconds = peer_table(peers, published, task, path)
                theirs.append(seconds)
                began = time.perf_counter()
                persea("task", "run", TASKS[task], "--features", f"published:{features}", "--matrix", f"{features}={path}",
                       "--folds", "shuffled", "--threshold", "0.5", "--no-store")
                ours.append(time.perf_counter() - began)
            theirs, ours = statistics.median(theirs), statistics.median(ours)
            results.append(dict(task=task, features=features, folds=scores, seconds=theirs))
            print(f"{task}\t{features}\t{theirs:.2f}\t{ours:.2f}\t{ours / theirs:.2f}", flush=True)
    output.write_text(json.dumps(results))


def compare(peer, ours):
    runs = [r for r in json.loads(ours.read_text()) if r["settings"]["folds"]["kind"] == "shuffled"]
    print("task\tfeatures\tpeer\tpersea\tdifference\tstandard_error\tpeer_seconds\tpersea_seconds")
    for theirs in json.loads(peer.read_text()):
        task = TASKS[theirs["task"]]
        run = next(r for r in runs if r["settings"]["task"] == task)
        row = next(r for r in run["result"]["rows"] if r["name"] == f"published:{theirs['features']}")
        mine = [f["measures"]["average_precision"] for f in sorted(row["folds"], key=lambda f: f["fold"])]
        differences = [m - t for m, t in zip(mine, theirs["folds"], strict=True)]
        n = len(differences)
        mean = sum(differences) / n
        error = (sum((d - mean) ** 2 for d in differences) / (n - 1) / n) ** 0.5
        print(f"{task}\t{theirs['features']}\t{sum(theirs['folds']) / n:.4f}\t{sum(mine) / n:.4f}\t{mean:+.4f}\t{error:.4f}"
              f"\t{theirs['seconds']:.1f}\t{row['seconds']:.1f}")


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        compare(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1] == "--times":
        times(Path(sys.argv[2]).resolve(), Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6]))
    else:
        run_peer(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
