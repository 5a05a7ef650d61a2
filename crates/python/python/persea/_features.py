"""A scikit-learn transformer: regions in, features out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ._regions import columns_of

try:
    from sklearn.base import BaseEstimator, TransformerMixin
except ImportError:  # The class works by itself; only pipelines need scikit-learn.

    class BaseEstimator:  # type: ignore[no-redef]
        """Stands in for scikit-learn's where that is not installed."""

    class TransformerMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's where that is not installed."""

        def fit_transform(self, X: Any, y: Any = None) -> Any:
            """Fits and transforms."""
            return self.fit(X, y).transform(X)  # type: ignore[attr-defined]


if TYPE_CHECKING:
    from ._database import Database


class PerseaFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of regions: their mean embedding, the mean signal of tracks, or both.

    Works in a ``Pipeline`` and in cross-validation with workers: the database is opened by path in each.
    Nothing is learned from the regions, so that no fold sees another.

    Args:
        database: A path, or an open database.
        features: ``"embedding"``, ``"signal"`` or ``"embedding+signal"``.
        model: The model of the embedding; the default one if ``None``.
        tracks: (biosample, assay) pairs of the signal; all tracks if ``None``.
    """

    def __init__(
        self,
        database: Any,
        features: Literal["embedding", "signal", "embedding+signal"] = "embedding",
        model: str | None = None,
        tracks: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        self.database = database
        self.features = features
        self.model = model
        self.tracks = tracks

    def _open(self) -> Database:
        from ._database import Database

        if isinstance(self.database, (str, os.PathLike)):
            opened = getattr(self, "_opened", None)
            if opened is None or opened.closed:
                self._opened = opened = Database(self.database)
            return opened
        database: Database = self.database
        return database

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("_opened", None)
        return state

    def fit(self, X: Any, y: Any = None) -> PerseaFeatures:
        """Checks the settings. ``X`` is regions of any form that ``Database.places`` takes."""
        parts = self._parts()
        database = self._open()
        names: list[str] = []
        if "embedding" in parts:
            widths = database._inner.widths(self.model)
            for scale, width in zip(["25bp", "250bp", "5kbp"], widths, strict=True):
                names += [f"{scale}_{i}" for i in range(width)]
        self.tracks_ = self._tracks(database) if "signal" in parts else []
        names += [f"{biosample}:{assay}" for biosample, assay in self.tracks_]
        self.feature_names_ = np.array(names, dtype=object)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """The features of regions, ``[regions, features]``; signal is arcsinh, NaN where a track has no data."""
        parts = self._parts()
        database = self._open()
        regions = database.places(_listed(X))
        blocks = []
        if "embedding" in parts:
            blocks.append(database.mean_embeddings(regions, model=self.model))
        if "signal" in parts:
            tracks = getattr(self, "tracks_", None) or self._tracks(database)
            blocks.append(database.mean_signals(regions, tracks))
        return np.hstack(blocks)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """The names of the features: resolution and number, then biosample:assay."""
        return self.feature_names_

    def _tracks(self, database: Database) -> list[tuple[str, str]]:
        if self.tracks is not None:
            return [(str(biosample), str(assay)) for biosample, assay in self.tracks]
        table = database.tracks()
        return list(zip(table["biosample"], table["assay"], strict=True))

    def _parts(self) -> list[str]:
        parts = self.features.split("+")
        if not parts or not set(parts) <= {"embedding", "signal"}:
            raise ValueError(
                f"features is embedding, signal or embedding+signal, not {self.features!r}"
            )
        return parts

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "feature_names_")


def _listed(regions: Any) -> Any:
    """Arrays that scikit-learn has cut out of a list of regions, as a list."""
    if isinstance(regions, np.ndarray) and columns_of(regions) is None:
        return [tuple(row) if isinstance(row, np.ndarray) else row for row in regions]
    return regions
