# %% [markdown]
# # Choosing biosamples
#
# Which biosamples stand for all, and which experiment is worth measuring next? The notebook uses the database that the notebook
# *A first hour* makes.
#
# ## 1. What has been measured

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import persea

database = persea.open("example.persea")
tracks = database.tracks().to_pandas()
coverage = pd.crosstab(tracks["biosample"], tracks["assay"])
figure, axes = plt.subplots(figsize=(5, 3))
axes.imshow(coverage, cmap="Blues", vmin=0, vmax=1.5, aspect="auto")
axes.set_xticks(range(coverage.shape[1]), coverage.columns, rotation=30, ha="right")
axes.set_yticks(range(coverage.shape[0]), coverage.index)
plt.show()

# %% [markdown]
# ## 2. Biosamples that stand for all
#
# Each biosample has a cosine with the nearest one that was chosen. The objective is the sum, and each step takes the biosample that
# adds most.

# %%
answer = database.select_biosamples(k=4, no_store=True)
for chosen in answer["chosen"]:
    print(f"{chosen['rank']}. {chosen['name']} adds {chosen['gain']:.3f} and stands for {', '.join(chosen['represents'])}")
print(answer["guarantee_text"])

# %%
curve = pd.DataFrame(answer["curve"])
band = np.array(curve["random_band"].tolist())
figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(curve["k"], curve["value"], marker="o", label="chosen")
axes.plot(curve["k"], curve["random_mean"], color="grey", label="chosen at random, and the middle 95 %")
axes.fill_between(curve["k"], band[:, 0], band[:, 1], color="grey", alpha=0.2)
axes.axhline(answer["everything"], color="black", linestyle=":", label="all biosamples")
axes.set(xlabel="biosamples chosen", ylabel="objective", xticks=curve["k"])
axes.legend(frameon=False, fontsize="small")
plt.show()

# %% [markdown]
# ## 3. Experiments to measure next

# %%
next_ones = database.select_experiments(k=3, no_store=True)
pd.DataFrame(next_ones["chosen"])[["rank", "name", "gain"]]

# %% [markdown]
# ## 4. The biosamples by their factors

# %%
names, factors = database.biosample_factors()
groups = database.biosamples().to_pandas().set_index("name")["group"]
centred = factors - factors.mean(axis=0)
left, scale, _ = np.linalg.svd(centred, full_matrices=False)
places = left[:, :2] * scale[:2]
is_chosen = [name in {c["name"] for c in answer["chosen"]} for name in names]
figure, axes = plt.subplots(figsize=(4.5, 3.5))
axes.scatter(*places.T, c=["#d55e00" if chosen else "#5696d2" for chosen in is_chosen])
for name, place in zip(names, places):
    axes.annotate(f"{name}, {groups[name]}", place, xytext=(4, 4), textcoords="offset points")
axes.set(xlabel="component 1", ylabel="component 2", title="orange: chosen")
plt.show()

# %%
database.close()
