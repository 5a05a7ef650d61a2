"""An open database."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _commands, _persea
from ._progress import Progress
from ._regions import Place, Region, Regions, is_place, labelled, place, places
from ._table import Table
from ._verbs import Verbs

Floats: TypeAlias = "npt.NDArray[np.float32]"
Resolution: TypeAlias = Literal["25bp", "250bp", "5kbp"]
Metric: TypeAlias = Literal["euclidean", "network", "cosine"]
Scale: TypeAlias = Literal["arcsinh", "signal"]
Order: TypeAlias = Literal["C", "F"]
PathLike: TypeAlias = "str | os.PathLike[str]"


def open(path: PathLike) -> Database:  # noqa: A001
    """Opens a database directory.

    Raises:
        StoreError: If there is none, it is damaged, or a newer Persea wrote it.
        ForkError: In a process that was forked from one that had used Persea.
    """
    return Database(path)


def create(path: PathLike, **options: Any) -> Database:
    """Makes a new database and opens it.

    Args:
        path: The new directory, by custom ``NAME.persea``.
        options: As of ``persea create``: ``assembly`` (hg19, hg38 …), ``regions`` (a BED file or a table; whole
            chromosomes if left out), ``chromosomes``, ``genes`` (GTF, GFF3 or BED), ``enhancers``, ``mask``.

    Raises:
        StoreError: If something of that name exists.
    """
    _commands.run("create", db=path, **options)
    return Database(path)


class Database(Verbs):
    """An open database. It may be shared by threads, and pickled: the copy opens the same path.

    Every command of the program is a method, with the command's words joined by underscores:
    ``task_run``, ``select_biosamples``, ``export_embedding``. Use it in a ``with`` block, or call ``close``.
    """

    def __init__(self, path: PathLike) -> None:
        self._inner = _persea.Database(os.fspath(path))

    # The handle.

    @property
    def path(self) -> str:
        """The directory, as an absolute path."""
        return self._inner.path

    @property
    def closed(self) -> bool:
        """Whether ``close`` has been called."""
        return self._inner.closed

    def close(self) -> None:
        """Closes the database. Calls in other threads end first; arrays that were returned stay valid."""
        self._inner.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[[PathLike], Database], tuple[str]]:
        if self.closed:
            raise _persea.ClosedError("a closed database cannot be pickled")
        return (open, (self.path,))

    def __repr__(self) -> str:
        return f"<persea.Database {self.path}{' (closed)' if self.closed else ''}>"

    def _run(self, *words: object, progress: Progress = None, **options: Any) -> Any:
        if self.closed:
            raise _persea.ClosedError(f"the database {self.path} has been closed")
        return _commands.run(*words, db=self.path, progress=progress, **options)

    # What it holds.

    @property
    def assembly(self) -> str:
        """The name of the genome assembly."""
        return self._inner.assembly

    @property
    def n_bins(self) -> int:
        """The number of 25 bp bins of the covered regions."""
        return self._inner.n_bins

    @property
    def is_read_only(self) -> bool:
        """Whether the disk allows reading only."""
        return self._inner.is_read_only

    @property
    def chromosomes(self) -> dict[str, int]:
        """The assembly's chromosomes and their lengths in bp."""
        return dict(self._inner.chromosomes())

    def regions(self, model: str | None = None) -> Table:
        """The covered regions, of the database or of a model: name, chrom, start, end, n_bins."""
        return Table(self._inner.regions(model))

    def tracks(self) -> Table:
        """All tracks. Mean, variance and maximum are of the stored (arcsinh) values, over bins with data."""
        return Table(self._inner.tracks())

    def genes(self) -> Table:
        """The genes: gene_id, name, chrom, start, end, strand, tss (0-based)."""
        return Table(self._inner.genes())

    def biosamples(self) -> Table:
        """The biosamples, with their metadata."""
        return Table(self._inner.biosamples())

    def assays(self) -> Table:
        """The assays, with their metadata."""
        return Table(self._inner.assays())

    def models(self) -> Table:
        """The models; ``is_default`` marks the one that is used where none is named."""
        return Table(self._inner.models())

    def tasks(self) -> Table:
        """The stored tasks."""
        return Table(self._inner.tasks())

    def runs(self) -> Table:
        """The stored runs of tasks; settings and result as JSON texts."""
        return Table(self._inner.runs())

    def labels(self, task: str, biosample: str) -> Table:
        """A task's examples with one biosample's labels, NaN where an example has none."""
        return Table(self._inner.labels(task, biosample))

    # Places.

    def locate(self, text: str, *, part: Literal["promoter", "body", "tss"] = "body") -> Place:
        """The place of a region (``"chr1:1,000-2,000"``, ``"chr1"``) or of a gene, 0-based and half-open."""
        return self._inner.locate(text, part)

    def places(
        self, regions: Regions, *, part: Literal["promoter", "body", "tss"] = "body"
    ) -> list[Place]:
        """Regions of any form as (chrom, start, end), 0-based and half-open.

        Takes texts, genes, tuples, tables with chrom, start and end (pandas, polars, bioframe, pyranges) and
        BED files.
        """
        return places(regions, lambda text: self._inner.locate(text, part))

    def bins(
        self, region: Region, *, resolution: Resolution = "25bp", model: str | None = None
    ) -> Table:
        """Where the rows of ``factors`` and ``embedding`` lie: chrom, start, end."""
        return Table(self._inner.bins(self._place(region), resolution, model))

    def _place(self, region: Region) -> Place:
        return place(region, lambda text: self._inner.locate(text, "body"))

    # Numbers.

    def embedding(
        self,
        region: Region,
        *,
        model: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        order: Order = "C",
    ) -> npt.NDArray[Any]:
        """The embedding of each 25 bp bin that a region touches, ``[bins, factors]``.

        The factors at 25 bp, 250 bp and 5 kbp side by side: a new array, since the index keeps each
        resolution once. ``factors`` gives 250 bp and 5 kbp without a copy. Rows are the covered bins;
        ``bins`` says where they lie.
        """
        return _as(self._inner.embedding(self._place(region), model), dtype, order)

    def factors(
        self,
        region: Region,
        *,
        resolution: Resolution = "250bp",
        model: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        order: Order = "C",
    ) -> npt.NDArray[Any]:
        """The factors of the rows of a resolution that a region touches, ``[rows, factors]``.

        At 250 bp and 5 kbp, as float32 in C order and within one covered region, this is a read-only view of
        the memory-mapped index. At 25 bp it is a copy: the index keeps these rows transposed, for search.
        A block's checksum is verified when it is first touched.
        """
        return _as(self._inner.factors(self._place(region), resolution, model), dtype, order)

    def mean_embeddings(self, regions: Regions, *, model: str | None = None) -> Floats:
        """The mean embedding of each region, ``[regions, factors]``."""
        return np.asarray(self._inner.mean_embeddings(self.places(regions), model))

    def signal(
        self, region: Region, biosample: str, assay: str, *, scale: Scale = "arcsinh"
    ) -> Floats:
        """A track's signal in every 25 bp bin that a region touches, ``[bins]``.

        NaN in bins without data, or outside the covered regions. ``scale="arcsinh"`` is as stored,
        ``"signal"`` in the units of the track's file.
        """
        if scale not in ("arcsinh", "signal"):
            raise ValueError(f"scale is arcsinh or signal, not {scale!r}")
        invert = scale == "signal"
        return np.asarray(self._inner.signal(self._place(region), biosample, assay, invert))

    def mean_signals(self, regions: Regions, tracks: Sequence[tuple[str, str]]) -> Floats:
        """The mean stored (arcsinh) signal of tracks (biosample, assay) over regions, ``[regions, tracks]``."""
        named = [(str(biosample), str(assay)) for biosample, assay in tracks]
        return np.asarray(self._inner.mean_signals(self.places(regions), named))

    def biosample_factors(self, model: str | None = None) -> tuple[list[str], Floats]:
        """A model's biosamples and their factors, ``[biosamples, factors]``."""
        names, factors = self._inner.sample_factors(False, model)
        return names, np.asarray(factors)

    def assay_factors(self, model: str | None = None) -> tuple[list[str], Floats]:
        """A model's assays and their factors, ``[assays, factors]``."""
        names, factors = self._inner.sample_factors(True, model)
        return names, np.asarray(factors)

    # Search.

    def similar(
        self,
        query: Regions | npt.ArrayLike,
        *,
        k: int = 10,
        model: str | None = None,
        metric: Metric = "euclidean",
        exclude: int | None = 50_000,
        spread: Literal["250bp", "5kbp"] | None = "5kbp",
        resolution: Resolution | None = None,
        align: bool = False,
        part: Literal["promoter", "body", "tss"] = "promoter",
        chromosomes: Sequence[str] = (),
        inside: Regions | None = None,
        outside: Regions = (),
        labels: Sequence[tuple[Regions, str | Sequence[str]]] = (),
        not_labels: Sequence[tuple[Regions, str | Sequence[str]]] = (),
        tss_within: int | None = None,
        classes: Sequence[str] = (),
        not_classes: Sequence[str] = (),
        include_masked: bool = False,
        weights: Mapping[str, float] | None = None,
        explain: bool = False,
    ) -> Table:
        """The places that resemble each query, nearest first; exact.

        Args:
            query: A gene, a region or a position (``"chr1:151,200,000"``), several as a list, a table or a BED
                file, or embeddings, ``[factors]`` or ``[queries, factors]``. A region is compared by its mean
                embedding.
            k: Hits per query.
            metric: ``euclidean`` and ``network`` distances are not squared; ``cosine`` is one minus the cosine.
            exclude: No hit within so many bp of the query; ``None`` allows the query itself.
            spread: At most one hit per row of this width.
            resolution: Width of a hit; by default one that fits the query.
            align: Compare a region bin by bin, on both strands, by the sum of distances.
            part: Part of a gene that is compared.
            chromosomes, inside, outside, tss_within, classes, not_classes: Limits on the hits.
            labels: Pairs of labelled intervals (a BED file whose fourth column has the labels, or a table with a
                column ``label`` or ``name``) and labels: a hit overlaps an interval with one of them; of several
                pairs all hold.
            not_labels: As ``labels``; a hit overlaps none of these intervals.
            include_masked: Allow hits in the mask, where the model was not trained.
            weights: How much resolutions (``5kbp``, ``250bp``, ``25bp``) and assays count in the squared distance; 1
                for those that are not named.
            explain: Add what makes the distance; ``similar_shares`` gives it in full.

        Returns:
            query (its number), rank, chrom, start, end, distance, percentile (of 100 random pairs of positions, how many
            are as near; 1 or more at rank 1 is no close match; none if aligned), strand (if aligned), nearest_tss (a
            gene), nearest_tss_id, tss_distance (bp, negative upstream), in_gene (genes whose body contains the middle of
            the hit), annotation. With ``explain`` also the resolutions' shares of the squared distance (share_5kbp,
            share_250bp, share_25bp, which add up to 1) and, in words, the assays and biosamples of the largest shares
            and those that agree (assays_apart, assays_alike, biosamples_apart, biosamples_alike).

        Raises:
            SearchError: If a gene is unknown, the limits allow nothing, or ``explain`` is asked of a metric or a model
                whose distances have no shares: it needs the metric ``euclidean`` and a model with an encoder.
            GenomeError: If no part of a query is covered.
            ValueError: If there is no such label.
        """
        request = self._request(
            query,
            part,
            k=k,
            metric=metric,
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            align=align,
            chromosomes=list(chromosomes),
            inside=None if inside is None else self.places(inside),
            outside=[*self.places(outside), *(p for pair in not_labels for p in labelled(*pair))],
            labelled=[labelled(*pair) for pair in labels],
            tss_within=tss_within,
            classes=list(classes),
            not_classes=list(not_classes),
            include_masked=include_masked,
            weights=[(name, float(weight)) for name, weight in (weights or {}).items()],
            explain=explain,
        )
        return Table(self._inner.similar(request, model))

    def similar_shares(
        self,
        query: Regions | npt.ArrayLike,
        *,
        by: Literal["assay", "biosample", "track", "resolution"] = "assay",
        k: int = 10,
        model: str | None = None,
        exclude: int | None = 50_000,
        spread: Literal["250bp", "5kbp"] | None = "5kbp",
        resolution: Resolution | None = None,
        part: Literal["promoter", "body", "tss"] = "promoter",
        weights: Mapping[str, float] | None = None,
    ) -> Table:
        """What makes the distances of the hits that ``similar`` finds with the same arguments.

        Returns:
            A row for each assay, biosample, track or resolution of each hit: query, rank, its name or names, share (of
            the squared distance; a hit's add up to 1), query_signal and hit_signal (mean stored signal; for an assay or
            a biosample over its tracks with data at both), agreement (for an assay or a biosample: how many standard
            deviations from the mean both lie, where they lie alike). A hit that is the same as the query has no rows.

        Raises:
            SearchError: As ``similar`` with ``explain``.
        """
        request = self._request(
            query,
            part,
            k=k,
            metric="euclidean",
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            align=False,
            chromosomes=[],
            inside=None,
            outside=[],
            labelled=[],
            tss_within=None,
            classes=[],
            not_classes=[],
            include_masked=False,
            weights=[(name, float(weight)) for name, weight in (weights or {}).items()],
            explain=True,
        )
        return Table(self._inner.shares(request, by, model))

    def _request(
        self, query: Any, part: Literal["promoter", "body", "tss"], **options: Any
    ) -> dict[str, Any]:
        request = {"places": [], "is_position": False, "vectors": [], **options}
        if _is_numbers(query):
            vectors = np.atleast_2d(np.asarray(query, dtype=np.float32))
            request["vectors"] = vectors.tolist()
        else:
            request["places"] = found = self.places(query, part=part)
            request["is_position"] = all(end - start == 1 for _, start, end in found)
        return request

    # Other packages.

    def anndata(self, region: Region, *, model: str | None = None) -> Any:
        """A compendium as ``anndata.AnnData``: biosamples × assays at a region.

        ``X`` is the mean stored signal, ``[biosamples, assays]``, NaN where there is no track. ``obs`` and
        ``var`` have the metadata, ``obsm["persea"]`` and ``varm["persea"]`` the factors of the model, if there
        is one.
        """
        from ._frames import anndata

        return anndata(self, region, model)

    def xarray(self) -> Any:
        """``signal.zarr`` as an ``xarray.Dataset``: one lazy variable per track along the axis ``bin``."""
        from ._frames import xarray

        return xarray(self)

    def torch_dataset(
        self,
        regions: Regions,
        tracks: Sequence[tuple[str, str]],
        *,
        width: int | None = None,
        model: str | None = None,
    ) -> Any:
        """A ``torch.utils.data.Dataset`` of regions with signal and embedding; see ``persea._dataset``."""
        from ._dataset import dataset

        return dataset(self, regions, tracks, width, model)


def _is_numbers(query: Any) -> bool:
    if isinstance(query, np.ndarray):
        return bool(query.dtype.kind == "f")
    return (
        isinstance(query, (list, tuple))
        and bool(query)
        and not is_place(query)
        and all(isinstance(value, (float, np.floating)) for value in query)
    )


def _as(array: _persea.Array, dtype: npt.DTypeLike, order: Order) -> npt.NDArray[Any]:
    return np.asarray(np.asarray(array), dtype=dtype, order=order)
