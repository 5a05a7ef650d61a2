"""Golden values of projections, from scikit-learn and umap-learn.

    pip install scikit-learn umap-learn
    python scripts/golden_projection.py        # writes fixtures/projection/points.json

Sixty points of eight factors and a bad picture of them, rounded to four decimals; trustworthiness for
several neighbourhoods, the shares of the principal components, and UMAP's fuzzy graph.
Made with scikit-learn 1.9 and umap-learn 0.5.
"""
import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from umap.umap_ import fuzzy_simplicial_set

TARGET = Path(__file__).resolve().parent.parent / "fixtures" / "projection" / "points.json"

rng = np.random.default_rng(20)
centres = rng.normal(0, 2, (4, 8))
points = np.round(centres[rng.integers(0, 4, 60)] + rng.normal(0, 1, (60, 8)), 4).astype(np.float32)
picture = np.round(points[:, :2] + rng.normal(0, 1, (60, 2)), 4).astype(np.float32)

pca = PCA().fit(points.astype(np.float64))
K = 10
distances, indices = NearestNeighbors(n_neighbors=K).fit(points).kneighbors(points)
graph, _, _ = fuzzy_simplicial_set(
    points, K, np.random.RandomState(0), "euclidean",
    knn_indices=indices, knn_dists=distances.astype(np.float32),
)
graph = graph.tocoo()
edges = sorted((int(i), int(j), float(w)) for i, j, w in zip(graph.row, graph.col, graph.data) if w > 0)


def preserved(k):
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (points, picture)]
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*near)]))


TARGET.parent.mkdir(parents=True, exist_ok=True)
TARGET.write_text(json.dumps({
    "points": [[round(float(v), 4) for v in row] for row in points],
    "picture": [[round(float(v), 4) for v in row] for row in picture],
    "trustworthiness": {str(k): float(trustworthiness(points.astype(np.float64), picture.astype(np.float64), n_neighbors=k)) for k in (1, 5, 12, 29)},
    "preserved": {str(k): preserved(k) for k in (1, 5, 12, 29)},
    "explained": [float(v) for v in pca.explained_variance_ratio_],
    "scores": [float(v) for v in pca.transform(points.astype(np.float64))[:, 0]],
    "n_neighbours": K,
    "graph": [[i, j, round(w, 6)] for i, j, w in edges],
}, separators=(",", ":")) + "\n")
