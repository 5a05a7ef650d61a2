"""Persea: an embedded database of the epigenome's learned representation.

``persea.open(path)`` opens a database, ``persea.create(path, ...)`` makes one::

    import persea

    with persea.open("pilot.persea") as database:
        hits = database.similar("VPS72", k=20)
        print(hits.to_pandas())

Intervals given as tuples or tables are 0-based and half-open, as in BED. Texts such as
``"chr1:1,000-2,000"`` are 1-based and inclusive, as in a genome browser. Bins are 25 bp.
"""

from typing import TYPE_CHECKING, Any

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
from ._persea import __version__
from ._table import Table

if TYPE_CHECKING:
    from ._features import PerseaFeatures

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


def __getattr__(name: str) -> Any:
    # scikit-learn takes ten times as long to import as all else.
    if name == "PerseaFeatures":
        from ._features import PerseaFeatures

        return PerseaFeatures
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
