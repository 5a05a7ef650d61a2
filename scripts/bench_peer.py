"""The original Avocado as a worker of the benches: bench_peer.py PEERS TRACKS small|paper

PEERS holds avocado_peer.py, which makes the package run on today's Keras. Reads tasks from standard
input, a line each, and answers with JSON: `train STEPS`, `impute BINS EXPERIMENTS`. See
benches/persea/worker.rs.
"""
import json
import os
import sys
import time
import warnings
from pathlib import Path

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever the libraries print goes to standard error
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")

peers, folder, size = sys.argv[1:]
sys.path.insert(0, peers)
import numpy as np  # noqa: E402
from avocado_peer import SIZES, Avocado  # noqa: E402


def say(**answer):
    print(json.dumps(answer), file=answers, flush=True)


tracks = {tuple(p.name.split(".")[:2]): np.load(p)["arr_0"] for p in sorted(Path(folder).glob("*.npz"))}
biosamples, assays = (sorted({k[i] for k in tracks}) for i in (0, 1))
missing = [(b, a) for b in biosamples for a in assays if (b, a) not in tracks]
model = Avocado(biosamples, assays, n_genomic_positions=len(next(iter(tracks.values()))), **SIZES[size])


def train(steps):
    model.fit(tracks, n_epochs=1, epoch_size=steps, verbose=0)
    return steps * model.batch_size


def impute(n, experiments):
    bins = np.arange(n).reshape(-1, 1)
    for b, a in missing[:experiments]:
        model.model.predict(
            {"celltype_input": np.full((n, 1), biosamples.index(b)), "assay_input": np.full((n, 1), assays.index(a)),
             "genome_25bp_input": bins, "genome_250bp_input": bins // 10, "genome_5kbp_input": bins // 200},
            batch_size=40_000, verbose=0).ravel()
    return n * len(missing[:experiments])


say(ready=True)
for line in sys.stdin:
    task, *numbers = line.split()
    start = time.perf_counter()
    done = dict(train=train, impute=impute)[task](*map(int, numbers))
    say(done=done, seconds=time.perf_counter() - start)
