"""Writes fixtures/avocado: a model trained, saved and read by the original Avocado.

Run from the repository's root, with avocado-epigenome 0.4.0, keras 3 and a backend of it:
    python3 scripts/golden_avocado.py fixtures/avocado

Two chromosomes of a toy assembly (toy.chrom.sizes). `pilot` is trained on chrT; `fit_genome_factors`
of the original needs calls that Keras 3 has no more, so what it does is done here for chrU: a second
model with the first one's network and biosample and assay factors, frozen, whose genome factors alone
are trained. So `chrT` and `chrU` are what the paper's pretrained models are: one pair of files a
chromosome from bin 0, all with one network.

    chrT.json chrT.h5   407 positions: int(n / 10) + 1 and int(n / 200) + 1 rows are all used
    chrU.json chrU.h5   400 positions: the last 250 bp row and the last 5 kbp row are padding
    old.json old.h5     chrT again as Keras 2 laid it out and as old JSON files write it: `kernel:0`,
                        sizes as floats, no experiments
    answers.npz         predictions of every experiment, and the embeddings, by the original's own code
    tracks/             the signal that was trained on (arcsinh), and one track more
"""

import functools
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np
from keras.models import Model

SIZES = dict(n_layers=2, n_nodes=12, n_assay_factors=4, n_celltype_factors=3, n_25bp_factors=2,
             n_250bp_factors=3, n_5kbp_factors=5, batch_size=50)
BIOSAMPLES, ASSAYS = ["E003", "E017", "E116"], ["H3K4me3", "H3K36me3"]
POSITIONS = {"chrT": 407, "chrU": 400}
LENGTHS = {"chrT": 407 * 25 - 11, "chrU": 400 * 25, "chrV": 5_000}


def fit_generator(self, batches, steps, epochs=1, workers=1, verbose=1, callbacks=None, **_):
    columns = (({k: v.reshape(-1, 1) for k, v in x.items()}, y.astype("float32").reshape(-1, 1))
               for x, y in batches)
    return self.fit(columns, steps_per_epoch=steps, epochs=epochs, verbose=verbose, callbacks=callbacks)


Model.fit_generator = fit_generator
# The original loads compiled; Keras 3 cannot make its own 'mse' of 2.x files anew, and need not.
keras.models.load_model = functools.partial(keras.models.load_model, compile=False)
from avocado import Avocado  # noqa: E402  (needs fit_generator in place)


def impute(model, biosample, assay):
    n = model.n_genomic_positions
    bins = np.arange(n).reshape(-1, 1)
    columns = {"celltype_input": np.full((n, 1), model.celltypes.index(biosample)),
               "assay_input": np.full((n, 1), model.assays.index(assay)),
               "genome_25bp_input": bins, "genome_250bp_input": bins // 10, "genome_5kbp_input": bins // 200}
    return model.model.predict(columns, batch_size=1_000, verbose=0).ravel()


def signal(rng, chrom):
    """Peaks that the biosamples share in part."""
    n = POSITIONS[chrom]
    tracks = {}
    for i, b in enumerate(BIOSAMPLES):
        for j, a in enumerate(ASSAYS):
            at = np.arange(n)
            wave = np.sin(at / (9 + 4 * j)) + 0.5 * np.sin(at / (31 + i))
            track = np.arcsinh(np.maximum(0, 3 * wave + rng.normal(0, 0.3, n)))
            tracks[b, a] = track.astype("float32")
    return tracks


def as_keras_2(name, to):
    """The file as Keras 2.2 on TensorFlow 1 wrote it; its JSON as the old package did."""
    with h5py.File(f"{name}.h5") as new, h5py.File(f"{to}.h5", "w") as old:
        old.attrs["backend"] = b"tensorflow"
        old.attrs["keras_version"] = b"2.2.4"
        old.attrs["model_config"] = new.attrs["model_config"]
        weights = old.create_group("model_weights")
        layers = [layer for layer in new["model_weights"].attrs["layer_names"]]
        layers = [layer if isinstance(layer, bytes) else layer.encode() for layer in layers]
        weights.attrs["layer_names"] = np.asarray(layers)
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = b"2.2.4"
        for layer in layers:
            group = weights.create_group(layer.decode())
            known = new["model_weights"][layer.decode()]
            names = []
            for weight in known.attrs["weight_names"]:
                weight = weight if isinstance(weight, str) else weight.decode()
                names.append(f"{layer.decode()}/{weight.split('/')[-1]}:0".encode())
                group[names[-1].decode()] = known[weight][()]
            group.attrs["weight_names"] = np.asarray(names)
    record = json.loads(Path(f"{name}.json").read_text())
    del record["experiments"]
    record = {k: float(v) if k.startswith("n_") or k == "batch_size" else v for k, v in record.items()}
    # The chromosome's length over 25, as it came.
    record["n_genomic_positions"] = 407.56
    Path(f"{to}.json").write_text(json.dumps(record, separators=(",", " : "), indent=4))


def main(folder):
    out = Path(folder)
    (out / "tracks").mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    rng = np.random.default_rng(7)
    np.random.seed(7)
    keras.utils.set_random_seed(7)
    Path("toy.chrom.sizes").write_text("".join(f"{c}\t{n}\n" for c, n in LENGTHS.items()))
    answers, first = {}, None
    for chrom, n in POSITIONS.items():
        tracks = signal(rng, chrom)
        np.savez_compressed(f"tracks/{chrom}.npz", **{f"{b}.{a}": t for (b, a), t in tracks.items()})
        train = {k: t for k, t in tracks.items() if k != ("E116", "H3K36me3")}
        frozen = first is not None
        model = Avocado(BIOSAMPLES, ASSAYS, n_genomic_positions=n, **SIZES,
                        **{k: frozen for k in ("freeze_celltypes", "freeze_assays", "freeze_network")})
        if frozen:
            for mine, theirs in zip(model.model.layers, first.model.layers):
                if theirs.get_weights() and not mine.name.startswith("genome"):
                    mine.set_weights(theirs.get_weights())
            model.model.compile(optimizer="adam", loss="mse")
        model.fit(train, n_epochs=20, epoch_size=16, verbose=0)
        first = first or model
        model.save(chrom)
        loaded = Avocado.load(chrom)
        answers[f"{chrom}.embedding"] = loaded.genome_embedding.astype("float32")
        answers[f"{chrom}.biosamples"] = loaded.celltype_embedding
        answers[f"{chrom}.assays"] = loaded.assay_embedding
        for b, a in tracks:
            answers[f"{chrom}.{b}.{a}"] = impute(loaded, b, a)
    as_keras_2("chrT", "old")
    np.savez_compressed("answers.npz", **answers)


if __name__ == "__main__":
    main(sys.argv[1])
