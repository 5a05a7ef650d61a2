# %% [markdown]
# # Similar positions
#
# Where else does the compendium look as it does at a place, and which tracks make the difference? This notebook uses the
# database that the notebook *A first hour* makes.

# %%
import matplotlib.pyplot as plt
import numpy as np
import persea

database = persea.open("example.persea")
gene = database.genes().to_pandas().iloc[5]
hits = database.similar(gene.gene_id, k=8, exclude=5_000, explain=True).to_pandas()
hits[["rank", "chrom", "start", "end", "distance", "percentile", "nearest_tss", "annotation"]]

# %% [markdown]
# The query is the gene's promoter. `percentile` places the distance among those of random pairs of positions: a value of 1 or more
# at the first rank is no close match. In this small genome, positions like a strong promoter are few, and none is close.
#
# ## Why are they alike?
#
# A squared distance is a sum over tracks. Each assay has a share of it, and an assay whose signal lies on the same side of the
# mean at both places agrees.

# %%
for hit in hits.head(3).itertuples():
    print(f"hit {hit.rank}: apart in {hit.assays_apart or 'nothing'}; alike in {hit.assays_alike or 'nothing'}")

# %%
shares = database.similar_shares(gene.gene_id, k=8, exclude=5_000, by="assay").to_pandas()
table = shares.pivot(index="rank", columns="assay", values="share")
axes = table.plot.bar(stacked=True, figsize=(7, 3), width=0.8)
axes.set(xlabel="hit", ylabel="share of the squared distance")
axes.legend(frameon=False, bbox_to_anchor=(1, 1), loc="upper left")
plt.show()

# %% [markdown]
# ## Signal at the query and its hits

# %%
assay = "H3K4me3"
biosamples = [row["biosample"] for row in database.tracks() if row["assay"] == assay]
query = database.locate(gene.gene_id, part="promoter")
places = [query, *hits[["chrom", "start", "end"]].itertuples(index=False, name=None)]
middles = [(chrom, (start + end) // 50 * 25) for chrom, start, end in places]
windows = [(chrom, max(0, middle - 2_000), middle + 2_000) for chrom, middle in middles]
rows = [
    np.nanmean([database.signal(window, biosample, assay) for biosample in biosamples], axis=0) for window in windows
]
width = min(len(row) for row in rows)
figure, axes = plt.subplots(figsize=(7, 3))
image = axes.imshow([row[:width] for row in rows], aspect="auto", interpolation="nearest", extent=(-2, 2, len(rows) - 0.5, -0.5))
axes.set_yticks(range(len(rows)), ["query", *(f"hit {rank}" for rank in hits["rank"])])
axes.set_xlabel("kb from the middle")
figure.colorbar(image, label=f"{assay}, mean of {len(biosamples)} biosamples")
plt.show()

# %% [markdown]
# ## Let one assay count more, or allow fewer places
#
# `weights` multiply an assay's or a resolution's part of the squared distance. `classes`, `chromosomes`, `inside`, `labels` and
# others limit the hits.

# %%
weighted = database.similar(gene.gene_id, k=8, exclude=5_000, weights={assay: 4, "5kbp": 0.5}).to_pandas()
elsewhere = database.similar(gene.gene_id, k=8, chromosomes=["chr3"], not_classes=["promoter"]).to_pandas()
both = set(zip(hits.chrom, hits.start)) & set(zip(weighted.chrom, weighted.start))
print(f"{len(both)} of 8 hits stay when {assay} counts four times")
elsewhere[["rank", "chrom", "start", "distance", "percentile", "annotation"]].head(3)

# %%
database.close()
