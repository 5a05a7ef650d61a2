"""A PyTorch data set of regions with signal and embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._optional import needed

if TYPE_CHECKING:
    from ._database import Database
    from ._regions import Regions


def dataset(
    database: Database,
    regions: Regions,
    tracks: Sequence[tuple[str, str]],
    width: int | None,
    model: str | None,
) -> Any:
    """One item per region: ``signal`` ``[tracks, bins]`` (stored, arcsinh; NaN without data) and ``embedding``
    ``[factors]``, the region's mean. With ``width`` (bp), signal is of a window of that width around the
    region's middle, so that items can be batched. Workers of a ``DataLoader`` need the start method ``spawn``
    or ``forkserver``.
    """
    torch = needed("torch")
    places = database.places(regions)
    windows = places
    if width is not None:
        bins = max(1, round(width / 25))
        firsts = [max(0, (start + end) // 50 - bins // 2) for _, start, end in places]
        windows = [
            (chrom, 25 * first, 25 * (first + bins))
            for (chrom, _, _), first in zip(places, firsts, strict=True)
        ]
        for window in windows:
            if window[2] > database.chromosomes[window[0]]:
                raise ValueError(f"the window {window} extends beyond its chromosome")
    return _class(torch)(database, places, windows, [tuple(t) for t in tracks], model)


def _class(torch: Any) -> Any:
    global RegionDataset
    if RegionDataset is None:
        base = torch.utils.data.Dataset

        class Made(_Items, base):  # type: ignore[misc, valid-type]
            """Regions with signal and embedding."""

        # Pickled by name, for workers.
        Made.__name__ = Made.__qualname__ = "RegionDataset"
        Made.__module__ = __name__
        RegionDataset = Made
    return RegionDataset


RegionDataset: Any = None


class _Items:
    def __init__(
        self, database: Any, places: Any, windows: Any, tracks: Any, model: str | None
    ) -> None:
        self.database, self.places, self.windows = database, places, windows
        self.tracks, self.model = tracks, model

    def __len__(self) -> int:
        return len(self.places)

    def __reduce__(self) -> Any:
        parts = (self.database, self.places, self.windows, self.tracks, self.model)
        return (_rebuilt, parts)

    def __getitem__(self, i: int) -> dict[str, Any]:
        torch = needed("torch")
        if not 0 <= i < len(self.places):
            raise IndexError(i)
        signals = [self.database.signal(self.windows[i], *track) for track in self.tracks]
        embedding = self.database.mean_embeddings([self.places[i]], model=self.model)[0]
        return {
            "signal": torch.from_numpy(np.stack(signals)) if signals else torch.empty(0),
            "embedding": torch.from_numpy(embedding),
        }


def _rebuilt(*parts: Any) -> Any:
    return _class(needed("torch"))(*parts)
