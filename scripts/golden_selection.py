"""What apricot-select chooses: fixtures/selection/apricot.json, read by the tests of src/selection.

    python scripts/golden_selection.py > fixtures/selection/apricot.json

With numpy and apricot-select 0.6.1. Vectors and costs come from a seed; similarities are their cosines, rounded to
f32 so that both sides have the same numbers. Feature-based selection takes the vectors.
"""
import json

import numpy as np
from apricot import (FacilityLocationSelection, FeatureBasedSelection, GraphCutSelection, SaturatedCoverageSelection)

rng = np.random.RandomState(20)
n, d, k = 40, 5, 12
x = np.round(rng.gamma(0.7, size=(n, d)), 3) + 0.01
unit = x / np.linalg.norm(x, axis=1, keepdims=True)
s = np.float32(unit @ unit.T)
s = np.maximum(s, s.T).astype("float64")
np.fill_diagonal(s, 1.0)
given = [3, 17]

cases = []


def case(name, parameters, make, data):
    for start in (None, given):
        for optimizer in ("naive", "lazy"):
            chosen = make(optimizer, None if start is None else np.array(start)).fit(data)
            cases.append(dict(objective=name, parameters=parameters, given=start or [], optimizer=optimizer,
                              ranking=[int(i) for i in chosen.ranking], gains=[float(g) for g in chosen.gains]))


common = dict(n_samples=k, metric="precomputed", random_state=0)
case("facility-location", None,
     lambda o, g: FacilityLocationSelection(optimizer=o, initial_subset=g, **common), s)
case("saturated-coverage", 0.2,
     lambda o, g: SaturatedCoverageSelection(alpha=0.2, optimizer=o, initial_subset=g, **common), s)
case("graph-cut", 2.0,
     lambda o, g: GraphCutSelection(alpha=2.0, optimizer=o, initial_subset=g, **common), s)
for concave in ("sqrt", "log", "sigmoid"):
    case("feature-based", concave,
         lambda o, g: FeatureBasedSelection(n_samples=k, concave_func=concave, optimizer=o, initial_subset=g,
                                            random_state=0), x)
print(json.dumps(dict(made_with="apricot-select 0.6.1", n=n, width=d, vectors=x.ravel().tolist(),
                      similarity=s.ravel().tolist(), cases=cases)))
