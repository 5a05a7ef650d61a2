"""apricot-select on the matrix of the bench `selection`.

    python selection_peer.py similarity.npy K

Facility location by its lazy greedy, which is its fastest exact one here (`PERSEA_APRICOT_OPTIMIZER` names another).
Its functions are compiled on a small matrix first, which is not counted. One JSON line.
"""
import json
import os
import sys
import time

import numpy as np
from apricot import FacilityLocationSelection

optimizer = os.environ.get("PERSEA_APRICOT_OPTIMIZER", "lazy")
similarity = np.load(sys.argv[1]).astype("float64")
k = int(sys.argv[2])


def choose(matrix, n):
    return FacilityLocationSelection(n, metric="precomputed", optimizer=optimizer, random_state=0).fit(matrix)


choose(np.ascontiguousarray(similarity[:50, :50]), 5)
start, worked = time.perf_counter(), time.process_time()
chosen = choose(similarity, k)
spent, worked = time.perf_counter() - start, time.process_time() - worked
print(json.dumps(dict(optimizer=optimizer, seconds=spent, processor_seconds=worked, gain=float(sum(chosen.gains)),
                      ranking=[int(i) for i in chosen.ranking])))
