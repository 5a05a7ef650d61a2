"""Persea: an embedded database of the epigenome's learned representation.

``persea.open(path)`` opens a database, ``persea.create(path, ...)`` makes one::

    import persea

    with persea.open("pilot.persea") as database:
        hits = database.similar("VPS72", k=20)
        print(hits.to_pandas())

Intervals given as tuples or tables are 0-based and half-open, as in BED. Texts such as
``"chr1:1,000-2,000"`` are 1-based and inclusive, as in a genome browser. Bins are 25 bp.
"""

from ._commands import demo, run, simulate
from ._database import Database, create, open
from ._errors import (
    BackendError,
    BugError,
    ClosedError,
    CompendiumError,
    EvaluationError,
    FactorizationError,
    FileError,
    ForkError,
    FormatError,
    GenomeError,
    ImputationError,
    IncompleteError,
    LociError,
    ModelError,
    PerseaError,
    PlotError,
    ProjectionError,
    SearchError,
    SelectionError,
    SimulationError,
    StoreError,
    TaskError,
    UsageError,
)
from ._features import PerseaFeatures
from ._persea import __version__
from ._table import Table

__all__ = [
    "BackendError",
    "BugError",
    "ClosedError",
    "CompendiumError",
    "Database",
    "EvaluationError",
    "FactorizationError",
    "FileError",
    "ForkError",
    "FormatError",
    "GenomeError",
    "ImputationError",
    "IncompleteError",
    "LociError",
    "ModelError",
    "PerseaError",
    "PerseaFeatures",
    "PlotError",
    "ProjectionError",
    "SearchError",
    "SelectionError",
    "SimulationError",
    "StoreError",
    "Table",
    "TaskError",
    "UsageError",
    "__version__",
    "create",
    "demo",
    "open",
    "run",
    "simulate",
]
