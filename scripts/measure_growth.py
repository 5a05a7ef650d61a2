#!/usr/bin/env python3
"""Measures how verbs grow with bins and tracks, and fits laws: measure_growth.py PERSEA FOLDER [POINTS]

Makes a simulated compendium for each point BINSxTRACKS in FOLDER (see POINTS for the default) and runs each verb
once, on one thread. Processor time is counted, not the clock's, so that other work on the machine matters little;
peak memory is the process's. Each compendium is removed after its measurements, which are appended to
FOLDER/points.jsonl; a point that is there already is not measured again.

    measure_growth.py --fit FOLDER/points.jsonl [DATE]

prints the tables for docs/results.json. For each verb, a sum of terms (TERMS_OF, TERMS_OF_VERB), all at least
0, is fitted by least squares of relative errors. Printed beside it are the root mean square and the largest
relative error of the fit, and the relative error at the largest point when it is left out of the fit.
"""

import json
import math
import os
import resource
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

ASSAYS = 5
POINTS = (
    "24000x20 24000x80 96000x20 24000x320 24000x160 384000x20 96000x80 1536000x20 6000x4000 384000x80"
)
# Bins that the default model is trained on. Its cost depends on them and on the tracks.
CORE = {24_000: 12_000, 96_000: 36_000}
# Tracks up to which the default model is trained here. Of more than 256 it reads pools.
DEFAULT_MODEL = 160
# The largest genome and compendium of the plan.
PLAN = (124_000_000, 4_000)
AVOCADO = "--model avocado --preset small --no-validate --passes 1"


def run(persea, folder, line):
    """CPU seconds and peak MiB of a command; it must succeed."""
    environment = {**os.environ, "PERSEA_DB": "x.persea", "PERSEA_PROGRESS": "0"}
    with open(folder / "log", "w", encoding="utf-8") as log:
        command = [persea, *line.split(), "--threads", "1"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
        _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        text = (folder / "log").read_text(encoding="utf-8")
        raise RuntimeError(f"persea {line}: {text[-2000:]}")
    return round(used.ru_utime + used.ru_stime, 3), round(used.ru_maxrss / 1024, 1)


def size(path):
    """Bytes of all files below a folder."""
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def measure(persea, folder, n_bins, n_tracks):
    """What each verb costs on one compendium."""
    folder.mkdir(parents=True)
    n_biosamples = n_tracks // ASSAYS
    chromosomes = 2 if n_bins < 1_000_000 else 8
    bp = n_bins * 25 // chromosomes
    costs, size_of = {}, {}
    found = {"bins": n_bins, "tracks": n_tracks, "costs": costs, "bytes": size_of}

    def take(verb, line):
        costs[verb] = run(persea, folder, line)
        print(f"{n_bins}x{n_tracks} {verb}: {costs[verb]}", file=sys.stderr, flush=True)

    take("simulate", f"simulate --output sim --biosamples {n_biosamples} --groups 2 --assays {ASSAYS} "
                     f"--chromosomes {chromosomes} --chromosome-bp {bp} --missing 0 --seed 7")
    create = "--assembly simulated --chrom-sizes sim/chrom.sizes --genes sim/genes.gtf.gz"
    run(persea, folder, f"create {create}")
    lines = (folder / "sim/manifest.tsv").read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(line.split("\t")[0] for line in lines[1:]))
    assays = list(dict.fromkeys(line.split("\t")[1] for line in lines[1:]))
    # The last biosample is for `extend`, the first one's last assay for `impute` and `evaluate`.
    first = [line for line in lines if not line.startswith(names[-1] + "\t")]
    (folder / "sim/first.tsv").write_text("\n".join(first) + "\n", encoding="utf-8")
    take("ingest", "ingest sim/first.tsv")
    database = folder / "x.persea"
    size_of["signal"] = size(database / "signal.zarr")
    before = size(database)
    held = f"{names[0]}:{assays[-1]}"
    take("train avocado small, 1 pass", f"train {AVOCADO} --name m --hold {held}")
    size_of["model"] = size(database) - before
    run(persea, folder, "ingest sim/manifest.tsv")
    take("extend, a biosample", f"extend --model m --biosamples {names[-1]} --name e --passes 1")
    take("impute, avocado small", f"impute {held} --model m --output a.bw")
    take("evaluate, avocado small", "evaluate --model m")
    take("index", "index --model m")
    size_of["index"] = size(database / "index")
    take("similar position", "similar position chr1:10,000 --model m --exclude none")
    take("select biosamples", "select biosamples -k 2 --similarity observed --no-store --resamples 0")
    take("project genome", "project genome --model m --no-store")
    if n_bins >= 24_000:
        # It compares with other loci of the same length, which a short chromosome lacks.
        take("locus", f"locus chr1:10,001-20,000 --assay {assays[0]}")
    if n_tracks <= DEFAULT_MODEL:
        core = CORE.get(n_bins, 12_000)
        # Not at a chromosome's end, so that new regions lie on both sides.
        end = 2_500 + core // 2 * 25
        (folder / "core.bed").write_text(f"chr1\t2500\t{end}\nchr2\t2500\t{end}\n", encoding="utf-8")
        sizes = (folder / "sim/chrom.sizes").read_text(encoding="utf-8").splitlines()
        bed = [f"{line.split()[0]}\t0\t{line.split()[1]}" for line in sizes]
        (folder / "all.bed").write_text("\n".join(bed) + "\n", encoding="utf-8")
        found["core"] = core
        take("train, default model", f"train --no-validate --name d --regions core.bed --hold {held}")
        take("extend, positions", "extend --model d --regions all.bed --shard 1/1 --output d.factors")
        size_of["factors"] = (folder / "d.factors").stat().st_size
        take("extend --merge", "extend --model d --regions all.bed --merge d.factors --name all")
        take("impute, default model", f"impute {held} --model all --output d.bw")
        take("evaluate, default model", "evaluate --model all")
    for i in (1, 2):
        run(persea, folder, f"create --db {i}.persea {create}")
        run(persea, folder, f"ingest sim/manifest.tsv --shard {i}/2 --db {i}.persea")
    take("merge, 2 shards", "merge all.persea 1.persea 2.persea")
    for i in (1, 2):
        shutil.rmtree(folder / f"{i}.persea")
    shutil.rmtree(folder / "all.persea")
    size_of["database"] = size(database)
    take("backup", "backup copy.persea")
    take("check", "check")
    take("info", "info")
    return found


TERMS = (
    lambda p: 1.0,
    lambda p: p["bins"],
    lambda p: p["tracks"],
    lambda p: p["bins"] * p["tracks"],
    lambda p: p["bins"] * p["tracks"] ** 2,
    lambda p: p["tracks"] ** 2,
    lambda p: p["tracks"] ** 3,
    # Tracks are read in blocks, and training holds 2 GB of signal at most (--cache).
    lambda p: min(p["bins"], 1 << 16) * p["tracks"],
    lambda p: min(p["bins"] * p["tracks"], 500_000_000),
)
NAMES = ("", "bins", "tracks", "bins × tracks", "bins × tracks²", "tracks²", "tracks³", "min(bins, 65,536) × tracks",
         "min(bins × tracks, 500 million)")
# Of time and of memory.
TERMS_OF = ((0, 1, 2, 3), (0, 1, 2, 7))
TERMS_OF_VERB = {
    "train, default model": ((0, 1, 3, 4, 6), (0, 1, 2, 5, 8)),
    "train avocado small, 1 pass": ((0, 1, 2, 3), (0, 1, 2, 8)),
    "extend, a biosample": ((0, 1, 2, 3), (0, 1, 2, 8)),
}


def solve(matrix, right):
    """Gaussian elimination with pivots; None if singular."""
    n = len(right)
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        if abs(rows[pivot][i]) < 1e-300:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def fit(points, values, terms):
    """Coefficients of TERMS, none below 0, that minimise the sum of squared relative errors."""
    best = None
    for n in range(1, len(terms) + 1):
        for chosen in combinations(terms, n):
            if n >= len(points):
                continue
            rows = [[TERMS[i](p) / v for i in chosen] for p, v in zip(points, values)]
            scale = [max(abs(row[k]) for row in rows) for k in range(n)]
            rows = [[x / s for x, s in zip(row, scale)] for row in rows]
            gram = [[sum(r[i] * r[j] for r in rows) for j in range(n)] for i in range(n)]
            found = solve(gram, [sum(r[i] for r in rows) for i in range(n)])
            if found is None or min(found) < 0:
                continue
            loss = sum((sum(x * c for x, c in zip(row, found)) - 1) ** 2 for row in rows)
            if best is None or loss < best[0] - 1e-12:
                coefficients = [0.0] * len(TERMS)
                for i, c, s in zip(chosen, found, scale):
                    coefficients[i] = c / s
                best = loss, coefficients
    return best[1]


def value_of(coefficients, point):
    return sum(c * term(point) for c, term in zip(coefficients, TERMS))


def digits(value, n=2):
    """So many significant digits, without an exponent where it can be."""
    if value == 0:
        return 0
    rounded = float(f"{value:.{n}g}")
    return int(rounded) if abs(rounded) >= 10 ** (n - 1) else rounded


def law_text(coefficients, unit):
    parts = [f"{digits(c)}" if not name else f"{c:.2g} × {name}" for c, name in zip(coefficients, NAMES) if c > 0]
    return " + ".join(parts) + unit


def duration(seconds):
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{digits(seconds / length)} {unit}"
    return f"{digits(seconds)} s"


def memory(mib):
    return f"{digits(mib / 1024)} GiB" if mib >= 1024 else f"{digits(mib)} MiB"


def percent(share):
    return f"{100 * share:.0f} %"


def law(points, verb, what):
    """The fit of a verb's cost (0: seconds, 1: MiB), its errors, and what it says of the plan."""
    there = [p for p in points if verb in p["costs"]]
    # The default model is trained on its core.
    is_default = verb == "train, default model"
    seen = [{**p, "bins": p["core"]} if is_default else p for p in there]
    terms = TERMS_OF_VERB.get(verb, TERMS_OF)[what]
    values = [max(p["costs"][verb][what], 0.005) for p in there]
    coefficients = fit(seen, values, terms)
    errors = [value_of(coefficients, p) / v - 1 for p, v in zip(seen, values)]
    last = max(range(len(seen)), key=lambda i: seen[i]["bins"] * seen[i]["tracks"])
    rest = [i for i in range(len(seen)) if i != last]
    without = fit([seen[i] for i in rest], [values[i] for i in rest], terms)
    left_out = value_of(without, seen[last]) / values[last] - 1
    rms = math.sqrt(sum(e * e for e in errors) / len(errors))
    plan = value_of(coefficients, {"bins": PLAN[0], "tracks": PLAN[1]})
    return coefficients, rms, max(abs(e) for e in errors), left_out, plan, len(seen)


def tables(points, date):
    command = "scripts/measure_growth.py"
    note = (
        "One thread; processor time of one run each, other work on the machine (load 3 to 8). Simulated compendia of 5"
        " assays. 2 cores (AMD EPYC, AVX-512)."
    )
    verbs = list(dict.fromkeys(verb for p in points for verb in p["costs"]))
    made = []
    for what, name, title, unit in (
        (0, "growth-seconds", "Processor time by bins and tracks", " s"),
        (1, "growth-memory", "Peak memory by bins and tracks", " MiB"),
    ):
        rows = []
        for verb in verbs:
            coefficients, rms, worst, left_out, plan, n = law(points, verb, what)
            shown = duration(plan) if what == 0 else memory(plan)
            if verb == "train, default model":
                # Trained on a core, and its least squares see a limited number of rows.
                shown = None
            rows.append([verb, law_text(coefficients, unit), n, percent(rms), percent(worst), f"{100 * left_out:+.0f} %", shown])
        made.append({
            "name": name, "title": title, "date": date, "command": command,
            "note": note + " The last column is an extrapolation to 124 million bins and 4,000 tracks and was not"
            " measured.",
            "columns": ["verb", "law", "points", "error, root mean square", "error, greatest",
                        "at the largest point when left out", "extrapolated"],
            "rows": rows,
        })
        rows = []
        for p in sorted(points, key=lambda p: (p["bins"], p["tracks"])):
            rows.append([p["bins"], p["tracks"]] + [
                float(digits(p["costs"][v][what], 3)) if v in p["costs"] else None for v in verbs
            ])
        made.append({
            "name": f"{name}-points", "title": f"{title}: what was measured", "date": date, "command": command,
            "note": note + " In " + ("processor seconds" if what == 0 else "MiB") + ".",
            "columns": ["verb"] + [f"{p[0]:,} × {p[1]:,}" for p in rows],
            "rows": [[verb] + [row[i + 2] for row in rows] for i, verb in enumerate(verbs)],
        })
    kinds = [("signal", "tracks × bins"), ("model", "bins"), ("index", "bins"), ("factors", "bins")]
    rows = []
    for kind, per in kinds:
        def of(p):
            if kind == "signal":
                return p["bytes"][kind] / (p["bins"] * (p["tracks"] - ASSAYS))
            return p["bytes"][kind] / (p["bins"] - (p.get("core", 0) if kind == "factors" else 0))
        values = sorted((p["bins"], of(p)) for p in points if kind in p["bytes"] and p["bins"] >= 24_000)
        rows.append([kind, per, digits(values[0][1], 3), digits(values[-1][1], 3), f"{values[0][0]:,} to {values[-1][0]:,}"])
    made.append({
        "name": "growth-bytes", "title": "Bytes of disk", "date": date, "command": command,
        "note": "Simulated signal; f32. The model is avocado, preset small; factors are what `extend --shard` writes for a default model.",
        "columns": ["what", "per", "fewest bins", "most bins", "bins"],
        "rows": rows,
    })
    return made


def written(table):
    """A table as docs/results.json writes it: a row a line."""
    text = {key: json.dumps(value, ensure_ascii=False) for key, value in table.items()}
    rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in table["rows"])
    text["rows"] = f"[\n{rows}\n ]"
    return "{\n" + ",\n".join(f' "{key}": {value}' for key, value in text.items()) + "\n}"


def main():
    if sys.argv[1] == "--fit":
        points = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
        made = tables(points, sys.argv[3] if len(sys.argv) > 3 else "undated")
        print(",\n".join(map(written, made)))
        return
    persea, folder = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "points.jsonl"
    done = set()
    if kept.exists():
        done = {(p["bins"], p["tracks"]) for p in map(json.loads, open(kept, encoding="utf-8"))}
    for point in " ".join(sys.argv[3:] or [POINTS]).split():
        n_bins, n_tracks = map(int, point.split("x"))
        if (n_bins, n_tracks) in done:
            continue
        place = folder / point
        shutil.rmtree(place, ignore_errors=True)
        found = measure(persea, place, n_bins, n_tracks)
        with open(kept, "a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        shutil.rmtree(place)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
