"""AnnData and xarray over a database."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._errors import PerseaError
from ._optional import needed

if TYPE_CHECKING:
    from ._database import Database
    from ._regions import Region


def anndata(database: Database, region: Region, model: str | None) -> Any:
    """Biosamples × assays at a region."""
    package = needed("anndata")
    obs = database.biosamples().to_pandas().set_index("name")
    var = database.assays().to_pandas().set_index("name")
    measured = database.tracks()
    tracks = list(zip(measured["biosample"], measured["assay"], strict=True))
    place = database.places([region])
    means = database.mean_signals(place, tracks)[0]
    values = np.full((len(obs), len(var)), np.nan, dtype=np.float32)
    for (biosample, assay), mean in zip(tracks, means, strict=True):
        values[obs.index.get_loc(biosample), var.index.get_loc(assay)] = mean
    made = package.AnnData(values, obs=obs, var=var)
    chrom, start, end = place[0]
    made.uns["persea"] = {"region": f"{chrom}:{start}-{end}", "assembly": database.assembly}
    if model is None and len(database.models()) == 0:
        return made
    for names, factors, index, into in [
        (*database.biosample_factors(model), obs.index, made.obsm),
        (*database.assay_factors(model), var.index, made.varm),
    ]:
        rows = {name: row for name, row in zip(names, factors, strict=True)}
        missing = np.full(factors.shape[1], np.nan, dtype=np.float32)
        into["persea"] = np.array([rows.get(name, missing) for name in index])
    return made


def xarray(database: Database) -> Any:
    """The stored tracks along the axis, lazily."""
    package = needed("xarray")
    needed("zarr")
    folder = Path(database.path) / "signal.zarr"
    if not (folder / "zarr.json").exists():
        raise PerseaError(f"{folder} has no zarr.json")
    made = package.open_zarr(folder, consolidated=False)
    regions = database.regions()
    starts = list(itertools.accumulate(regions["n_bins"], initial=0))[:-1]
    return made.assign_attrs(
        assembly=database.assembly,
        regions=[
            f"{chrom}:{start}-{end} from bin {first}"
            for chrom, start, end, first in zip(
                regions["chrom"], regions["start"], regions["end"], starts, strict=True
            )
        ],
    )
