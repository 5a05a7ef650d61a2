"""Places as people have them: texts, tuples, tables with chrom, start and end, BED files."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str, int, int]
#: One place: a region or gene as text, or chromosome, start and end (0-based, half-open).
Region: TypeAlias = "str | tuple[str, int, int]"
#: Several: a list, a table with chrom, start and end (pandas, polars, bioframe, pyranges), a BED file.
Regions: TypeAlias = "Iterable[Region] | os.PathLike[str] | Any"

#: Names of the three columns: this package's and bioframe's, UCSC's, pyranges'.
COLUMNS = [("chrom", "start", "end"), ("chrom", "chromStart", "chromEnd"), ("Chromosome", "Start", "End")]


def columns_of(table: Any) -> tuple[str, str, str] | None:
    """The names of a table's columns of places; nothing if it is no table of places."""
    if isinstance(table, (str, bytes, list, tuple)):
        return None
    names = getattr(table, "columns", None)
    if names is None:
        return None
    found = {str(name) for name in names}
    for wanted in COLUMNS:
        if found.issuperset(wanted):
            return wanted
    raise ValueError(
        f"the table has no columns chrom, start and end (0-based, half-open); it has {', '.join(sorted(found))}"
    )


def places(regions: Regions, locate: Callable[[str], Place]) -> list[Place]:
    """The places of any of the forms, in order."""
    if isinstance(regions, str):
        if regions.endswith((".bed", ".bed.gz")):
            return read_bed(regions)
        return [locate(regions)]
    if isinstance(regions, os.PathLike):
        return read_bed(regions)
    named = columns_of(regions)
    if named is not None:
        table: Any = regions
        chrom, start, end = (list(table[name]) for name in named)
        return [(str(c), int(s), int(e)) for c, s, e in zip(chrom, start, end, strict=True)]
    if is_place(regions):
        one: Any = regions
        return [place(one, locate)]
    return [place(region, locate) for region in regions]


def is_place(value: Any) -> bool:
    """Whether a value is one place as a tuple."""
    return isinstance(value, tuple) and len(value) == 3 and not isinstance(value[1], (str, tuple))


def place(region: Region, locate: Callable[[str], Place]) -> Place:
    """One place."""
    if isinstance(region, str):
        return locate(region)
    try:
        chrom, start, end = region
        return (str(chrom), int(start), int(end))
    except (TypeError, ValueError) as error:
        message = f"{region!r} is no region; write (chrom, start, end) or 'chr1:1,000-2,000'"
        raise ValueError(message) from error


def read_bed(path: str | os.PathLike[str]) -> list[Place]:
    """The intervals of a BED file, plain or gzipped."""
    return [found for found, _ in _lines_of_bed(Path(path))]


def _lines_of_bed(path: Path) -> Iterator[tuple[Place, str | None]]:
    """The intervals of a BED file with the names in its fourth column."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            fields = line.split()
            try:
                found = (fields[0], int(fields[1]), int(fields[2]))
            except (IndexError, ValueError) as error:
                message = f"{path}, line {number}: no chromosome, start and end; BED has them first"
                raise ValueError(message) from error
            yield found, fields[3] if len(fields) > 3 else None


#: Names of the column of labels: this package's and bioframe's, pyranges'.
LABELS = ("label", "name", "Name")


def labelled(regions: Regions, labels: str | Sequence[str]) -> list[Place]:
    """The intervals of a BED file (column 4) or of a table (column label or name) with one of some labels."""
    wanted = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if isinstance(regions, (str, os.PathLike)):
        what, rows = f"the file {regions}", list(_lines_of_bed(Path(regions)))
    else:
        table: Any = regions
        named = columns_of(table)
        column = next((c for c in LABELS if named is not None and c in table.columns), None)
        if named is None or column is None:
            raise ValueError(
                "labels are those of a BED file's column 4, or of a table's column label or name"
            )
        chrom, start, end, label = (list(table[name]) for name in (*named, column))
        what, rows = "the table", [
            ((str(c), int(s), int(e)), str(name))
            for c, s, e, name in zip(chrom, start, end, label, strict=True)
        ]
    known = sorted({name for _, name in rows if name is not None})
    for name in wanted:
        if name not in known:
            there = f"its {len(known)} labels: {', '.join(known[:20])}" if known else "it has none"
            raise ValueError(f"{what} has no interval with the label {name!r}; {there}")
    return [found for found, name in rows if name in wanted]


def write_bed(table: Any, path: Path) -> None:
    """Writes a table of places as a BED file."""
    with path.open("w") as file:
        for chrom, start, end in places(table, lambda text: (text, 0, 0)):
            file.write(f"{chrom}\t{start}\t{end}\n")
