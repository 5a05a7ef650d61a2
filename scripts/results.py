#!/usr/bin/env python3
"""Fills the tables of README.md and of the book from docs/results.json: results.py [--check]

A table stands between two comments:

    <!-- table: NAME; columns: a | b; rows: x | y; brief -->
    <!-- end table -->

`columns` and `rows` (by the first column) choose a part of the table; `brief` leaves the caption out.
With --check nothing is written: the exit status is 1 if a page disagrees with docs/results.json, if a
table lacks its date or command, or if no page shows it.
"""

import json
import re
import sys
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = re.compile(r"<!-- table: (?P<spec>[^>]*?) -->\n.*?<!-- end table -->", re.S)


def cell(value):
    """A number, [value, standard error], [value, low, high], text, or nothing."""
    if value is None:
        return ""
    if isinstance(value, list):
        if len(value) == 2:
            return f"{value[0]} ± {value[1]}"
        return f"{value[0]} ({value[1]} to {value[2]})"
    if isinstance(value, int) and abs(value) >= 1_000:
        return f"{value:,}"
    return str(value).replace("|", "\\|")


def paired(tables):
    """Differences by track between the model and each competitor, from the scores by track."""
    source = tables["pilot-tracks"]
    column = {name: i for i, name in enumerate(source["columns"])}
    rows = []
    for measure in ("mse", "mse1obs"):
        others = [c for c in source["columns"] if c.startswith(measure + ", ")]
        for other in others:
            pairs = [(r[column[measure]], r[column[other]]) for r in source["rows"]]
            mean = sum(a - b for a, b in pairs) / len(pairs)
            wins = sum(a < b for a, b in pairs)
            rows.append([measure, other.split(", ")[1], round(mean, 4), f"{wins} of {len(pairs)}"])
    return {
        "name": "pilot-paired",
        "title": "Paired differences by track",
        "date": source["date"],
        "command": source["command"],
        "note": "persea minus the competitor, mean over tracks; tracks share biosamples and assays and are not"
        " independent",
        "columns": ["measure", "competitor", "mean difference", "lower on"],
        "rows": rows,
    }


def load():
    with open(ROOT / "docs/results.json", encoding="utf-8") as file:
        listed = json.load(file, parse_float=Decimal)["tables"]
    tables = {}
    for table in listed:
        name = table["name"]
        for field in ("title", "date", "command", "columns", "rows"):
            if not table.get(field):
                sys.exit(f"docs/results.json: table {name} has no {field}")
        if name in tables:
            sys.exit(f"docs/results.json: two tables are named {name}")
        if any(len(row) != len(table["columns"]) for row in table["rows"]):
            sys.exit(f"docs/results.json: a row of {name} has not as many cells as there are columns")
        tables[name] = table
    if "pilot-paired" not in tables:
        tables["pilot-paired"] = paired(tables)
    return tables


def sentence(text):
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def render(spec, tables, page):
    parts = [p.strip() for p in spec.split(";")]
    name, options = parts[0], dict((p.split(":", 1) + [""])[:2] for p in parts[1:])
    if name not in tables:
        sys.exit(f"{page}: docs/results.json has no table {name}")
    table = tables[name]
    chosen, rows = list(range(len(table["columns"]))), table["rows"]
    if "columns" in options:
        wanted = [c.strip() for c in options["columns"].split("|")]
        if missing := [w for w in wanted if w not in table["columns"]]:
            sys.exit(f"{page}: table {name} has no column {', '.join(missing)}")
        chosen = [table["columns"].index(c) for c in wanted]
    if "rows" in options:
        wanted = [r.strip() for r in options["rows"].split("|")]
        if missing := set(wanted) - {str(row[0]) for row in rows}:
            sys.exit(f"{page}: table {name} has no row {', '.join(sorted(missing))}")
        rows = [row for w in wanted for row in rows if str(row[0]) == w]
    lines = [f"<!-- table: {spec} -->"]
    if "brief" not in options:
        caption = f"**{table['title']}.** Measured on {table['date']} with `{table['command']}`."
        for field in ("note", "machine"):
            if table.get(field):
                caption += " " + sentence(table[field])
        lines += [caption, ""]
    lines.append("| " + " | ".join(table["columns"][i] for i in chosen) + " |")
    lines.append("|" + "---|" * len(chosen))
    for row in rows:
        lines.append("| " + " | ".join(cell(row[i]) for i in chosen) + " |")
    lines.append("<!-- end table -->")
    return name, "\n".join(lines)


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    tables, shown, stale = load(), set(), []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs/src").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")

        def fill(match):
            name, rendered = render(match["spec"], tables, page.relative_to(ROOT))
            shown.add(name)
            return rendered

        filled = MARKER.sub(fill, text)
        if text.count("<!-- table: ") != len(MARKER.findall(text)):
            sys.exit(f"{page.relative_to(ROOT)}: a table has no end")
        if filled != text:
            stale.append(str(page.relative_to(ROOT)))
            if not check:
                page.write_text(filled, encoding="utf-8")
    unused = sorted(set(tables) - shown)
    if unused:
        print(f"results: no page shows {', '.join(unused)}", file=sys.stderr)
    if check and stale:
        print(f"results: run scripts/results.py: {', '.join(stale)} disagree", file=sys.stderr)
    sys.exit(bool(unused or (check and stale)))


if __name__ == "__main__":
    main()
