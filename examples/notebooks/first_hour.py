# %% [markdown]
# # A first hour
#
# This notebook makes a small compendium with known truth, trains a model on it, and imputes an experiment
# that was not measured. With your own data, begin at step 2 with a manifest of your files.
#
# ## 1. Simulate
#
# The files are what a user has: bigWigs, a manifest, genes, enhancers, a mask.

# %%
import matplotlib.pyplot as plt
import numpy as np
import persea

manifest = persea.simulate("files", biosamples=8, assays=5, chromosomes=4, chromosome_bp=400_000, seed=1)

# %% [markdown]
# ## 2. Make a database and read the tracks

# %%
database = persea.create(
    "example.persea",
    assembly="simulated",
    chrom_sizes="files/chrom.sizes",
    genes="files/genes.gtf.gz",
    enhancers="files/enhancers.bed",
    mask="files/mask.bed",
)
database.ingest(manifest)
database.ingest(metadata="files/biosamples.tsv")
tracks = database.tracks().to_pandas()
tracks[["biosample", "assay", "mean", "variance", "covered_bins"]].head()

# %% [markdown]
# Mean and variance are of the stored values, which are the inverse hyperbolic sine of the signal.
#
# ## 3. Train
#
# `hold` keeps a track from the model, so that its imputation can be scored.

# %%
held = ("S3", "H3K4me3")
database.train(name="base", hold=[":".join(held)])
database.models().to_pandas()[["name", "kind", "biosamples", "assays", "bins"]]

# %% [markdown]
# ## 4. Impute and score
#
# The scores stand beside those of the average of the other biosamples, which is the baseline to beat.

# %%
database.impute(":".join(held), output="held.bw")
scores = database.evaluate(model="base")
for name in ["measures", "average_activity"]:
    values = scores["mean"][name]
    who = "model" if name == "measures" else name
    print(f"{who:17}", *(f"{measure} {values[measure]:.3f}" for measure in ["mse", "gwcorr"]))

# %% [markdown]
# ## 5. Look at it
#
# The held-out track around the gene with the highest signal, as it was measured and as it was imputed from the
# other tracks.

# %%
genes = database.genes().to_pandas()
signal = database.mean_signals(genes[["chrom", "start", "end"]], [held])[:, 0]
gene = genes.iloc[int(np.nanargmax(signal))]
region = (gene.chrom, max(0, gene.tss - 10_000), gene.tss + 10_000)
with persea.create("imputed.persea", assembly="simulated", chrom_sizes="files/chrom.sizes") as imputed:
    with open("imputed.tsv", "w") as table:
        table.write(f"biosample\tassay\tpath\n{held[0]}\t{held[1]}\theld.bw\n")
    imputed.ingest("imputed.tsv")
    lines = {"measured": database.signal(region, *held), "imputed": imputed.signal(region, *held)}

figure, axes = plt.subplots(figsize=(8, 3))
for name, values in lines.items():
    axes.plot((region[1] + 25 * np.arange(len(values))) / 1_000, values, label=name, linewidth=1)
axes.axvline(gene.tss / 1_000, color="grey", linestyle=":")
axes.set(xlabel=f"{gene.chrom}, kb (dotted: the TSS of {gene['name']})", ylabel="arcsinh of the signal")
axes.legend(frameon=False)
plt.show()

# %%
database.close()
