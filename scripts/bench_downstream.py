"""The paper's downstream comparison, fold by fold: XGBoost as the peer runs it, and Persea's `published` suite.

    python scripts/bench_downstream.py ../shared/peers ../shared/data/published peer.json       # the peer's folds
    persea task suite published --data ../shared/data/published --format json > ours.json
    python scripts/bench_downstream.py --compare peer.json ours.json

Needs numpy, xgboost and scikit-learn. The folds are the peer's own (its function `folds`), which `--folds shuffled`
reproduces; differences are paired fold by fold.
"""
import json
import sys
import time
from pathlib import Path


def run_peer(peers, published, output):
    import numpy as np
    import xgboost
    from sklearn.metrics import average_precision_score

    sys.path.insert(0, str(peers))
    from downstream_peer import folds

    labels = {
        "RNAseq.E017": (np.load(published / "RNAseq.E017.y.npy") >= 0.5).astype(int),
        "FIREs.E116": np.load(published / "FIREs.E116.y.npy")[:3000].astype(int),
    }
    results = []
    for path in sorted(published.glob("*.npy")):
        task, features = path.name.rsplit(".", 2)[0], path.name.rsplit(".", 2)[1]
        if features == "y":
            continue
        x, y, scores, began = np.load(path), labels[task], [], time.perf_counter()
        for train, valid, test in folds(len(x)):
            model = xgboost.XGBClassifier(n_estimators=5000, max_depth=6, learning_rate=0.1, nthread=2, tree_method="hist",
                                          eval_metric="aucpr", early_stopping_rounds=20)
            model.fit(x[train], y[train], eval_set=[(x[valid], y[valid])], verbose=False)
            scores.append(average_precision_score(y[test], model.predict_proba(x[test])[:, 1]))
        results.append(dict(task=task, features=features, folds=scores, seconds=time.perf_counter() - began))
        print(task, features, sum(scores) / len(scores), results[-1]["seconds"], flush=True)
    output.write_text(json.dumps(results))


def compare(peer, ours):
    runs = [r for r in json.loads(ours.read_text()) if r["settings"]["folds"]["kind"] == "shuffled"]
    print("task\tfeatures\tpeer\tpersea\tdifference\tstandard_error\tpeer_seconds\tpersea_seconds")
    for theirs in json.loads(peer.read_text()):
        task = {"RNAseq.E017": "published-expression", "FIREs.E116": "published-fire"}[theirs["task"]]
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
    else:
        run_peer(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
