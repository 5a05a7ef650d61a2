"""Writes fixtures/formats/bins.tsv: 25 bp means of real files, by pyBigWig and plain numpy.

Run from the repository's root, with numpy and pyBigWig:
    python3 scripts/golden_bins.py ../shared/data > fixtures/formats/bins.tsv

Columns: file, format, chromosome, its length, missing (zero, nan), then for the whole chromosome
the sum of its bins and how many are not 0, and a window: its first bin and the means in it.
"""

import gzip
import os
import sys

import numpy as np
import pyBigWig

WINDOW = 12
BIN = 25


def means(values, missing):
    """25 bp means of per-base values, NaN where uncovered; the last bin by its own width."""
    n = -(-len(values) // BIN)
    padded = np.full(n * BIN, np.nan)
    padded[: len(values)] = values
    bins = padded.reshape(n, BIN)
    covered = ~np.isnan(bins)
    width = np.full(n, float(BIN))
    width[-1] = len(values) - (n - 1) * BIN
    divisor = width if missing == "zero" else np.maximum(covered.sum(1), 1)
    return (np.where(covered, bins, 0).sum(1) / divisor).astype(np.float32)


def report(name, fmt, chrom, length, values):
    for missing in ["zero", "nan"]:
        m = means(values, missing)
        nonzero = np.flatnonzero(m)
        # The first signal, the highest, and the chromosome's end.
        firsts = {max(0, len(m) - WINDOW)}
        if len(nonzero):
            firsts |= {max(0, int(nonzero[0]) - 2), max(0, int(m.argmax()) - WINDOW // 2)}
        for first in sorted(firsts):
            window = ",".join(repr(float(v)) for v in m[first : first + WINDOW])
            total = repr(float(m.sum(dtype="f8")))
            print(name, fmt, chrom, length, missing, total, len(nonzero), first, window, sep="\t")


def bigwig(data, name, chroms=None):
    with pyBigWig.open(os.path.join(data, name)) as bw:
        for chrom, length in bw.chroms().items():
            if chroms is None or chrom in chroms:
                report(name, "bigwig", chrom, length, bw.values(chrom, 0, length, numpy=True))


def intervals(data, name, fmt, sizes, column):
    opener = gzip.open if name.endswith(".gz") else open
    bases = {c: np.full(n, np.nan) for c, n in sizes.items()}
    with opener(os.path.join(data, name), "rt") as lines:
        for line in lines:
            fields = line.split()
            if fields[0] in bases:
                at = bases[fields[0]][int(fields[1]) : int(fields[2])]
                np.fmax(at, np.float32(fields[column]), out=at)
    for chrom, values in bases.items():
        report(name, fmt, chrom, sizes[chrom], values)


def main(data):
    for i in [1, 2, 3]:
        bigwig(data, f"formats/chr21_H3K4me3_{i}.bw")
    bigwig(data, "formats/wgEncodeHaibTfbsA549Rad21V0422111RawRep1.chr21.bw")
    bigwig(data, "formats/ENCFF324BPE.bigWig", ["chr21", "chrY"])
    bigwig(data, "formats/gene.bigwig", ["chr21", "chr1"])
    bigwig(data, "formats/prom.bigwig", ["chr22"])
    bigwig(data, "formats/valid.bigWig")
    bigwig(data, "formats/test.bw", ["10"])
    hg19 = {"chr21": 48129895, "chr22": 51304566}
    intervals(
        data,
        "formats/wgEncodeHaibTfbsH1hescRad21V0416102PkRep1.broadPeak.gz",
        "broadpeak",
        hg19,
        6,
    )
    intervals(data, "targetfinder/IMR90/E017-H3K4me3.narrowPeak.gz", "narrowpeak", hg19, 6)
    intervals(data, "targetfinder/peaks-chr20-22/K562/CTCF.bed.gz", "bed", hg19, 3)
    name = "formats/multi_chrom.bedGraph"
    sizes = {}
    with open(os.path.join(data, name)) as lines:
        for chrom, _, end, _ in map(str.split, lines):
            # A chromosome that ends within a bin.
            sizes[chrom] = max(sizes.get(chrom, 0), int(end) + 3)
    intervals(data, name, "bedgraph", sizes, 3)


if __name__ == "__main__":
    main(sys.argv[1])
