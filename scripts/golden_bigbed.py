"""Writes fixtures/formats/peaks.bigBed by pybigtools, and what pyBigWig reads from it as text.

Run from the repository's root, with pybigtools and pyBigWig:
    python3 scripts/golden_bigbed.py
"""

import pyBigWig
import pybigtools

FILE = "fixtures/formats/peaks.bigBed"
LENGTHS = {"chr1": 60010, "chr2": 60010, "chr10": 5000}
PEAKS = [
    ("chr1", 0, 150, "first\t1000\t.\t12.5\t5.25\t3\t75"),
    ("chr1", 1000, 1500, "second\t10\t.\t5\t-1\t-1\t-1"),
    ("chr1", 1400, 60010, "third\t0\t+\t0.5\t0\t0\t20"),
    ("chr10", 4999, 5000, "a point\t7\t-\t1e3\t2\t1\t0"),
]

pybigtools.open(FILE, "w").write(LENGTHS, PEAKS)
bigbed = pyBigWig.open(FILE)
with open(f"{FILE}.txt", "w") as text:
    for chrom in sorted(bigbed.chroms()):
        for start, end, rest in bigbed.entries(chrom, 0, LENGTHS[chrom]) or []:
            print(chrom, start, end, rest, sep="\t", file=text)
