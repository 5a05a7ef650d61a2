# %% [markdown]
# # A task
#
# Are a model's factors good for a question of your own? A task is a set of labelled places: here genes and their expression.
# The notebook compares features on the same folds, within Persea and with scikit-learn. It uses the database that the notebook
# *A first hour* makes.
#
# ## 1. Within Persea
#
# Folds are chromosomes, so that no place is predicted from its neighbours.

# %%
import matplotlib.pyplot as plt
import numpy as np
import persea
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

database = persea.open("example.persea")
database.task_import("expression", "files/expression.tsv")
run = database.task_run(
    "expression", biosample="S1", regression=True, features=["embedding", "signal"], learner="ridge"
)
# A constant prediction has no correlation.
rows = [row for row in run["result"]["rows"] if row["measures"]["pearson"]["value"] is not None]
for row in rows:
    print(f"{row['name']:18} {row['kind']:9} Pearson's r {row['measures']['pearson']['value']:6.3f}")

# %%
names, measures = [row["name"] for row in rows], [row["measures"]["pearson"] for row in rows]
values = np.array([m["value"] for m in measures])
low = np.array([m["value"] if m["low"] is None else m["low"] for m in measures])
high = np.array([m["value"] if m["high"] is None else m["high"] for m in measures])
figure, axes = plt.subplots(figsize=(7, 0.4 * len(names) + 1))
axes.barh(names, values, xerr=[np.maximum(values - low, 0), np.maximum(high - values, 0)], color="#5696d2")
axes.invert_yaxis()
axes.set_xlabel("Pearson's r over all genes, with its interval")
plt.show()

# %% [markdown]
# Intervals of a few chromosomes are wide. The rows of kind `baseline` learn nothing from the features.
#
# ## 2. With scikit-learn
#
# `labels` gives a task's places and labels, and `PerseaFeatures` turns places into features inside a pipeline. A pipeline
# that is cross-validated opens the database in each worker.

# %%
labels = database.labels("expression", "S1").to_pandas().dropna(subset=["label"])
places = list(labels[["chrom", "start", "end"]].itertuples(index=False, name=None))
y = np.log1p(labels["label"].to_numpy())
folds = GroupKFold(labels["chrom"].nunique())
for features in ["embedding", "signal"]:
    pipeline = make_pipeline(
        persea.PerseaFeatures("example.persea", features=features),
        StandardScaler(),
        RidgeCV(np.logspace(-2, 4, 13)),
    )
    predicted = cross_val_predict(pipeline, places, y, groups=labels["chrom"], cv=folds)
    print(f"{features}: Pearson's r {np.corrcoef(predicted, y)[0, 1]:.3f} over {len(y)} genes")

# %%
database.close()
