"""The ingest bench's file and its peer: bench_ingest.py make FILE | bench_ingest.py peer FILE ZARR

make: a bigWig over hg19's chr1 to chr12, runs of 60 bp on average, values like −log10 p.
peer: what one would write in Python: pyBigWig's values, their mean over each 25 bp, arcsinh, Zarr.
"""
import sys
from pathlib import Path

import numpy as np
import pyBigWig

SIZES = Path(__file__).parent / "../crates/genome/src/sizes/hg19.chrom.sizes"
CHROMOSOMES = [f"chr{i}" for i in range(1, 13)]
PIECE = 1_000_000


def make(path):
    lengths = dict(line.split()[:2] for line in SIZES.read_text().splitlines() if line and line[0] != "#")
    rng = np.random.default_rng(1)
    with pyBigWig.open(path, "w") as file:
        chromosomes = sorted((c, int(lengths[c])) for c in CHROMOSOMES)
        file.addHeader(chromosomes)
        for chromosome, length in chromosomes:
            ends = np.cumsum(rng.geometric(1 / 60, length // 50))
            ends = np.append(ends[ends < length], length)
            starts = np.insert(ends[:-1], 0, 0)
            values = np.round(rng.gamma(0.5, 1.0, len(ends)), 5)
            for i in range(0, len(ends), PIECE):
                part = slice(i, i + PIECE)
                file.addEntries(np.repeat(chromosome, len(ends[part])), starts[part], ends=ends[part], values=values[part])


def peer(path, out):
    import zarr

    group = zarr.open_group(out, mode="w")
    with pyBigWig.open(path) as file:
        for chromosome, length in file.chroms().items():
            values = np.nan_to_num(file.values(chromosome, 0, length, numpy=True), copy=False)
            bins = np.zeros(-(-length // 25) * 25, np.float32)
            bins[:length] = values
            means = np.arcsinh(bins.reshape(-1, 25).mean(1))
            array = group.create_array(chromosome, shape=means.shape, chunks=(65_536,), dtype="float32")
            array[:] = means


dict(make=make, peer=peer)[sys.argv[1]](*sys.argv[2:])
