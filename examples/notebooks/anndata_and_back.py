# %% [markdown]
# # From AnnData and back
#
# A compendium at a region is a table of biosamples and assays, which AnnData holds with their metadata and factors. An AnnData of
# genome windows, in turn, becomes a model that is searched and benchmarked as Persea's own. The notebook uses the database that the notebook
# *A first hour* makes.
#
# ## 1. To AnnData

# %%
import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import persea

database = persea.open("example.persea")
gene = database.genes().to_pandas().iloc[5]
at_gene = database.anndata((gene.chrom, gene.start, gene.end))
at_gene

# %% [markdown]
# `X` is the mean stored signal, NaN where nothing was measured. `obsm` and `varm` have the factors.

# %%
figure, axes = plt.subplots(figsize=(5, 3))
image = axes.imshow(at_gene.X, cmap="viridis", aspect="auto")
axes.set_xticks(range(at_gene.n_vars), at_gene.var_names, rotation=30, ha="right")
axes.set_yticks(range(at_gene.n_obs), at_gene.obs_names)
figure.colorbar(image, label=f"mean signal in {gene['name']} (arcsinh)")
plt.show()

# %% [markdown]
# The factors of all biosamples, with their metadata, are also a file.

# %%
database.export_biosamples(output="biosamples.h5ad")
biosamples = anndata.read_h5ad("biosamples.h5ad")
print(biosamples)
names, factors = database.biosample_factors()
print(np.array_equal(biosamples[names].X, factors))

# %% [markdown]
# ## 2. And back
#
# Windows of 500 bp with features of your own: here the mean signal of every track, reduced to its first principal components.

# %%
width = 500
windows = pd.DataFrame(
    [
        (chrom, start, start + width)
        for chrom, length in database.chromosomes.items()
        for start in range(0, length - width + 1, width)
    ],
    columns=["chrom", "start", "end"],
)
tracks = list(database.tracks().to_pandas()[["biosample", "assay"]].itertuples(index=False, name=None))
signal = np.nan_to_num(database.mean_signals(windows, tracks))
left, scale, _ = np.linalg.svd(signal - signal.mean(axis=0), full_matrices=False)
own = anndata.AnnData((left[:, :8] * scale[:8]).astype(np.float32), obs=windows.set_index(windows.index.astype(str)))
own.write_h5ad("windows.h5ad")

# %% [markdown]
# `import_embedding` takes the numbers and where each row lies.

# %%
read = anndata.read_h5ad("windows.h5ad")
np.savez(
    "windows.npz",
    embedding=read.X,
    chrom=read.obs["chrom"].astype(str).to_numpy(dtype=str),
    start=read.obs["start"].to_numpy(),
    end=read.obs["end"].to_numpy(),
)
database.import_embedding("windows.npz", name="components")
database.models().to_pandas()[["name", "kind", "bins", "is_default"]]

# %% [markdown]
# The two models answer the same question.

# %%
figure, axes = plt.subplots(figsize=(6, 2.5))
for row, model in enumerate(["base", "components"]):
    hits = database.similar(gene.gene_id, k=20, exclude=5_000, model=model).to_pandas()
    shares = hits["annotation"].str.contains("promoter").mean()
    axes.barh(row, shares, color="#5696d2")
    print(f"{model}: {shares:.0%} of the nearest positions of a promoter lie in promoters")
axes.set_yticks([0, 1], ["base", "components"])
axes.set(xlabel="share of hits in promoters", xlim=(0, 1))
plt.show()

# %%
database.close()
