"""The searches of the bench `search` with faiss and hnswlib, in time and in processor time.

    python search_peer.py embedding.npy queries.npy rows.npy excluded.npy [allowed.npy …]

rows.npy: each vector's 5 kbp row. excluded.npy: for each query the first and one past the last vector near it. faiss
searches flat with an IDSelectorBitmap of its own for each query; neither library knows of rows, so both are asked for
more and more until ten rows are among the answers. hnswlib is asked without a filter, which is faster than its
callback. One JSON line each, as of ann_peer.py.
"""
import json
import sys
import time

import faiss
import hnswlib
import numpy as np

x, q = (np.ascontiguousarray(np.load(p), dtype="float32") for p in sys.argv[1:3])
rows, excluded = np.load(sys.argv[3]), np.load(sys.argv[4])
n, d = x.shape
k = 10


def apart(labels, first, end):
    """The first ten labels outside the excluded ones, one a row; None if there are fewer."""
    seen, kept = set(), []
    for label in labels:
        if label < 0 or first <= label < end or rows[label] in seen:
            continue
        seen.add(rows[label])
        kept.append(int(label))
        if len(kept) == k:
            return kept
    return None


def report(name, ask, queries):
    start, worked = time.perf_counter(), time.process_time()
    found = [ask(i) for i in queries]
    spent, worked = time.perf_counter() - start, time.process_time() - worked
    recall = np.mean([len(set(f) & set(truth[i])) for f, i in zip(found, queries)]) / k
    print(json.dumps(dict(name=name, n=n, d=d, queries=len(queries), queries_per_second=round(len(queries) / spent, 1),
                          queries_per_processor_second=round(len(queries) / worked, 1),
                          recall=round(float(recall), 4))), flush=True)


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


flat = faiss.IndexFlatL2(d)
flat.add(x)
faiss.omp_set_num_threads(1)
truth = {}


def ask_flat(i):
    first, end = excluded[i]
    bits = np.ones(-(-n // 8) * 8, dtype=bool)
    bits[first:end] = False
    selector = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little")))
    want = 4 * k
    while True:
        kept = apart(flat.search(q[i:i + 1], want, params=selector)[1][0], first, end)
        if kept:
            return truth.setdefault(i, kept)
        want *= 4


some = range(min(len(q), 200))
for i in some:
    truth[i] = [int(label) for label in flat.search(q[i:i + 1], k)[1][0]]
report("faiss flat, nothing excluded", lambda i: [int(label) for label in flat.search(q[i:i + 1], k)[1][0]], some)
started, before = time.process_time(), resident()
graph = hnswlib.Index(space="l2", dim=d)
graph.init_index(n, ef_construction=200, M=16, random_seed=1)
graph.add_items(x, num_threads=2)
print(json.dumps(dict(name="hnswlib, built", processor_seconds=round(time.process_time() - started, 1),
                      bytes_per_vector=round((resident() - before) / n))), flush=True)
for ef in (16, 32, 36, 40, 48, 64):
    graph.set_ef(ef)
    report(f"hnswlib ef={ef}, nothing excluded", lambda i: graph.knn_query(q[i:i + 1], k, num_threads=1)[0][0], some)
truth = {}
for i in some:
    ask_flat(i)
report("faiss flat, selector, asked until it suffices", ask_flat, some)


def ask_graph(i):
    want = 64
    while True:
        graph.set_ef(want)
        kept = apart(graph.knn_query(q[i:i + 1], want, num_threads=1)[0][0], *excluded[i])
        if kept:
            return kept
        want = min(2 * want, n)


report("hnswlib, asked until it suffices", ask_graph, some)
for path in sys.argv[5:]:
    allowed = np.load(path)
    bits = np.zeros(-(-n // 8) * 8, dtype=bool)
    bits[allowed] = True
    selector = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little")))
    answer = lambda i: [int(label) for label in flat.search(q[i:i + 1], k, params=selector)[1][0]]
    truth = {i: answer(i) for i in some}
    name = path.rsplit("/", 1)[-1]
    report(f"faiss flat, selector, 1 % allowed ({name})", answer, some)
    graph.set_ef(32)
    allow = lambda label: bits[label]
    report(f"hnswlib ef=32, filter, 1 % allowed ({name})",
           lambda i: graph.knn_query(q[i:i + 1], k, num_threads=1, filter=allow)[0][0], some)
