#!/usr/bin/env python3
"""Seeds of the fuzz targets, from fixtures/ and small valid texts: fuzz_seeds.py FOLDER"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {
    0: b"biosample\tassay\tpath\nS1\tH3K4me3\ta.bw\n",
    1: b'#chrom,start,end\n"chr1",0,25\n',
    2: b'chr1\tx\tgene\t101\t900\t.\t+\t.\tgene_id "G1"; gene_name "A";\n',
    3: b"track name=x\nchr1\t0\t250\ta\t0\t+\nchr2\t25\t50\n",
    4: b"# alias\tchrom\nNC_1.1\tchr1\t1\n",
    5: b"chr1\t2010\nchr2\t700\n",
    6: b"chr1:1,001-2,000",
    7: b"one\r\ntwo\n",
}
SIGNALS = {
    1: b"chr1\t0\t100\t1.5\nchr1\t100\t225\t2\nchr2\t0\t700\t0.25\n",
    2: b"chr1\t100\t300\tp1\t0\t.\t7.5\t3\t2\t50\n",
    3: b"chr1\t100\t300\tp1\t0\t.\t7.5\t3\t2\n",
    4: b"chr1\t100\t300\tp1\t960\t+\n",
}


def main():
    folder = Path(sys.argv[1])

    def put(target, name, choice, content):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(bytes([choice]) + content)

    for choice, text in TEXTS.items():
        put("text", f"text_{choice}", choice, text)
    for choice, text in SIGNALS.items():
        put("signal", f"signal_{choice}", choice, text)
    formats = {".bw": 0, ".bedGraph": 1, ".narrowPeak": 2, ".broadPeak": 3, ".bed": 4, ".npz": 5, ".npy": 6}
    tables = {".npz": 0, ".npy": 1, ".parquet": 2, ".h5": 3, ".tsv": 4, ".csv": 5, ".bed": 6}
    for path in sorted(ROOT.joinpath("fixtures").rglob("*")):
        if not path.is_file() or path.stat().st_size > 100_000:
            continue
        content = path.read_bytes()
        if path.suffix in formats:
            put("signal", path.name, formats[path.suffix], content)
        if path.suffix in tables:
            for kind in range(3):
                put("matrices", f"{path.name}_{kind}", tables[path.suffix] + 8 * kind, content)
    for path in sorted(ROOT.joinpath("src").rglob("*.toml")):
        (folder / "suites").mkdir(parents=True, exist_ok=True)
        (folder / "suites" / path.name).write_bytes(path.read_bytes())
    # A table, a column, two rows, one of twelve edits and seven bytes of content.
    for at in range(0, 240):
        edit = bytes([at % 37, at // 3 % 11, at % 5, at % 3, at % 12, at, 1, 2, 3, 4, 5, 6])
        put("tables", f"edit_{at}", at // 12 % 2, edit)
    for target in ("bigwig", "database"):
        for at in range(0, 2048, 64):
            put(target, f"edit_{at}", at // 64 % 8, bytes([at // 64 % 8, at & 255, at >> 8, 0, 7]))


if __name__ == "__main__":
    main()
