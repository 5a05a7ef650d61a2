"""Every command of the program as a method. Written by scripts/python_verbs.py; do not edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from ._progress import Progress

#: A path, or a table with chrom, start and end that stands for a BED file.
File: TypeAlias = "str | os.PathLike[str] | Any"


class Verbs:
    """The commands. Options that are ``None`` have the program's default."""

    def _run(self, *words: object, progress: Progress = None, **options: Any) -> Any:
        raise NotImplementedError

    def ingest(
        self,
        manifest: File | None = None,
        *,
        columns: str | None = None,
        values: Literal["f32", "u16"] | None = None,
        step: str | None = None,
        normalise: bool | None = None,
        shard: str | None = None,
        replicates: Literal["error", "mean"] | None = None,
        encode: str | None = None,
        files: File | None = None,
        output_type: str | None = None,
        prefer: Literal["none", "newest"] | None = None,
        dry_run: bool | None = None,
        metadata: File | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Read the tracks listed in a manifest into the database.

        The manifest is a CSV or TSV with a header: biosample, assay, path (relative to the manifest, or an
        http(s) URL), and optionally format, transform (arcsinh or none), multiplier, unit, missing (what an
        uncovered base counts as: zero, or missing). Without `missing` what a bigWig or bedGraph does not
        cover has no data, and so has a sequence that a file lacks; between called peaks it is 0. A bin
        without data is left out of training, averages and scores. Tracks that are already stored are
        skipped, or replaced if their file has changed. With --normalise the background and the peaks of
        each track are brought to the reference of its assay, by a power law of two parameters. Impute
        writes the signal of an experiment that was measured on its own scale again, and that of one that
        was not measured on the reference's. With --encode the manifest is ENCODE's own table: of each
        experiment the released bigWigs of one output type, of the database's assembly, of the newest
        analysis and of most replicates are taken. It prints what it took, and of each other file why it was
        left.

        Args:
            manifest: Manifest.
            columns: Names of the manifest's columns, if different: biosample=cell,path=file.
            values: How values are stored: f32, exactly, or u16, as counts of --step in half the space. Kept
                by later ingests that do not give it; f32 for new tracks.
            step: Step of --values u16, as 1/N with N a power of two: of arcsinh, where a track is
                transformed. A value is stored to half a step; 0 and missing bins exactly. 1/512 if not
                given.
            normalise: Bring the background and the peaks of each track to its assay's, the medians of its
                tracks (three at least). Tracks that come later are brought to the same reference without
                this option. Without a manifest all tracks of the database are normalised.
            shard: Part of the manifest's tracks to read, as I/N: 1/4 to 4/4 for four databases, which
                `persea merge` joins.
            replicates: How to treat several files of one experiment [default: error].
            encode: ENCODE's table of files (metadata.tsv of a search of the portal), in place of a
                manifest.
            files: Folder of local copies named by accession; files that it lacks are fetched into it. By
                default the folder of the table.
            output_type: Output type to take, such as "fold change over control"; by default signal p-value,
                and read-depth normalized signal for assays that have no p-value.
            prefer: Which of several experiments of one biosample and assay to take [default: none].
            dry_run: Estimate time and disk, and read nothing; with --encode print the manifest that would
                be used.
            metadata: Table of metadata about biosamples or assays (Roadmap's and IHEC's tables work
                unchanged).
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea ingest``.
        """
        return self._run(
            "ingest",
            manifest,
            progress=progress,
            columns=columns,
            values=values,
            step=step,
            normalise=normalise,
            shard=shard,
            replicates=replicates,
            encode=encode,
            files=files,
            output_type=output_type,
            prefer=prefer,
            dry_run=dry_run,
            metadata=metadata,
            threads=threads,
        )

    def merge(
        self,
        output: File,
        shards: File | Sequence[File],
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Merge databases of one genome axis into one.

        Merges the tracks and what is known of their biosamples and assays. The database OUT is made if it
        does not exist. Every array is read back and compared with its checksums before anything is stored,
        and all tracks are stored at once. A damaged shard, other regions or another annotation, and one
        track with two contents are refused by name. Tracks that OUT has already are left as they are, so
        that a merge may be repeated. Models and other results of shards are not merged.

        Args:
            output: Database directory to merge into.
            shards: Database directories to merge, as `persea ingest --shard` fills them.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea merge``.
        """
        return self._run(
            "merge",
            output,
            *_listed(shards),
            progress=progress,
            threads=threads,
        )

    def track_list(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List all tracks with their source, transform and coverage; mean, variance and maximum are over
        the bins with data. Factor and exponent are those of a normalised track.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea track list``.
        """
        return self._run(
            "track", "list",
            progress=progress,
            threads=threads,
        )

    def track_rename(
        self,
        what: Literal["biosample", "assay"],
        from_: str,
        to: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Rename a biosample or an assay, also in the models that contain it.

        Args:
            what: What to rename: biosample or assay.
            from_: Current name.
            to: New name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea track rename``.
        """
        return self._run(
            "track", "rename",
            what,
            from_,
            to,
            progress=progress,
            threads=threads,
        )

    def track_remove(
        self,
        tracks: str | Sequence[str],
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Remove tracks from the database.

        Args:
            tracks: Experiments as BIOSAMPLE:ASSAY.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea track remove``.
        """
        return self._run(
            "track", "remove",
            *_listed(tracks),
            progress=progress,
            threads=threads,
        )

    def train(
        self,
        *,
        name: str | None = None,
        model: Literal["avocado", "persea"] | None = None,
        preset: Literal["paper", "persea", "small"] | None = None,
        hold: str | Sequence[str] | None = None,
        hold_folds: File | None = None,
        fold: str | None = None,
        validate: str | Sequence[str] | None = None,
        no_validate: bool | None = None,
        passes: int | None = None,
        searches: int | None = None,
        patience: int | None = None,
        sampling: Literal["sequential", "permuted", "random"] | None = None,
        learning_rate: float | None = None,
        schedule: Literal["constant", "cosine"] | None = None,
        clip: str | None = None,
        regions: File | None = None,
        seed: int | None = None,
        backend: Literal["auto", "native", "torch"] | None = None,
        device: str | None = None,
        cache: int | None = None,
        precision: Literal["f32", "f16"] | None = None,
        arithmetic: Literal["f32", "bf16"] | None = None,
        checkpoint_every: int | None = None,
        resume: bool | None = None,
        replace: bool | None = None,
        dry_run: bool | None = None,
        biosample_factors: int | None = None,
        assay_factors: int | None = None,
        factors_25bp: int | None = None,
        factors_250bp: int | None = None,
        factors_5kbp: int | None = None,
        layers: int | None = None,
        nodes: int | None = None,
        batch_size: int | None = None,
        encoder_passes: int | None = None,
        encoder_nodes: int | None = None,
        encoder_inputs: int | None = None,
        members: int | None = None,
        refine_passes: int | None = None,
        refine_nodes: int | None = None,
        peak_weight: str | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Train a model.

        Held-out tracks are never read. Of a model avocado, validation tracks, drawn from the training
        tracks, decide the number of passes, and the final model is trained on all training tracks for that
        many. Of a model persea the numbers of passes are fixed.

        Args:
            name: Name of the model [default: model].
            model: Kind of model [default: persea].
            preset: Sizes of the network [default: persea; for avocado: paper]. A model persea has 16 + 24 +
                24 genome factors whatever the preset, and `small` is the same as `persea`.
            hold: Tracks to hold out; training never reads them: BIOSAMPLE:ASSAY,….
            hold_folds: File of tracks to hold out (columns fold, biosample, assay); choose one with --fold.
            fold: Fold of --hold-folds to hold out.
            validate: Validation tracks, which decide when to stop; by default drawn from the training
                tracks.
            no_validate: Train exactly --passes passes, without validation tracks.
            passes: Passes of the decoder of a model persea [default: 5], or maximum number of passes of a
                model avocado [default: 3/4 of the number of training tracks, at least 20].
            searches: Number of searches for the best number of passes, each with its own validation tracks
                [default: 3].
            patience: Passes without a lower validation error after which a search ends [default: 10].
            sampling: Order in which bins are visited [default: sequential].
            learning_rate: Learning rate of Adam [default: 0.001].
            schedule: Schedule of the learning rate over --passes [default: cosine].
            clip: Maximum norm of a gradient; larger gradients are scaled down.
            regions: BED file of regions to train on; all regions by default.
            seed: Seed of all random choices [default: 0].
            backend: Backend of training [default: auto].
            device: Device: cpu, cuda or cuda:N [default: cpu].
            cache: Maximum memory for signal, in gigabytes [default: 2].
            precision: Storage precision of genome factors [default: f32].
            arithmetic: Number format of the matrix products after the first layer [default: f32].
            checkpoint_every: Interval between checkpoints, in minutes [default: 10].
            resume: Continue from the last checkpoint of this name, with its original options.
            replace: Replace an existing model of this name.
            dry_run: Estimate memory, disk and time, then exit; a few steps are run to measure speed.
            biosample_factors: Number of factors of a biosample.
            assay_factors: Number of factors of an assay.
            factors_25bp: Number of genome factors at 25 bp.
            factors_250bp: Number of genome factors at 250 bp.
            factors_5kbp: Number of genome factors at 5 kbp.
            layers: Number of hidden layers.
            nodes: Units of each hidden layer.
            batch_size: Samples of a training step.
            encoder_passes: Passes of the encoder.
            encoder_nodes: Units of each hidden layer of the encoder.
            encoder_inputs: Maximum number of the encoder's inputs; of more training tracks than this, those
                of an assay that resemble each other are read as one [default: 256].
            members: Number of networks of the refinement; the prediction is their mean.
            refine_passes: Passes of each network of the refinement.
            refine_nodes: Units of each hidden layer of the refinement.
            peak_weight: Weight of errors in the 1 % of bins with the highest observed signal.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea train``.
        """
        return self._run(
            "train",
            progress=progress,
            name=name,
            model=model,
            preset=preset,
            hold=hold,
            hold_folds=hold_folds,
            fold=fold,
            validate=validate,
            no_validate=no_validate,
            passes=passes,
            searches=searches,
            patience=patience,
            sampling=sampling,
            learning_rate=learning_rate,
            schedule=schedule,
            clip=clip,
            regions=regions,
            seed=seed,
            backend=backend,
            device=device,
            cache=cache,
            precision=precision,
            arithmetic=arithmetic,
            checkpoint_every=checkpoint_every,
            resume=resume,
            replace=replace,
            dry_run=dry_run,
            biosample_factors=biosample_factors,
            assay_factors=assay_factors,
            factors_25bp=factors_25bp,
            factors_250bp=factors_250bp,
            factors_5kbp=factors_5kbp,
            layers=layers,
            nodes=nodes,
            batch_size=batch_size,
            encoder_passes=encoder_passes,
            encoder_nodes=encoder_nodes,
            encoder_inputs=encoder_inputs,
            members=members,
            refine_passes=refine_passes,
            refine_nodes=refine_nodes,
            peak_weight=peak_weight,
            threads=threads,
        )

    def extend(
        self,
        *,
        model: str | None = None,
        name: str | None = None,
        biosamples: str | Sequence[str] | None = None,
        assays: str | Sequence[str] | None = None,
        regions: File | None = None,
        shard: str | None = None,
        output: File | None = None,
        merge: File | Sequence[File] | None = None,
        all: bool | None = None,
        tracks: str | Sequence[str] | None = None,
        hold: str | Sequence[str] | None = None,
        passes: int | None = None,
        learning_rate: float | None = None,
        seed: int | None = None,
        backend: Literal["auto", "native", "torch"] | None = None,
        device: str | None = None,
        cache: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Add biosamples, assays or regions to a model.

        All existing parameters stay fixed, so existing predictions do not change. With --shard, several
        jobs share new regions of a model with an encoder: each embeds a part of them and writes its factors
        to a file, and --merge adds all parts to the model. The result has the bits of one job. Both may be
        repeated; what is done already is left as it is.

        Args:
            model: Model to extend; the default model if omitted.
            name: Name of the extended model; if omitted, it replaces the old one.
            biosamples: Biosamples to add.
            assays: Assays to add.
            regions: BED file of regions to add; parts that the model already covers are skipped.
            shard: Part of the regions to embed, as I/N: 1/4 to 4/4 for four jobs.
            output: File for the factors that --shard computes.
            merge: Add what jobs with --shard have embedded, instead of computing. Name all their files, and
                the same regions.
            all: Add every biosample and assay of the database that the model lacks.
            tracks: Tracks to learn from; by default all suitable tracks.
            hold: Tracks not to learn from.
            passes: Number of passes; by default 8 for biosamples and assays, and the model's own number for
                regions.
            learning_rate: Initial learning rate of the new factors of biosamples and assays [default:
                0.01].
            seed: Seed of all random choices [default: 0].
            backend: Backend of training [default: auto].
            device: Device: cpu, cuda or cuda:N [default: cpu].
            cache: Maximum memory for signal, in gigabytes [default: 2].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea extend``.
        """
        return self._run(
            "extend",
            progress=progress,
            model=model,
            name=name,
            biosamples=biosamples,
            assays=assays,
            regions=regions,
            shard=shard,
            output=output,
            merge=merge,
            all=all,
            tracks=tracks,
            hold=hold,
            passes=passes,
            learning_rate=learning_rate,
            seed=seed,
            backend=backend,
            device=device,
            cache=cache,
            threads=threads,
        )

    def impute(
        self,
        experiments: str | Sequence[str] | None = None,
        *,
        output: File,
        list: File | None = None,
        all_missing: bool | None = None,
        shard: str | None = None,
        model: str | None = None,
        as_: Literal["bigwig", "bedgraph", "npz", "npy", "parquet", "zarr", "tsv"] | None = None,
        region: File | Sequence[File] | None = None,
        dry_run: bool | None = None,
        arcsinh: bool | None = None,
        uncertainty: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Impute experiments and write them as bigWig, bedGraph, npz, npy, Parquet, Zarr or TSV.

        Several experiments become one file if --output ends in .npz, .parquet, .zarr or .tsv: a row per 25
        bp bin with its coordinates, a column per experiment with a name that R accepts, and names and units
        in the file. Otherwise --output is a folder with one file per experiment. With --shard, several jobs
        share the work: each imputes every n-th of the experiments, and a job that is repeated imputes only
        what is missing, has changed or was made by another model or other options.

        Args:
            experiments: Experiments to impute, as BIOSAMPLE:ASSAY.
            list: TSV or CSV file of experiments (columns biosample and assay).
            all_missing: Impute every experiment of the model that was not measured.
            shard: Part of the experiments to impute, as I/N: 1/4 to 4/4 for four jobs.
            model: Model to use; the default model if omitted.
            output: Output file for one experiment or (.npz, .parquet, .zarr, .tsv) for several, or a
                folder.
            as_: Output format: bigwig, bedgraph, npz, npy, parquet, zarr or tsv; otherwise taken from
                --output, bigwig for a folder.
            region: Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a
                chromosome or of a gene, or a file: BED, VCF, or a region or gene per line.
            dry_run: Estimate time and disk, then exit; a part of the genome is imputed into a temporary
                folder to measure them.
            arcsinh: Write arcsinh values, the scale on which models are trained.
            uncertainty: Write how far observed signal lies from imputed signal at every bin: its standard
                deviation as NAME.sd.EXTENSION, and the quantiles of the observed signal as NAME.q05, q25,
                q75 and q95.EXTENSION, the ends of the 90 % and the 50 % interval; as columns in a file of
                several experiments.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea impute``.
        """
        return self._run(
            "impute",
            *_listed(experiments),
            progress=progress,
            list=list,
            all_missing=all_missing,
            shard=shard,
            model=model,
            output=output,
            as_=as_,
            region=region,
            dry_run=dry_run,
            arcsinh=arcsinh,
            uncertainty=uncertainty,
            threads=threads,
        )

    def evaluate(
        self,
        training: str | Sequence[str] | None = None,
        *,
        model: str | None = None,
        truth: File | None = None,
        peaks: File | None = None,
        columns: str | None = None,
        tracks: str | Sequence[str] | None = None,
        regions: File | None = None,
        baselines: Literal["factors", "scaled_average", "ridge", "boosted"] | Sequence[Literal["factors", "scaled_average", "ridge", "boosted"]] | None = None,
        scale: Literal["arcsinh", "signal"] | None = None,
        challenge: bool | None = None,
        dry_run: bool | None = None,
        shard: str | None = None,
        merge: File | Sequence[File] | None = None,
        probe: bool | None = None,
        against: str | Sequence[str] | None = None,
        leave_out_biosamples: bool | None = None,
        queries: int | None = None,
        seed: int | None = None,
        no_signal: bool | None = None,
        folds: File | None = None,
        seeds: int | Sequence[int] | None = None,
        prefix: str | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Score imputations of held-out tracks, and of the baselines on the same tracks.

        With --probe, score the embedding instead: how well it predicts tracks that the model has not read,
        by ridge regression from other regions and by the 50 nearest positions in other regions. The signal
        that it was learned from is scored beside it. Results are stored with the model; `persea model show`
        prints the newest. With --shard, several jobs share the work: each scores every n-th track and
        prints its part as JSON, which is not stored. --merge puts all parts together as if one job had made
        them.

        Args:
            training: Options of `persea train`, for --folds.
            model: Model to use; the default model if omitted.
            truth: Manifest of other tracks to score, which were never ingested.
            peaks: Manifest of called peaks (narrowPeak, broadPeak, BED), for catchpeakobs, auprc and
                recall10fdr.
            columns: Names of the manifests' columns, if different: biosample=cell,path=file.
            tracks: Tracks to score: BIOSAMPLE:ASSAY,….
            regions: BED file of regions to score, for example those that `extend` added.
            baselines: Additional baselines that are trained: regressions in the manner of ChromImpute, with
                settings chosen on training tracks, and the average on the expected scale; up to a minute
                per track.
            scale: Scale of the signal on which to score [default: arcsinh; with --challenge: signal].
            challenge: Score by the ENCODE Imputation Challenge's definitions: overlaps as counts, all ties
                in the top 1 %, a bin once for each gene or enhancer that holds it.
            dry_run: Estimate time and memory by measured rates, then exit.
            shard: Part of the tracks to score, as I/N: 1/4 to 4/4 for four jobs; print it with --format
                json.
            merge: Put together what jobs with --shard have printed, instead of scoring. Give the same
                options as they were given.
            probe: Probe the embedding: Pearson's r of held-out tracks with what it predicts. --tracks may
                name any stored track that the model has not read.
            against: Models of the same regions, for example of other seeds: how many of the ten nearest 5
                kbp rows agree.
            leave_out_biosamples: Leave out each biosample's tracks from what the encoder reads: how many of
                the ten nearest 5 kbp rows stay, and how well a classifier recognises which half of the
                tracks was read.
            queries: Number of random query bins, and of query bins with high signal [default: 1000].
            seed: Seed of the query bins [default: 0].
            no_signal: Do not probe the signal and its principal components.
            folds: Cross-validate: train and score every fold of a file (columns fold, biosample, assay).
                Finished folds are kept. Options of `persea train` follow after `--`.
            seeds: Seeds with which to train each fold [default: 0].
            prefix: Prefix of the models' names: PREFIX.FOLD.SEED [default: folds].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea evaluate``.
        """
        return self._run(
            "evaluate",
            *_listed(training),
            progress=progress,
            model=model,
            truth=truth,
            peaks=peaks,
            columns=columns,
            tracks=tracks,
            regions=regions,
            baselines=baselines,
            scale=scale,
            challenge=challenge,
            dry_run=dry_run,
            shard=shard,
            merge=merge,
            probe=probe,
            against=against,
            leave_out_biosamples=leave_out_biosamples,
            queries=queries,
            seed=seed,
            no_signal=no_signal,
            folds=folds,
            seeds=seeds,
            prefix=prefix,
            threads=threads,
        )

    def task_import(
        self,
        kind: Literal["expression", "interaction", "replication", "fire", "custom"],
        files: File | Sequence[File],
        *,
        name: str | None = None,
        biosample: str | None = None,
        rename: str | Sequence[str] | None = None,
        label_column: str | Sequence[str] | None = None,
        biosample_column: str | None = None,
        fold_column: str | None = None,
        columns: str | None = None,
        unit: str | None = None,
        one_based: bool | None = None,
        rows: int | None = None,
        replace: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Read labels, check them against the assembly and the genes, and store them.

        Columns are recognised by their usual names (gene_id; chrom, start, end, label; enhancer_name,
        promoter_name, label; …); --columns gives other names. Positions are 0-based and half-open, as in
        BED. Files may be CSV, TSV or BED, plain or gzipped; labels without positions may be a .npy file.

        Args:
            kind: Kind of task.
            files: Files of labels; several files form one task.
            name: Name of the task [default: the kind].
            biosample: Biosample of all labels.
            rename: Names in the files and their names in the database: IMR90=E017,….
            label_column: Column or columns of labels.
            biosample_column: Column of biosamples.
            fold_column: Column of folds, for --folds column.
            columns: Names of other columns: gene=ENSG,start=hg19_start,….
            unit: Unit of the labels, such as rpkm; labels of different units are never pooled.
            one_based: Start positions count from 1.
            rows: Number of rows of a matrix without positions.
            replace: Replace an existing task of this name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task import``.
        """
        return self._run(
            "task", "import",
            kind,
            *_listed(files),
            progress=progress,
            name=name,
            biosample=biosample,
            rename=rename,
            label_column=label_column,
            biosample_column=biosample_column,
            fold_column=fold_column,
            columns=columns,
            unit=unit,
            one_based=one_based,
            rows=rows,
            replace=replace,
            threads=threads,
        )

    def task_list(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List all tasks with their labels.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task list``.
        """
        return self._run(
            "task", "list",
            progress=progress,
            threads=threads,
        )

    def task_show(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show the sources and labels of a task.

        Args:
            name: Name of the task.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task show``.
        """
        return self._run(
            "task", "show",
            name,
            progress=progress,
            threads=threads,
        )

    def task_remove(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Remove a task; its runs are kept.

        Args:
            name: Name of the task.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task remove``.
        """
        return self._run(
            "task", "remove",
            name,
            progress=progress,
            threads=threads,
        )

    def task_run(
        self,
        task: str,
        *,
        train: File | None = None,
        test: File | None = None,
        predictor: File | None = None,
        save_predictor: File | None = None,
        predictions: File | None = None,
        biosample: str | None = None,
        features: str | Sequence[str] | None = None,
        learner: Literal["logistic", "ridge", "elasticnet", "svm", "forest", "extra-trees", "knn", "gbm"] | None = None,
        model: str | None = None,
        folds: Literal["auto", "chromosomes", "regions", "components", "shuffled", "blocks", "column"] | None = None,
        n_folds: int | None = None,
        fold_seed: int | None = None,
        regression: bool | None = None,
        threshold: str | None = None,
        window: Literal["symmetric", "paper"] | None = None,
        upstream_bins: int | None = None,
        downstream_bins: int | None = None,
        pooling: Literal["mean", "max", "quantiles", "per-bin"] | Sequence[Literal["mean", "max", "quantiles", "per-bin"]] | None = None,
        assays: str | Sequence[str] | None = None,
        matrix: File | Sequence[File] | None = None,
        matrix_drop: str | Sequence[str] | None = None,
        cpg: File | None = None,
        tune: bool | None = None,
        select: int | None = None,
        calibrate: Literal["none", "platt", "isotonic"] | None = None,
        importance: bool | None = None,
        train_biosamples: str | Sequence[str] | None = None,
        test_biosamples: str | Sequence[str] | None = None,
        inductive: bool | None = None,
        partitions: int | None = None,
        reference: str | None = None,
        bootstrap: int | None = None,
        seed: int | None = None,
        no_store: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Run a benchmark: feature sets and baselines on the same folds.

        A feature set is one of the following, or several joined by `+`: embedding (genome factors),
        biosample-factors, hidden (the network's activations), signal (the biosample's tracks), all-signal
        (the tracks of all biosamples), all-signal-pca, imputed, completed (measured, otherwise imputed),
        average (mean of the other biosamples), denoised (imputations of the measured tracks) and published
        (a --matrix). The embedding also depends on the 250 bp and 5 kbp around each bin. Compare it with
        signal of the same reach: signal-scales and all-signal-scales (means over the same 25 bp, 250 bp and
        5 kbp rows) and signal-components (principal components of all-signal-scales, as many as the
        embedding is wide, learned in the training rows of each fold). A task whose features are columns of
        its own table needs no database: with --train or --predictor, TASK is the preset that knows the
        columns (crispr: enhancer–gene pairs tested by CRISPR interference). Learners are compared on folds
        of chromosomes, beside scores for which nothing is learned. The predictor, a logistic regression on
        the whole table, is scored on --test. Intervals resample independent units and repeated divisions
        into folds. p tests each feature set against own signal (--reference) and against the best baseline;
        p_holm corrects for all p of the run. The run is stored and can be repeated.

        Args:
            task: Name of the task; of tables the preset: crispr.
            train: Table of labelled examples to learn from (TSV or CSV, also gzipped).
            test: Table of other examples: the predictor is scored on it if it has labels.
            predictor: Use this predictor, which --save-predictor wrote, instead of learning one.
            save_predictor: Write the predictor to this file, as JSON.
            predictions: Write the predictions for --test to this file, as TSV.
            biosample: Biosample to learn from and to predict; optional if only one has labels.
            features: Feature sets, separated by commas; + joins several into one.
            learner: Learner [default: gbm].
            model: Model to use; the default model if omitted.
            folds: How examples are divided into folds [default: auto].
            n_folds: Number of folds [default: 5; for shuffled and blocks: 20].
            fold_seed: Seed of shuffled folds, as in numpy.random.RandomState [default: 0].
            regression: Predict the label as a number; for RPKM, log2(1 + x).
            threshold: Smallest label of a positive example: a number, or median.
            window: Window around a gene's TSS [default: symmetric].
            upstream_bins: Number of 25 bp bins upstream of the TSS bin [default: 80].
            downstream_bins: Number of 25 bp bins downstream of the TSS bin [default: as many as upstream].
            pooling: How the bins of a window are summarised [default: mean].
            assays: Assays of signal, all-signal, average, imputed and completed; all by default.
            matrix: Matrix for published (or published:NAME): .npy, .npz, .parquet, CSV or TSV; repeatable.
            matrix_drop: Columns of the matrix to leave out.
            cpg: BED file of CpG islands, for a baseline.
            tune: Tune the learner's settings in inner folds.
            select: Number of features to keep, selected inside each fold.
            calibrate: Calibrate scores to probabilities, in an inner fold [default: none].
            importance: Measure the loss when a group of features is shuffled.
            train_biosamples: Biosamples to learn from.
            test_biosamples: Biosamples to predict, in the folds that were not learned from.
            inductive: Learn in the regions on which the network was trained, predict in regions added by
                extend.
            partitions: Number of divisions into folds, each with another seed [default: 10 for up to 2,000
                predictions, otherwise 1].
            reference: Feature set against which the others are tested [default: signal-scales, otherwise
                signal].
            bootstrap: Smallest number of bootstrap replicates; a run with n tests draws at least 20 n /
                0.05; 0: no intervals [default: 1000].
            seed: Seed of all random choices [default: 0].
            no_store: Do not store the run.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task run``.
        """
        return self._run(
            "task", "run",
            task,
            progress=progress,
            train=train,
            test=test,
            predictor=predictor,
            save_predictor=save_predictor,
            predictions=predictions,
            biosample=biosample,
            features=features,
            learner=learner,
            model=model,
            folds=folds,
            n_folds=n_folds,
            fold_seed=fold_seed,
            regression=regression,
            threshold=threshold,
            window=window,
            upstream_bins=upstream_bins,
            downstream_bins=downstream_bins,
            pooling=pooling,
            assays=assays,
            matrix=matrix,
            matrix_drop=matrix_drop,
            cpg=cpg,
            tune=tune,
            select=select,
            calibrate=calibrate,
            importance=importance,
            train_biosamples=train_biosamples,
            test_biosamples=test_biosamples,
            inductive=inductive,
            partitions=partitions,
            reference=reference,
            bootstrap=bootstrap,
            seed=seed,
            no_store=no_store,
            threads=threads,
        )

    def task_runs(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List all stored runs.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task runs``.
        """
        return self._run(
            "task", "runs",
            progress=progress,
            threads=threads,
        )

    def task_rerun(
        self,
        run: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Repeat a stored run and compare the numbers.

        Args:
            run: Number of the run.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task rerun``.
        """
        return self._run(
            "task", "rerun",
            run,
            progress=progress,
            threads=threads,
        )

    def task_export(
        self,
        run: str,
        *,
        predictor: File | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Print the predictions of a run.

        Prints one row per prediction: the example, its biosample, label, fold and unit, then one column for
        each feature set and baseline. With --predictor, writes the stored predictor of a run on tables
        instead.

        Args:
            run: Number of the run.
            predictor: Write the predictor of a run on tables to this file, as JSON.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task export``.
        """
        return self._run(
            "task", "export",
            run,
            progress=progress,
            predictor=predictor,
            threads=threads,
        )

    def task_suite(
        self,
        suite: str,
        *,
        data: File | None = None,
        model: str | None = None,
        print: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Run many benchmarks from a file: tasks × biosamples × learners × folds × seeds.

        Stored runs are not repeated, so a stopped suite continues. Each run tests its own family of
        comparisons; p values are not corrected over the runs of a suite. Three suites are built in: pilot
        (data folder with `pilot` and `annotation`), targetfinder (data folder with `targetfinder` and
        `annotation`) and published (data folder with the paper's tables).

        Args:
            suite: TOML file, or pilot, targetfinder or published.
            data: Folder to which paths in the suite are relative [default: the folder of the file].
            model: Model of runs that name none; the default model if omitted.
            print: Print the suite's file and exit.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task suite``.
        """
        return self._run(
            "task", "suite",
            suite,
            progress=progress,
            data=data,
            model=model,
            print=print,
            threads=threads,
        )

    def task_report(
        self,
        runs: str | Sequence[str] | None = None,
        *,
        output: File,
        all: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write a report about runs: tables, figures, settings.

        The report is one self-contained HTML file without scripts, or Markdown, by the file's extension.

        Args:
            runs: Numbers of the runs.
            all: Include all stored runs.
            output: Output file: .html or .md.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea task report``.
        """
        return self._run(
            "task", "report",
            *_listed(runs),
            progress=progress,
            all=all,
            output=output,
            threads=threads,
        )

    def model_list(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List all models.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea model list``.
        """
        return self._run(
            "model", "list",
            progress=progress,
            threads=threads,
        )

    def model_show(
        self,
        name: str | None = None,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show a model's sizes, tracks, newest evaluations and loss curve.

        Args:
            name: Name of the model; the default model if omitted.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea model show``.
        """
        return self._run(
            "model", "show",
            name,
            progress=progress,
            threads=threads,
        )

    def model_default(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Set the default model.

        Args:
            name: Name of the model.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea model default``.
        """
        return self._run(
            "model", "default",
            name,
            progress=progress,
            threads=threads,
        )

    def model_delete(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Delete a model and free its disk space.

        Args:
            name: Name of the model.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea model delete``.
        """
        return self._run(
            "model", "delete",
            name,
            progress=progress,
            threads=threads,
        )

    def model_diff(
        self,
        a: str,
        b: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show the differences between two models.

        Args:
            a: First model.
            b: Second model.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea model diff``.
        """
        return self._run(
            "model", "diff",
            a,
            b,
            progress=progress,
            threads=threads,
        )

    def index(
        self,
        *,
        model: str | None = None,
        metric: Literal["euclidean", "network", "all"] | None = None,
        graph: Literal["250bp", "5kbp", "biosamples", "assays"] | None = None,
        connections: int | None = None,
        ef_construction: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write the search index of a model.

        `similar` searches this index, which holds the model's genome factors. The first search writes a
        missing index itself; this command writes it beforehand, or again.

        Args:
            model: Model to use; the default model if omitted.
            metric: Distances to index [default: euclidean].
            graph: Build a graph (HNSW) of these vectors instead, for approximate search; its recall is
                measured, printed and stored.
            connections: Number of neighbours kept for each vector of the graph [default: 16].
            ef_construction: Number of candidates kept while a vector is inserted [default: 200].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea index``.
        """
        return self._run(
            "index",
            progress=progress,
            model=model,
            metric=metric,
            graph=graph,
            connections=connections,
            ef_construction=ef_construction,
            threads=threads,
        )

    def project_genome(
        self,
        *,
        method: Literal["pca", "umap", "tsne"] | None = None,
        model: str | None = None,
        neighbours: int | None = None,
        min_dist: float | None = None,
        perplexity: int | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        name: str | None = None,
        no_store: bool | None = None,
        output: File | None = None,
        colour: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        resolution: Literal["embedding", "25bp", "250bp", "5kbp"] | None = None,
        sample: int | None = None,
        around: str | None = None,
        reach: int | None = None,
        bed: File | None = None,
        class_: Literal["promoter", "enhancer", "gene", "intergenic"] | Sequence[Literal["promoter", "enhancer", "gene", "intergenic"]] | None = None,
        balance: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Project genome positions.

        The default is a uniform sample of 10,000 unmasked positions that the model covers.

        Args:
            method: Method of projection [default: pca].
            model: Model to use; the default model if omitted.
            neighbours: UMAP: number of neighbours of a point, including itself [default: 15].
            min_dist: UMAP: smallest distance between points in the layout [default: 0.1].
            perplexity: t-SNE: approximate number of neighbours of a point [default: 30].
            epochs: Steps of UMAP [default: 500, or 200 above 10,000 points] or t-SNE [default: 1,000].
            seed: Seed of all random choices [default: 0].
            name: Name of the stored projection [default: from what is projected and the method, such as
                genome-umap].
            no_store: Do not store the projection.
            output: Plot it to this file: .svg, .png or .pdf.
            colour: Column of labels or metadata used to colour the points.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            resolution: What a point is: a bin with its factors at all three widths, or a row of one width
                [default: embedding].
            sample: Number of points, sampled uniformly; or `all` [default: 10000].
            around: Use only this locus: chr1:1,000,000-1,200,000, or a position extended by --reach.
            reach: Extension of a position on either side, in bp [default: 250000].
            bed: BED file: use the middle of each interval, labelled by the fourth column.
            class_: Use only positions of these classes.
            balance: Use the same number of positions of each class.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project genome``.
        """
        return self._run(
            "project", "genome",
            progress=progress,
            method=method,
            model=model,
            neighbours=neighbours,
            min_dist=min_dist,
            perplexity=perplexity,
            epochs=epochs,
            seed=seed,
            name=name,
            no_store=no_store,
            output=output,
            colour=colour,
            theme=theme,
            dpi=dpi,
            resolution=resolution,
            sample=sample,
            around=around,
            reach=reach,
            bed=bed,
            class_=class_,
            balance=balance,
            threads=threads,
        )

    def project_biosamples(
        self,
        *,
        method: Literal["pca", "umap", "tsne"] | None = None,
        model: str | None = None,
        neighbours: int | None = None,
        min_dist: float | None = None,
        perplexity: int | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        name: str | None = None,
        no_store: bool | None = None,
        output: File | None = None,
        colour: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Project the model's biosamples.

        Args:
            method: Method of projection [default: pca].
            model: Model to use; the default model if omitted.
            neighbours: UMAP: number of neighbours of a point, including itself [default: 15].
            min_dist: UMAP: smallest distance between points in the layout [default: 0.1].
            perplexity: t-SNE: approximate number of neighbours of a point [default: 30].
            epochs: Steps of UMAP [default: 500, or 200 above 10,000 points] or t-SNE [default: 1,000].
            seed: Seed of all random choices [default: 0].
            name: Name of the stored projection [default: from what is projected and the method, such as
                genome-umap].
            no_store: Do not store the projection.
            output: Plot it to this file: .svg, .png or .pdf.
            colour: Column of labels or metadata used to colour the points.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project biosamples``.
        """
        return self._run(
            "project", "biosamples",
            progress=progress,
            method=method,
            model=model,
            neighbours=neighbours,
            min_dist=min_dist,
            perplexity=perplexity,
            epochs=epochs,
            seed=seed,
            name=name,
            no_store=no_store,
            output=output,
            colour=colour,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def project_assays(
        self,
        *,
        method: Literal["pca", "umap", "tsne"] | None = None,
        model: str | None = None,
        neighbours: int | None = None,
        min_dist: float | None = None,
        perplexity: int | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        name: str | None = None,
        no_store: bool | None = None,
        output: File | None = None,
        colour: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Project the model's assays.

        Args:
            method: Method of projection [default: pca].
            model: Model to use; the default model if omitted.
            neighbours: UMAP: number of neighbours of a point, including itself [default: 15].
            min_dist: UMAP: smallest distance between points in the layout [default: 0.1].
            perplexity: t-SNE: approximate number of neighbours of a point [default: 30].
            epochs: Steps of UMAP [default: 500, or 200 above 10,000 points] or t-SNE [default: 1,000].
            seed: Seed of all random choices [default: 0].
            name: Name of the stored projection [default: from what is projected and the method, such as
                genome-umap].
            no_store: Do not store the projection.
            output: Plot it to this file: .svg, .png or .pdf.
            colour: Column of labels or metadata used to colour the points.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project assays``.
        """
        return self._run(
            "project", "assays",
            progress=progress,
            method=method,
            model=model,
            neighbours=neighbours,
            min_dist=min_dist,
            perplexity=perplexity,
            epochs=epochs,
            seed=seed,
            name=name,
            no_store=no_store,
            output=output,
            colour=colour,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def project_list(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List stored projections.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project list``.
        """
        return self._run(
            "project", "list",
            progress=progress,
            threads=threads,
        )

    def project_show(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show the points of a stored projection.

        Args:
            name: Name of the projection.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project show``.
        """
        return self._run(
            "project", "show",
            name,
            progress=progress,
            threads=threads,
        )

    def project_remove(
        self,
        name: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Remove a stored projection.

        Args:
            name: Name of the projection.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea project remove``.
        """
        return self._run(
            "project", "remove",
            name,
            progress=progress,
            threads=threads,
        )

    def plot_tracks(
        self,
        locus: str,
        *,
        output: File,
        tracks: str | Sequence[str] | None = None,
        assay: str | None = None,
        biosample: str | None = None,
        rows: Literal["observed", "imputed", "average"] | Sequence[Literal["observed", "imputed", "average"]] | None = None,
        flank: int | None = None,
        model: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot observed, imputed and average tracks along a region.

        Args:
            locus: Region: chr1:1,000,000-1,100,000 (1-based, inclusive), or a gene.
            tracks: Experiments to plot, measured or not.
            assay: Plot this assay in every biosample.
            biosample: Plot every assay in this biosample.
            rows: Rows to plot for each experiment [default: observed,imputed,average].
            flank: Margin on either side of a gene, in bp [default: 20000].
            model: Model to use; the default model if omitted.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot tracks``.
        """
        return self._run(
            "plot", "tracks",
            locus,
            progress=progress,
            tracks=tracks,
            assay=assay,
            biosample=biosample,
            rows=rows,
            flank=flank,
            model=model,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_factors(
        self,
        locus: str,
        *,
        output: File,
        flank: int | None = None,
        model: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot a model's genome factors along a region.

        Args:
            locus: Region: chr1:1,000,000-1,100,000 (1-based, inclusive), or a gene.
            flank: Margin on either side of a gene, in bp [default: 20000].
            model: Model to use; the default model if omitted.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot factors``.
        """
        return self._run(
            "plot", "factors",
            locus,
            progress=progress,
            flank=flank,
            model=model,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_projection(
        self,
        name: str,
        *,
        output: File,
        colour: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot a stored projection.

        Args:
            name: Name of the projection; see `persea project list`.
            colour: Column of labels or metadata used to colour the points.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot projection``.
        """
        return self._run(
            "plot", "projection",
            name,
            progress=progress,
            colour=colour,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_similarity(
        self,
        axis: Literal["biosamples", "assays"] | None = None,
        *,
        output: File,
        colour: str | None = None,
        model: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot the similarity of a model's biosamples or assays, with a tree.

        Args:
            axis: What to compare [default: biosamples].
            colour: Column of metadata shown in the strip beside the matrix.
            model: Model to use; the default model if omitted.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot similarity``.
        """
        return self._run(
            "plot", "similarity",
            axis,
            progress=progress,
            colour=colour,
            model=model,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_coverage(
        self,
        *,
        output: File,
        model: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot which experiments were measured and which the model was trained on.

        Args:
            model: Model to use; the default model if omitted.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot coverage``.
        """
        return self._run(
            "plot", "coverage",
            progress=progress,
            model=model,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_selection(
        self,
        id: str,
        *,
        output: File,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot a stored selection: coverage against the number chosen.

        Args:
            id: Number of the selection; see `persea select list`.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot selection``.
        """
        return self._run(
            "plot", "selection",
            id,
            progress=progress,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_loss(
        self,
        *,
        output: File,
        model: str | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot a model's losses, pass by pass.

        Args:
            model: Model to use; the default model if omitted.
            output: Output file: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot loss``.
        """
        return self._run(
            "plot", "loss",
            progress=progress,
            model=model,
            output=output,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def plot_gallery(
        self,
        *,
        output: File,
        locus: str | None = None,
        model: str | None = None,
        as_: Literal["svg", "png", "pdf"] | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Plot every figure for which the database has data.

        Args:
            output: Output folder; created if needed.
            locus: Locus of the figures along the genome: chr1:1,000,000-1,100,000, or a gene; by default
                one where the experiments plotted have signal.
            model: Model to use; the default model if omitted.
            as_: Format of the figures [default: svg].
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea plot gallery``.
        """
        return self._run(
            "plot", "gallery",
            progress=progress,
            output=output,
            locus=locus,
            model=model,
            as_=as_,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def report(
        self,
        *,
        output: File,
        model: str | None = None,
        no_evaluate: bool | None = None,
        runs: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write a report about the database: contents, accuracy, figures, similar positions, tasks.

        The report is one self-contained HTML file without scripts. Scores of the held-out tracks that
        `persea evaluate` has stored are used where model and tracks are the same. Otherwise most of the
        time is spent on scoring them; --no-evaluate leaves that out.

        Args:
            output: Output file: .html.
            model: Model to use; the default model if omitted.
            no_evaluate: Do not score the held-out tracks.
            runs: Number of task runs shown in full, latest first [default: 4].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea report``.
        """
        return self._run(
            "report",
            progress=progress,
            output=output,
            model=model,
            no_evaluate=no_evaluate,
            runs=runs,
            threads=threads,
        )

    def similar_position(
        self,
        position: str | None = None,
        *,
        batch: File | None = None,
        k: int | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        weights: str | Sequence[str] | None = None,
        exclude: int | str | None = None,
        spread: Literal["5kbp", "250bp", "none"] | None = None,
        resolution: Literal["25bp", "250bp", "5kbp"] | None = None,
        chromosomes: str | Sequence[str] | None = None,
        inside: File | None = None,
        outside: File | None = None,
        label: File | Sequence[File] | None = None,
        not_label: File | Sequence[File] | None = None,
        tss_within: int | None = None,
        class_: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        not_class: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        include_masked: bool | None = None,
        higher_in: str | None = None,
        signal: str | bool | None = None,
        explain: bool | None = None,
        bed: File | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        plot: File | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find positions like a given position.

        Args:
            position: Position to compare with: chr1:151,200,000 (1-based, as in a genome browser).
            batch: BED file of queries; the bin in the middle of each interval is used.
            k: Number of hits [default: 10].
            model: Model to use; the default model if omitted.
            metric: Distance between positions [default: euclidean].
            weights: How much resolutions (5kbp, 250bp, 25bp) and assays count in the squared distance; 1
                for those that are not named.
            exclude: Leave out hits within this many bp of the query; `none` allows the query itself
                [default: 50000].
            spread: Keep at most one hit per row of this width [default: 5kbp].
            resolution: Width of a hit; for regions chosen by their length, otherwise 25bp.
            chromosomes: Allow only hits on these chromosomes.
            inside: Allow only hits that overlap an interval of this BED file.
            outside: Leave out hits that overlap an interval of this BED file.
            label: Allow only hits that overlap an interval of a BED file with one of these labels (column
                4); of several such options all must hold.
            not_label: Leave out hits that overlap an interval of a BED file with one of these labels
                (column 4).
            tss_within: Allow only hits within this many bp of a TSS.
            class_: Allow only hits of these classes.
            not_class: Leave out hits of these classes.
            include_masked: Allow hits in the mask, where the model was not trained.
            higher_in: Keep hits at which measured signal is higher in the biosamples with this value of
                metadata than in the others, in the mean over assays; five times as many hits are searched,
                so that fewer may be left.
            signal: Show the stored signal at the query and the hits: of these tracks, or of all.
            explain: Show which assays and biosamples make the distance and which agree, as shares of the
                squared distance that add up to 1, with the signal at the query and at the hit.
            bed: Also write the hits to a BED file, or with all columns to a bigBed (.bb).
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            plot: Plot the signal around the query and the hits: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar position``.
        """
        return self._run(
            "similar", "position",
            position,
            progress=progress,
            batch=batch,
            k=k,
            model=model,
            metric=metric,
            weights=weights,
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            chromosomes=chromosomes,
            inside=inside,
            outside=outside,
            label=label,
            not_label=not_label,
            tss_within=tss_within,
            class_=class_,
            not_class=not_class,
            include_masked=include_masked,
            higher_in=higher_in,
            signal=signal,
            explain=explain,
            bed=bed,
            approximate=approximate,
            ef=ef,
            plot=plot,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def similar_region(
        self,
        region: str | None = None,
        *,
        batch: File | None = None,
        align: bool | None = None,
        k: int | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        weights: str | Sequence[str] | None = None,
        exclude: int | str | None = None,
        spread: Literal["5kbp", "250bp", "none"] | None = None,
        resolution: Literal["25bp", "250bp", "5kbp"] | None = None,
        chromosomes: str | Sequence[str] | None = None,
        inside: File | None = None,
        outside: File | None = None,
        label: File | Sequence[File] | None = None,
        not_label: File | Sequence[File] | None = None,
        tss_within: int | None = None,
        class_: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        not_class: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        include_masked: bool | None = None,
        higher_in: str | None = None,
        signal: str | bool | None = None,
        explain: bool | None = None,
        bed: File | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        plot: File | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find regions like a given region.

        Args:
            region: Region to compare with: chr1:1,000,000-1,020,000 (1-based, inclusive).
            batch: BED file of queries.
            align: Compare bin by bin with windows of the same length on both strands, by the sum of
                distances, instead of comparing means; no two hits overlap.
            k: Number of hits [default: 10].
            model: Model to use; the default model if omitted.
            metric: Distance between positions [default: euclidean].
            weights: How much resolutions (5kbp, 250bp, 25bp) and assays count in the squared distance; 1
                for those that are not named.
            exclude: Leave out hits within this many bp of the query; `none` allows the query itself
                [default: 50000].
            spread: Keep at most one hit per row of this width [default: 5kbp].
            resolution: Width of a hit; for regions chosen by their length, otherwise 25bp.
            chromosomes: Allow only hits on these chromosomes.
            inside: Allow only hits that overlap an interval of this BED file.
            outside: Leave out hits that overlap an interval of this BED file.
            label: Allow only hits that overlap an interval of a BED file with one of these labels (column
                4); of several such options all must hold.
            not_label: Leave out hits that overlap an interval of a BED file with one of these labels
                (column 4).
            tss_within: Allow only hits within this many bp of a TSS.
            class_: Allow only hits of these classes.
            not_class: Leave out hits of these classes.
            include_masked: Allow hits in the mask, where the model was not trained.
            higher_in: Keep hits at which measured signal is higher in the biosamples with this value of
                metadata than in the others, in the mean over assays; five times as many hits are searched,
                so that fewer may be left.
            signal: Show the stored signal at the query and the hits: of these tracks, or of all.
            explain: Show which assays and biosamples make the distance and which agree, as shares of the
                squared distance that add up to 1, with the signal at the query and at the hit.
            bed: Also write the hits to a BED file, or with all columns to a bigBed (.bb).
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            plot: Plot the signal around the query and the hits: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar region``.
        """
        return self._run(
            "similar", "region",
            region,
            progress=progress,
            batch=batch,
            align=align,
            k=k,
            model=model,
            metric=metric,
            weights=weights,
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            chromosomes=chromosomes,
            inside=inside,
            outside=outside,
            label=label,
            not_label=not_label,
            tss_within=tss_within,
            class_=class_,
            not_class=not_class,
            include_masked=include_masked,
            higher_in=higher_in,
            signal=signal,
            explain=explain,
            bed=bed,
            approximate=approximate,
            ef=ef,
            plot=plot,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def similar_gene(
        self,
        gene: str,
        *,
        part: Literal["promoter", "body", "tss"] | None = None,
        align: bool | None = None,
        k: int | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        weights: str | Sequence[str] | None = None,
        exclude: int | str | None = None,
        spread: Literal["5kbp", "250bp", "none"] | None = None,
        resolution: Literal["25bp", "250bp", "5kbp"] | None = None,
        chromosomes: str | Sequence[str] | None = None,
        inside: File | None = None,
        outside: File | None = None,
        label: File | Sequence[File] | None = None,
        not_label: File | Sequence[File] | None = None,
        tss_within: int | None = None,
        class_: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        not_class: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        include_masked: bool | None = None,
        higher_in: str | None = None,
        signal: str | bool | None = None,
        explain: bool | None = None,
        bed: File | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        plot: File | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find regions like a gene's promoter, body or TSS.

        Args:
            gene: Name or identifier of the gene.
            part: Part of the gene to compare [default: promoter].
            align: Compare bin by bin, as for a region.
            k: Number of hits [default: 10].
            model: Model to use; the default model if omitted.
            metric: Distance between positions [default: euclidean].
            weights: How much resolutions (5kbp, 250bp, 25bp) and assays count in the squared distance; 1
                for those that are not named.
            exclude: Leave out hits within this many bp of the query; `none` allows the query itself
                [default: 50000].
            spread: Keep at most one hit per row of this width [default: 5kbp].
            resolution: Width of a hit; for regions chosen by their length, otherwise 25bp.
            chromosomes: Allow only hits on these chromosomes.
            inside: Allow only hits that overlap an interval of this BED file.
            outside: Leave out hits that overlap an interval of this BED file.
            label: Allow only hits that overlap an interval of a BED file with one of these labels (column
                4); of several such options all must hold.
            not_label: Leave out hits that overlap an interval of a BED file with one of these labels
                (column 4).
            tss_within: Allow only hits within this many bp of a TSS.
            class_: Allow only hits of these classes.
            not_class: Leave out hits of these classes.
            include_masked: Allow hits in the mask, where the model was not trained.
            higher_in: Keep hits at which measured signal is higher in the biosamples with this value of
                metadata than in the others, in the mean over assays; five times as many hits are searched,
                so that fewer may be left.
            signal: Show the stored signal at the query and the hits: of these tracks, or of all.
            explain: Show which assays and biosamples make the distance and which agree, as shares of the
                squared distance that add up to 1, with the signal at the query and at the hit.
            bed: Also write the hits to a BED file, or with all columns to a bigBed (.bb).
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            plot: Plot the signal around the query and the hits: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar gene``.
        """
        return self._run(
            "similar", "gene",
            gene,
            progress=progress,
            part=part,
            align=align,
            k=k,
            model=model,
            metric=metric,
            weights=weights,
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            chromosomes=chromosomes,
            inside=inside,
            outside=outside,
            label=label,
            not_label=not_label,
            tss_within=tss_within,
            class_=class_,
            not_class=not_class,
            include_masked=include_masked,
            higher_in=higher_in,
            signal=signal,
            explain=explain,
            bed=bed,
            approximate=approximate,
            ef=ef,
            plot=plot,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def similar_vector(
        self,
        file: File,
        *,
        k: int | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        weights: str | Sequence[str] | None = None,
        exclude: int | str | None = None,
        spread: Literal["5kbp", "250bp", "none"] | None = None,
        resolution: Literal["25bp", "250bp", "5kbp"] | None = None,
        chromosomes: str | Sequence[str] | None = None,
        inside: File | None = None,
        outside: File | None = None,
        label: File | Sequence[File] | None = None,
        not_label: File | Sequence[File] | None = None,
        tss_within: int | None = None,
        class_: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        not_class: Literal["promoter", "gene", "enhancer", "intergenic", "masked"] | Sequence[Literal["promoter", "gene", "enhancer", "intergenic", "masked"]] | None = None,
        include_masked: bool | None = None,
        higher_in: str | None = None,
        signal: str | bool | None = None,
        explain: bool | None = None,
        bed: File | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        plot: File | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find positions like an embedding of your own.

        Args:
            file: A .npy or text file of numbers: factors at 25 bp, 250 bp and 5 kbp, side by side.
            k: Number of hits [default: 10].
            model: Model to use; the default model if omitted.
            metric: Distance between positions [default: euclidean].
            weights: How much resolutions (5kbp, 250bp, 25bp) and assays count in the squared distance; 1
                for those that are not named.
            exclude: Leave out hits within this many bp of the query; `none` allows the query itself
                [default: 50000].
            spread: Keep at most one hit per row of this width [default: 5kbp].
            resolution: Width of a hit; for regions chosen by their length, otherwise 25bp.
            chromosomes: Allow only hits on these chromosomes.
            inside: Allow only hits that overlap an interval of this BED file.
            outside: Leave out hits that overlap an interval of this BED file.
            label: Allow only hits that overlap an interval of a BED file with one of these labels (column
                4); of several such options all must hold.
            not_label: Leave out hits that overlap an interval of a BED file with one of these labels
                (column 4).
            tss_within: Allow only hits within this many bp of a TSS.
            class_: Allow only hits of these classes.
            not_class: Leave out hits of these classes.
            include_masked: Allow hits in the mask, where the model was not trained.
            higher_in: Keep hits at which measured signal is higher in the biosamples with this value of
                metadata than in the others, in the mean over assays; five times as many hits are searched,
                so that fewer may be left.
            signal: Show the stored signal at the query and the hits: of these tracks, or of all.
            explain: Show which assays and biosamples make the distance and which agree, as shares of the
                squared distance that add up to 1, with the signal at the query and at the hit.
            bed: Also write the hits to a BED file, or with all columns to a bigBed (.bb).
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            plot: Plot the signal around the query and the hits: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar vector``.
        """
        return self._run(
            "similar", "vector",
            file,
            progress=progress,
            k=k,
            model=model,
            metric=metric,
            weights=weights,
            exclude=exclude,
            spread=spread,
            resolution=resolution,
            chromosomes=chromosomes,
            inside=inside,
            outside=outside,
            label=label,
            not_label=not_label,
            tss_within=tss_within,
            class_=class_,
            not_class=not_class,
            include_masked=include_masked,
            higher_in=higher_in,
            signal=signal,
            explain=explain,
            bed=bed,
            approximate=approximate,
            ef=ef,
            plot=plot,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def similar_biosample(
        self,
        sum: str,
        *,
        k: str | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        profiles: Literal["factors", "imputed"] | None = None,
        bins: int | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        with_query: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find biosamples like a given one, or like a sum.

        Args:
            sum: A name, or a sum of names with spaces around the signs: 'E003 - E116 + E117'.
            k: Number of hits; all if omitted.
            model: Model to use; the default model if omitted.
            metric: Distance by which hits are ordered; both are shown [default: euclidean].
            profiles: Compare factors, or imputed signal [default: factors].
            bins: Approximate number of bins at which signal is imputed [default: 20000].
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            with_query: Include the queried names among the hits.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar biosample``.
        """
        return self._run(
            "similar", "biosample",
            sum,
            progress=progress,
            k=k,
            model=model,
            metric=metric,
            profiles=profiles,
            bins=bins,
            approximate=approximate,
            ef=ef,
            with_query=with_query,
            threads=threads,
        )

    def similar_assay(
        self,
        sum: str,
        *,
        k: str | None = None,
        model: str | None = None,
        metric: Literal["euclidean", "network", "cosine"] | None = None,
        profiles: Literal["factors", "imputed"] | None = None,
        bins: int | None = None,
        approximate: bool | None = None,
        ef: int | None = None,
        with_query: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find assays like a given one, or like a sum.

        Args:
            sum: A name, or a sum of names with spaces around the signs: 'E003 - E116 + E117'.
            k: Number of hits; all if omitted.
            model: Model to use; the default model if omitted.
            metric: Distance by which hits are ordered; both are shown [default: euclidean].
            profiles: Compare factors, or imputed signal [default: factors].
            bins: Approximate number of bins at which signal is imputed [default: 20000].
            approximate: Search an HNSW graph instead: fast among many millions, but it may miss some of the
                nearest.
            ef: Number of candidates kept while the graph is searched; more give a higher recall [default:
                64].
            with_query: Include the queried names among the hits.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea similar assay``.
        """
        return self._run(
            "similar", "assay",
            sum,
            progress=progress,
            k=k,
            model=model,
            metric=metric,
            profiles=profiles,
            bins=bins,
            approximate=approximate,
            ef=ef,
            with_query=with_query,
            threads=threads,
        )

    def select_biosamples(
        self,
        *,
        for_assay: str | None = None,
        k: str | None = None,
        objective: Literal["facility-location", "saturated-coverage", "feature-based", "graph-cut", "sum-of-distances", "minimum-distance"] | None = None,
        similarity: Literal["factors", "imputed", "observed"] | None = None,
        matrix: File | None = None,
        expression: File | None = None,
        kernel: Literal["cosine", "rbf", "squared-correlation", "correlation"] | None = None,
        gamma: str | None = None,
        bins: int | None = None,
        model: str | None = None,
        given: File | None = None,
        require: str | Sequence[str] | None = None,
        exclude: str | Sequence[str] | None = None,
        cost: File | None = None,
        budget: str | None = None,
        method: Literal["lazy", "plain", "stochastic"] | None = None,
        epsilon: float | None = None,
        share: float | None = None,
        lambda_: int | None = None,
        concave: str | None = None,
        random: int | None = None,
        resamples: int | None = None,
        seed: int | None = None,
        plot: File | None = None,
        no_store: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Choose biosamples, for one assay or in general.

        Args:
            for_assay: Assay to measure; biosamples that already have it form the starting set.
            k: Number of items to choose; with a budget, at most this many.
            objective: Objective to maximise [default: facility-location].
            similarity: Source of similarities [default: factors].
            matrix: Similarity matrix of your own: a table with names as header and first column, or .npy,
                .npz, .parquet.
            expression: Expression to compare by: a table of genes × biosamples.
            kernel: How vectors are compared [default: cosine for factors, otherwise squared-correlation].
            gamma: γ of the kernel rbf, exp(−γ d²) [default: 1 / median of d²].
            bins: Number of bins at which signal is compared: one drawn from each of so many equal parts of
                the genome [default: 10000].
            model: Model to use; the default model if omitted.
            given: Starting set: `measured`, `none`, names, or a file with one name per line [default:
                measured, with --for-assay, --for-biosample and for experiments].
            require: Items that must be chosen.
            exclude: Items that must not be chosen.
            cost: Table of costs, with the column `cost`.
            budget: Largest total cost.
            method: Algorithm; lazy and plain give the same choice [default: lazy].
            epsilon: Share of the guarantee that the stochastic method gives up [default: 0.1].
            share: For saturated-coverage: share of its total similarity at which an item counts as covered
                [default: 0.2].
            lambda_: For graph-cut: weight of similarity to all items relative to similarity within the
                choice [default: 2].
            concave: For feature-based: concave function [default: sqrt].
            random: Number of random choices to compare with [default: 200].
            resamples: Number of resamples of the genome (of genes, with --expression) on which the choice
                is made again; 0 for none [default: 100].
            seed: Seed of all random choices: the bins that are compared, random choices and resamples
                [default: 0].
            plot: Plot coverage against the number chosen (.svg, .png or .pdf).
            no_store: Do not store the result.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select biosamples``.
        """
        return self._run(
            "select", "biosamples",
            progress=progress,
            for_assay=for_assay,
            k=k,
            objective=objective,
            similarity=similarity,
            matrix=matrix,
            expression=expression,
            kernel=kernel,
            gamma=gamma,
            bins=bins,
            model=model,
            given=given,
            require=require,
            exclude=exclude,
            cost=cost,
            budget=budget,
            method=method,
            epsilon=epsilon,
            share=share,
            lambda_=lambda_,
            concave=concave,
            random=random,
            resamples=resamples,
            seed=seed,
            plot=plot,
            no_store=no_store,
            threads=threads,
        )

    def select_assays(
        self,
        *,
        for_biosample: str | None = None,
        k: str | None = None,
        objective: Literal["facility-location", "saturated-coverage", "feature-based", "graph-cut", "sum-of-distances", "minimum-distance"] | None = None,
        similarity: Literal["factors", "imputed", "observed"] | None = None,
        matrix: File | None = None,
        expression: File | None = None,
        kernel: Literal["cosine", "rbf", "squared-correlation", "correlation"] | None = None,
        gamma: str | None = None,
        bins: int | None = None,
        model: str | None = None,
        given: File | None = None,
        require: str | Sequence[str] | None = None,
        exclude: str | Sequence[str] | None = None,
        cost: File | None = None,
        budget: str | None = None,
        method: Literal["lazy", "plain", "stochastic"] | None = None,
        epsilon: float | None = None,
        share: float | None = None,
        lambda_: int | None = None,
        concave: str | None = None,
        random: int | None = None,
        resamples: int | None = None,
        seed: int | None = None,
        plot: File | None = None,
        no_store: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Choose assays, for one biosample or in general.

        Args:
            for_biosample: Biosample to measure; assays that it already has form the starting set.
            k: Number of items to choose; with a budget, at most this many.
            objective: Objective to maximise [default: facility-location].
            similarity: Source of similarities [default: factors].
            matrix: Similarity matrix of your own: a table with names as header and first column, or .npy,
                .npz, .parquet.
            expression: Expression to compare by: a table of genes × biosamples.
            kernel: How vectors are compared [default: cosine for factors, otherwise squared-correlation].
            gamma: γ of the kernel rbf, exp(−γ d²) [default: 1 / median of d²].
            bins: Number of bins at which signal is compared: one drawn from each of so many equal parts of
                the genome [default: 10000].
            model: Model to use; the default model if omitted.
            given: Starting set: `measured`, `none`, names, or a file with one name per line [default:
                measured, with --for-assay, --for-biosample and for experiments].
            require: Items that must be chosen.
            exclude: Items that must not be chosen.
            cost: Table of costs, with the column `cost`.
            budget: Largest total cost.
            method: Algorithm; lazy and plain give the same choice [default: lazy].
            epsilon: Share of the guarantee that the stochastic method gives up [default: 0.1].
            share: For saturated-coverage: share of its total similarity at which an item counts as covered
                [default: 0.2].
            lambda_: For graph-cut: weight of similarity to all items relative to similarity within the
                choice [default: 2].
            concave: For feature-based: concave function [default: sqrt].
            random: Number of random choices to compare with [default: 200].
            resamples: Number of resamples of the genome (of genes, with --expression) on which the choice
                is made again; 0 for none [default: 100].
            seed: Seed of all random choices: the bins that are compared, random choices and resamples
                [default: 0].
            plot: Plot coverage against the number chosen (.svg, .png or .pdf).
            no_store: Do not store the result.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select assays``.
        """
        return self._run(
            "select", "assays",
            progress=progress,
            for_biosample=for_biosample,
            k=k,
            objective=objective,
            similarity=similarity,
            matrix=matrix,
            expression=expression,
            kernel=kernel,
            gamma=gamma,
            bins=bins,
            model=model,
            given=given,
            require=require,
            exclude=exclude,
            cost=cost,
            budget=budget,
            method=method,
            epsilon=epsilon,
            share=share,
            lambda_=lambda_,
            concave=concave,
            random=random,
            resamples=resamples,
            seed=seed,
            plot=plot,
            no_store=no_store,
            threads=threads,
        )

    def select_experiments(
        self,
        *,
        combine: Literal["product", "mean"] | None = None,
        k: str | None = None,
        objective: Literal["facility-location", "saturated-coverage", "feature-based", "graph-cut", "sum-of-distances", "minimum-distance"] | None = None,
        similarity: Literal["factors", "imputed", "observed"] | None = None,
        matrix: File | None = None,
        expression: File | None = None,
        kernel: Literal["cosine", "rbf", "squared-correlation", "correlation"] | None = None,
        gamma: str | None = None,
        bins: int | None = None,
        model: str | None = None,
        given: File | None = None,
        require: str | Sequence[str] | None = None,
        exclude: str | Sequence[str] | None = None,
        cost: File | None = None,
        budget: str | None = None,
        method: Literal["lazy", "plain", "stochastic"] | None = None,
        epsilon: float | None = None,
        share: float | None = None,
        lambda_: int | None = None,
        concave: str | None = None,
        random: int | None = None,
        resamples: int | None = None,
        seed: int | None = None,
        plot: File | None = None,
        no_store: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Choose experiments: pairs of a biosample and an assay; measured ones form the starting set.

        Args:
            combine: How the similarities of biosamples and of assays are combined [default: product].
            k: Number of items to choose; with a budget, at most this many.
            objective: Objective to maximise [default: facility-location].
            similarity: Source of similarities [default: factors].
            matrix: Similarity matrix of your own: a table with names as header and first column, or .npy,
                .npz, .parquet.
            expression: Expression to compare by: a table of genes × biosamples.
            kernel: How vectors are compared [default: cosine for factors, otherwise squared-correlation].
            gamma: γ of the kernel rbf, exp(−γ d²) [default: 1 / median of d²].
            bins: Number of bins at which signal is compared: one drawn from each of so many equal parts of
                the genome [default: 10000].
            model: Model to use; the default model if omitted.
            given: Starting set: `measured`, `none`, names, or a file with one name per line [default:
                measured, with --for-assay, --for-biosample and for experiments].
            require: Items that must be chosen.
            exclude: Items that must not be chosen.
            cost: Table of costs, with the column `cost`.
            budget: Largest total cost.
            method: Algorithm; lazy and plain give the same choice [default: lazy].
            epsilon: Share of the guarantee that the stochastic method gives up [default: 0.1].
            share: For saturated-coverage: share of its total similarity at which an item counts as covered
                [default: 0.2].
            lambda_: For graph-cut: weight of similarity to all items relative to similarity within the
                choice [default: 2].
            concave: For feature-based: concave function [default: sqrt].
            random: Number of random choices to compare with [default: 200].
            resamples: Number of resamples of the genome (of genes, with --expression) on which the choice
                is made again; 0 for none [default: 100].
            seed: Seed of all random choices: the bins that are compared, random choices and resamples
                [default: 0].
            plot: Plot coverage against the number chosen (.svg, .png or .pdf).
            no_store: Do not store the result.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select experiments``.
        """
        return self._run(
            "select", "experiments",
            progress=progress,
            combine=combine,
            k=k,
            objective=objective,
            similarity=similarity,
            matrix=matrix,
            expression=expression,
            kernel=kernel,
            gamma=gamma,
            bins=bins,
            model=model,
            given=given,
            require=require,
            exclude=exclude,
            cost=cost,
            budget=budget,
            method=method,
            epsilon=epsilon,
            share=share,
            lambda_=lambda_,
            concave=concave,
            random=random,
            resamples=resamples,
            seed=seed,
            plot=plot,
            no_store=no_store,
            threads=threads,
        )

    def select_positions(
        self,
        *,
        k: str,
        model: str | None = None,
        probe_width: int | None = None,
        spacing: int | None = None,
        step: int | None = None,
        ground: int | None = None,
        gamma: str | None = None,
        inside: File | Sequence[File] | None = None,
        outside: File | Sequence[File] | None = None,
        given: File | None = None,
        random: int | None = None,
        seed: int | None = None,
        bed: File | None = None,
        plot: File | None = None,
        no_store: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Choose positions of the genome: probes that represent the rest.

        Uses facility location over all possible probes, by the model's factors: the similarity of a probe
        and a position is exp(−γ d²). Coverage is measured on a sample of positions, and once more on a
        second sample that took no part in the choice.

        Args:
            k: Number of probes.
            model: Model to use; the default model if omitted.
            probe_width: Width of a probe (rounded up to a multiple of 25 bp) [default: 50].
            spacing: Smallest gap between two probes [default: 0].
            step: Distance between the starts of candidates [default: 25].
            ground: Number of positions on which coverage is measured [default: 10000].
            gamma: γ of exp(−γ d²) [default: 1 / median of d²].
            inside: BED file of intervals in which probes must lie.
            outside: BED file of intervals that probes must not overlap, for example unmappable regions; the
                mask is always left out.
            given: BED file of existing probes: they count towards coverage, and the gap to them is kept.
            random: Number of random choices to compare with [default: 20].
            seed: Seed of all random choices [default: 0].
            bed: Also write the probes to a BED file, in the order chosen.
            plot: Plot coverage against the number chosen (.svg, .png or .pdf).
            no_store: Do not store the result.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select positions``.
        """
        return self._run(
            "select", "positions",
            progress=progress,
            k=k,
            model=model,
            probe_width=probe_width,
            spacing=spacing,
            step=step,
            ground=ground,
            gamma=gamma,
            inside=inside,
            outside=outside,
            given=given,
            random=random,
            seed=seed,
            bed=bed,
            plot=plot,
            no_store=no_store,
            threads=threads,
        )

    def select_evaluate(
        self,
        *,
        expression: File | None = None,
        k: str | Sequence[str] | None = None,
        objective: Literal["facility-location", "saturated-coverage", "feature-based", "graph-cut", "sum-of-distances", "minimum-distance"] | None = None,
        similarity: Literal["factors", "imputed", "observed"] | Sequence[Literal["factors", "imputed", "observed"]] | None = None,
        models: str | Sequence[str] | None = None,
        kernel: Literal["cosine", "rbf", "squared-correlation", "correlation"] | Sequence[Literal["cosine", "rbf", "squared-correlation", "correlation"]] | None = None,
        replicates: int | None = None,
        random: int | None = None,
        bins: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Compare choices with random choices by predicting what was not chosen.

        With expression, one half of the genes makes the choice and the other half is predicted, for random
        subsets of two thirds of the biosamples. With the database's tracks, each assay is predicted in
        turn, and the other assays make the choice at other blocks of the genome. Greedy choices stand
        beside the medoids of k clusters, those of the k branches of a tree, and random choices.

        Args:
            expression: Table of expression, genes × biosamples; without it, the database's tracks are used.
            k: Numbers of items to choose [default: 1,2,3].
            objective: Objective to maximise [default: facility-location].
            similarity: With tracks: sources of similarities to compare [default: observed; with --models
                all].
            models: With tracks: models for `factors` and `imputed`. An assay is scored by the first of them
                that was trained on no track of it; choices see the tracks that this model was trained on.
            kernel: How vectors are compared [default: cosine for factors, otherwise squared-correlation].
            replicates: With expression: number of random subsets [default: 50].
            random: Random choices to compare with each choice [default: 50].
            bins: With tracks: number of bins [default: 40000].
            seed: Seed of all random choices [default: 0].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select evaluate``.
        """
        return self._run(
            "select", "evaluate",
            progress=progress,
            expression=expression,
            k=k,
            objective=objective,
            similarity=similarity,
            models=models,
            kernel=kernel,
            replicates=replicates,
            random=random,
            bins=bins,
            seed=seed,
            threads=threads,
        )

    def select_list(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """List stored selections.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select list``.
        """
        return self._run(
            "select", "list",
            progress=progress,
            threads=threads,
        )

    def select_show(
        self,
        id: str,
        *,
        plot: File | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show a stored selection.

        Args:
            id: Number of the selection.
            plot: Plot coverage against the number chosen (.svg, .png or .pdf).
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select show``.
        """
        return self._run(
            "select", "show",
            id,
            progress=progress,
            plot=plot,
            threads=threads,
        )

    def select_repeat(
        self,
        id: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Repeat a stored selection and compare the results.

        Args:
            id: Number of the selection.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select repeat``.
        """
        return self._run(
            "select", "repeat",
            id,
            progress=progress,
            threads=threads,
        )

    def select_remove(
        self,
        id: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Remove a stored selection.

        Args:
            id: Number of the selection.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea select remove``.
        """
        return self._run(
            "select", "remove",
            id,
            progress=progress,
            threads=threads,
        )

    def locus(
        self,
        target: str,
        *,
        assay: str,
        part: Literal["promoter", "body", "tss"] | None = None,
        flank: int | None = None,
        exclude: int | str | None = None,
        clusters: str | None = None,
        matched: int | None = None,
        candidates: int | None = None,
        any_tss: bool | None = None,
        caliper: float | None = None,
        count_imputed: bool | None = None,
        seed: int | None = None,
        model: str | None = None,
        measured_only: bool | None = None,
        values: File | None = None,
        plot: File | None = None,
        theme: Literal["light", "dark"] | None = None,
        dpi: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Compare all biosamples at a locus: cluster them and score their departures.

        A biosample's departure from the average of the others is compared with its departures at matched
        loci, which gives z and p. An adjusted p compares all biosamples at once. The similarity of the
        biosamples elsewhere is shown beside it. Experiments that were not measured are imputed and marked.

        Args:
            target: Locus: chr1:1,000,000-1,020,000 (1-based, inclusive), or a gene's name or identifier.
            assay: Assay to compare.
            part: Part of the gene [default: promoter].
            flank: Also show this many bp on either side, without scoring them [default: 0].
            exclude: Leave out matched loci within this many bp [default: 50000].
            clusters: Number of clusters; chosen by silhouette if omitted.
            matched: Number of matched loci, nearest in average activity [default: 200].
            candidates: Approximate number of candidate loci, spread evenly over the covered regions
                [default: 10000].
            any_tss: Match loci regardless of their distance to the nearest TSS.
            caliper: Largest difference in average activity between a locus and its matches [default: 0.25].
            count_imputed: Include imputed experiments in averages and correlations.
            seed: Seed of the random order of equally active loci [default: 0].
            model: Model that imputes unmeasured experiments; the default model if omitted.
            measured_only: Use measured tracks only.
            values: Write the signal of all biosamples × bins as TSV.
            plot: Plot the locus: .svg, .png or .pdf.
            theme: Theme: light for paper, dark for dark notebooks [default: light].
            dpi: Resolution of a PNG in dots per inch [default: 300].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea locus``.
        """
        return self._run(
            "locus",
            target,
            progress=progress,
            assay=assay,
            part=part,
            flank=flank,
            exclude=exclude,
            clusters=clusters,
            matched=matched,
            candidates=candidates,
            any_tss=any_tss,
            caliper=caliper,
            count_imputed=count_imputed,
            seed=seed,
            model=model,
            measured_only=measured_only,
            values=values,
            plot=plot,
            theme=theme,
            dpi=dpi,
            threads=threads,
        )

    def locus_scan(
        self,
        loci: File | None = None,
        *,
        assay: str,
        promoters: bool | None = None,
        k: int | None = None,
        each: bool | None = None,
        bed: File | None = None,
        matched: int | None = None,
        candidates: int | None = None,
        any_tss: bool | None = None,
        caliper: float | None = None,
        count_imputed: bool | None = None,
        seed: int | None = None,
        model: str | None = None,
        measured_only: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Rank many loci by the largest departure of a biosample.

        Args:
            loci: BED or VCF file of loci.
            promoters: Use the promoters of all genes: 1 kb on either side of the TSS.
            assay: Assay to compare.
            k: Number of loci to print [default: 50].
            each: Print every biosample at each locus, not only the one with the largest departure.
            bed: Also write the printed rows to a BED file, or with all columns to a bigBed (.bb); the score
                is ten times the percentile.
            matched: Number of matched loci, nearest in average activity [default: 200].
            candidates: Approximate number of candidate loci, spread evenly over the covered regions
                [default: 10000].
            any_tss: Match loci regardless of their distance to the nearest TSS.
            caliper: Largest difference in average activity between a locus and its matches [default: 0.25].
            count_imputed: Include imputed experiments in averages and correlations.
            seed: Seed of the random order of equally active loci [default: 0].
            model: Model that imputes unmeasured experiments; the default model if omitted.
            measured_only: Use measured tracks only.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea locus scan``.
        """
        return self._run(
            "locus", "scan",
            loci,
            progress=progress,
            promoters=promoters,
            assay=assay,
            k=k,
            each=each,
            bed=bed,
            matched=matched,
            candidates=candidates,
            any_tss=any_tss,
            caliper=caliper,
            count_imputed=count_imputed,
            seed=seed,
            model=model,
            measured_only=measured_only,
            threads=threads,
        )

    def diff(
        self,
        first: str,
        second: str,
        *,
        assay: str,
        window: int | None = None,
        min_z: int | None = None,
        min_effect: float | None = None,
        gap: int | None = None,
        count_imputed: bool | None = None,
        k: int | None = None,
        bed: File | None = None,
        model: str | None = None,
        measured_only: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find where two biosamples differ in an assay.

        Prints regions with effect sizes (arcsinh, corrected for the tracks' scales), the most unusual
        first. This is a ranking. Without replicates no p-value or error rate can be given, and nothing is
        said about reproducibility.

        Args:
            first: First biosample.
            second: Second biosample.
            assay: Assay to compare.
            window: Length of a window in bp [default: 1000].
            min_z: Smallest |z| of a window that differs: its effect in robust standard deviations of
                windows of the same level [default: 4].
            min_effect: Smallest effect of a window that differs [default: 0.5].
            gap: Largest number of windows between two windows of one region [default: 1].
            count_imputed: Compare an unmeasured biosample by its imputation.
            k: Number of regions to print [default: 50].
            bed: Write all regions to a BED file, or with all columns to a bigBed (.bb); the score is 100
                |z|, at most 1,000.
            model: Model that imputes unmeasured experiments; the default model if omitted.
            measured_only: Use measured tracks only.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea diff``.
        """
        return self._run(
            "diff",
            first,
            second,
            progress=progress,
            assay=assay,
            window=window,
            min_z=min_z,
            min_effect=min_effect,
            gap=gap,
            count_imputed=count_imputed,
            k=k,
            bed=bed,
            model=model,
            measured_only=measured_only,
            threads=threads,
        )

    def diff_databases(
        self,
        first: str,
        second: str,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Compare two databases: rows, arrays and factors.

        Args:
            first: First database directory.
            second: Second database directory.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea diff databases``.
        """
        return self._run(
            "diff", "databases",
            first,
            second,
            progress=progress,
            threads=threads,
        )

    def annotate(
        self,
        sites: str,
        *,
        assay: str | Sequence[str] | None = None,
        reach: int | None = None,
        embedding: File | None = None,
        hidden: File | None = None,
        enrichment: bool | None = None,
        match: Literal["width", "tss", "activity"] | Sequence[Literal["width", "tss", "activity"]] | None = None,
        replicates: int | None = None,
        block: int | None = None,
        candidates: int | None = None,
        seed: int | None = None,
        model: str | None = None,
        measured_only: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Annotate the sites of a BED or VCF with signal, specificity, nearest gene and class.

        Prints one row per site, assay and biosample. Signal is the mean over the site's bins (arcsinh);
        specificity is the signal minus the mean of the other biosamples. With --enrichment, tests whether
        the sites have more signal than matched loci; p and z resample whole blocks of the genome (--block).

        Args:
            sites: BED or VCF file, plain or gzipped.
            assay: Assays to use; all by default.
            reach: Extension of each site on either side, in bp [default: 0].
            embedding: Write the sites' embeddings, the genome factors (.npz, .parquet, .tsv, .h5ad).
            hidden: Write the network's hidden activations at the sites in each biosample.
            enrichment: Test the set of sites against matched loci.
            match: Properties in which loci are matched: width (always); tss, the distance to the nearest
                TSS; activity, the mean over all biosamples [default: width,tss].
            replicates: Number of bootstrap draws of whole blocks, for z and p [default: 1000].
            block: Width of a block in bp: sites within one block depend on each other; no p below ten
                blocks [default: 1000000].
            candidates: Approximate number of candidate loci, spread evenly over the covered regions
                [default: 10000].
            seed: Seed of the random choice of candidates and blocks [default: 0].
            model: Model that imputes unmeasured experiments; the default model if omitted.
            measured_only: Use measured tracks only.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea annotate``.
        """
        return self._run(
            "annotate",
            sites,
            progress=progress,
            assay=assay,
            reach=reach,
            embedding=embedding,
            hidden=hidden,
            enrichment=enrichment,
            match=match,
            replicates=replicates,
            block=block,
            candidates=candidates,
            seed=seed,
            model=model,
            measured_only=measured_only,
            threads=threads,
        )

    def qc(
        self,
        *,
        models: str | Sequence[str] | None = None,
        limit: int | None = None,
        windows: int | None = None,
        groups: int | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Find measured tracks that disagree with the rest, that may be swapped, or that lie on another
        scale.

        A track is compared with an expectation from the other tracks only, because a model that was trained
        on the track would be biased towards it. With --models, cross-validated models are also compared
        with the tracks that they held out. The columns background and peaks are log2 of the track's mean
        over the median of its assay's tracks, for assays with three tracks or more; `persea ingest
        --normalise` brings both to 0.

        Args:
            models: Models to compare with their held-out tracks.
            limit: Number of standard errors (or robust standard deviations) at which a track is flagged
                [default: 3].
            windows: Approximate number of 250 bp windows to read, spread evenly over the covered regions
                [default: 120000].
            groups: Number of blocks of the genome for the jackknife's standard errors [default: 20].
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea qc``.
        """
        return self._run(
            "qc",
            progress=progress,
            models=models,
            limit=limit,
            windows=windows,
            groups=groups,
            threads=threads,
        )

    def info(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Show the contents of the database.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea info``.
        """
        return self._run(
            "info",
            progress=progress,
            threads=threads,
        )

    def check(
        self,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Check the database for damage.

        Reads everything: SQLite's pages and references, the checksums of all tables and models, every chunk
        of every track, every checkpoint. Lists what is damaged and what still works, and exits with 1 if
        anything is damaged. Also lists what interrupted commands left behind; the next writer removes it.

        Args:
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea check``.
        """
        return self._run(
            "check",
            progress=progress,
            threads=threads,
        )

    def repair(
        self,
        *,
        adopt: bool | None = None,
        remove: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Repair a database that lost committed transactions.

        Arrays of tracks may have lost their rows. Without an option the command lists these arrays, changes
        nothing, and exits with 1 if there are any. Until the repair no other command writes to the
        database.

        Args:
            adopt: Restore the rows of arrays that are complete.
            remove: Remove the arrays; with --adopt only those that cannot be adopted.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea repair``.
        """
        return self._run(
            "repair",
            progress=progress,
            adopt=adopt,
            remove=remove,
            threads=threads,
        )

    def backup(
        self,
        to: File,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Copy the database, even while others write to it.

        The copy shows the database at one instant. It is read back and checked before it gets its name.
        Search indexes and checkpoints are not copied.

        Args:
            to: New database directory; it must not exist.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea backup``.
        """
        return self._run(
            "backup",
            to,
            progress=progress,
            threads=threads,
        )

    def import_avocado(
        self,
        parts: str | Sequence[str],
        *,
        name: str | None = None,
        assembly: str | None = None,
        chrom_sizes: File | None = None,
        trained_on: File | None = None,
        precision: Literal["f32", "f16"] | None = None,
        replace: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Import pretrained models of the original Avocado: NAME.json and NAME.h5, one pair per chromosome.

        The chromosomes become one model. They must share the network and the factors of biosamples and
        assays. Each must have been trained on its whole chromosome, from the first base. Models of
        concatenated regions (the ENCODE pilot regions) cannot be placed on the genome. With --assembly the
        database is created too, and covers the given chromosomes. To include genes, enhancers and a mask,
        create it first with `persea create --chromosomes`.

        Args:
            parts: Chromosome and file name: chr1=NAME reads NAME.json and NAME.h5.
            name: Name of the model in the database [default: avocado].
            assembly: Create the database with this assembly: hg19, hg38, hs1, mm10, mm39, dm6, or any name
                together with --chrom-sizes.
            chrom_sizes: Table of chromosome names and lengths, for any other assembly.
            trained_on: File of the tracks that it was trained on (columns biosample and assay), for models
                that do not list them.
            precision: Storage precision of genome factors; f16 halves the disk space [default: f32].
            replace: Replace an existing model of this name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea import avocado``.
        """
        return self._run(
            "import", "avocado",
            *_listed(parts),
            progress=progress,
            name=name,
            assembly=assembly,
            chrom_sizes=chrom_sizes,
            trained_on=trained_on,
            precision=precision,
            replace=replace,
            threads=threads,
        )

    def import_embedding(
        self,
        file: File,
        *,
        name: str | None = None,
        coordinates: File | None = None,
        dataset: str | None = None,
        precision: Literal["f32", "f16"] | None = None,
        replace: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Import an embedding of genome windows: regions × numbers, from Enformer, Borzoi, ChromBERT or
        your own.

        It becomes a model that is searched, probed and benchmarked like Persea's own, and imputes nothing.
        FILE is Parquet, .npz, .npy, HDF5, TSV, CSV or BED. Windows come from its columns (or arrays) chrom,
        start and end, or from --coordinates, a BED file with one line per row. They have one width, which
        divides 25 bp or is a multiple of 25 bp, and begin at multiples of it. The model covers the regions
        of the database that the file covers from end to end.

        Args:
            file: The numbers, one row per window.
            name: Name of the model in the database [default: embedding].
            coordinates: BED file with the window of each row.
            dataset: HDF5 data set, if the file has several of two dimensions.
            precision: Storage precision; f16 halves the disk space [default: f32].
            replace: Replace an existing model of this name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea import embedding``.
        """
        return self._run(
            "import", "embedding",
            file,
            progress=progress,
            name=name,
            coordinates=coordinates,
            dataset=dataset,
            precision=precision,
            replace=replace,
            threads=threads,
        )

    def export_genome(
        self,
        *,
        output: File,
        model: str | None = None,
        as_: Literal["npz", "parquet", "tsv", "h5ad", "zarr"] | None = None,
        resolution: Literal["25bp", "250bp", "5kbp"] | None = None,
        region: File | Sequence[File] | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write genome factors of one width: one row per 25 bp, 250 bp or 5 kbp.

        Args:
            model: Model to use; the default model if omitted.
            output: Output file; its extension decides the format: .npz, .parquet, .tsv, .h5ad or .zarr.
            as_: Format of the file, regardless of its name.
            resolution: Width of a row [default: 25bp].
            region: Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a
                chromosome or of a gene, or a file: BED, VCF, or a region or gene per line.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export genome``.
        """
        return self._run(
            "export", "genome",
            progress=progress,
            model=model,
            output=output,
            as_=as_,
            resolution=resolution,
            region=region,
            threads=threads,
        )

    def export_embedding(
        self,
        *,
        output: File,
        model: str | None = None,
        as_: Literal["npz", "parquet", "tsv", "h5ad", "zarr"] | None = None,
        region: File | Sequence[File] | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write the embedding of each 25 bp bin: its factors at all three widths, side by side.

        Args:
            model: Model to use; the default model if omitted.
            output: Output file; its extension decides the format: .npz, .parquet, .tsv, .h5ad or .zarr.
            as_: Format of the file, regardless of its name.
            region: Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a
                chromosome or of a gene, or a file: BED, VCF, or a region or gene per line.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export embedding``.
        """
        return self._run(
            "export", "embedding",
            progress=progress,
            model=model,
            output=output,
            as_=as_,
            region=region,
            threads=threads,
        )

    def export_biosamples(
        self,
        *,
        output: File,
        model: str | None = None,
        as_: Literal["npz", "parquet", "tsv", "h5ad", "zarr"] | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write the factors of the biosamples, with their metadata (as obs in h5ad).

        Args:
            model: Model to use; the default model if omitted.
            output: Output file; its extension decides the format: .npz, .parquet, .tsv, .h5ad or .zarr.
            as_: Format of the file, regardless of its name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export biosamples``.
        """
        return self._run(
            "export", "biosamples",
            progress=progress,
            model=model,
            output=output,
            as_=as_,
            threads=threads,
        )

    def export_assays(
        self,
        *,
        output: File,
        model: str | None = None,
        as_: Literal["npz", "parquet", "tsv", "h5ad", "zarr"] | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write the factors of the assays, with their metadata.

        Args:
            model: Model to use; the default model if omitted.
            output: Output file; its extension decides the format: .npz, .parquet, .tsv, .h5ad or .zarr.
            as_: Format of the file, regardless of its name.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export assays``.
        """
        return self._run(
            "export", "assays",
            progress=progress,
            model=model,
            output=output,
            as_=as_,
            threads=threads,
        )

    def export_completed(
        self,
        *,
        output: File,
        model: str | None = None,
        as_: Literal["zarr", "bigwig", "bedgraph", "npz", "npy"] | None = None,
        region: File | Sequence[File] | None = None,
        arcsinh: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write every experiment of a model: the measured track if there is one, otherwise the imputation.

        The output is a Zarr v3 group (arrays `signal`, biosample × assay × bin, and `measured`) or a folder
        with one file per track. The group's attributes, or provenance.tsv, record the source of each track.

        Args:
            model: Model to use; the default model if omitted.
            output: New Zarr group (NAME.zarr), or folder for the files.
            as_: Output format: zarr, bigwig, bedgraph, npz or npy [default: zarr if --output ends in .zarr,
                otherwise bigwig].
            region: Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a
                chromosome or of a gene, or a file: BED, VCF, or a region or gene per line.
            arcsinh: Write arcsinh values, the scale on which models are trained.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export completed``.
        """
        return self._run(
            "export", "completed",
            progress=progress,
            model=model,
            output=output,
            as_=as_,
            region=region,
            arcsinh=arcsinh,
            threads=threads,
        )

    def export_hub(
        self,
        folder: File,
        experiments: str | Sequence[str] | None = None,
        *,
        list: File | None = None,
        biosample: str | Sequence[str] | None = None,
        assay: str | Sequence[str] | None = None,
        tracks: Literal["completed", "measured", "imputed", "both"] | None = None,
        model: str | None = None,
        region: File | Sequence[File] | None = None,
        bigbed: File | Sequence[File] | None = None,
        locus: str | None = None,
        url: str | None = None,
        name: str | None = None,
        short_label: str | None = None,
        long_label: str | None = None,
        email: str | None = None,
        arcsinh: bool | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write tracks for genome browsers: a UCSC track hub, an IGV session and an igv.js configuration.

        The new folder has one bigWig per track, and one faceted composite with a table of metadata. All
        tracks of an assay share limits and a colour. Labels of imputed tracks begin with `imp`, and their
        colours are paler. Put the folder on a web server and give the address of hub.txt to the UCSC Genome
        Browser, or open igv_session.xml in IGV. Repeated with the same tracks, model and options, the
        command leaves a whole hub as it is.

        Args:
            folder: New folder.
            experiments: Experiments to show, as BIOSAMPLE:ASSAY; all of the model if omitted.
            list: TSV or CSV file of experiments (columns biosample and assay).
            biosample: Show only these biosamples.
            assay: Show only these assays.
            tracks: Which tracks of an experiment to show [default: completed].
            model: Model to use; the default model if omitted.
            region: Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a
                chromosome or of a gene, or a file: BED, VCF, or a region or gene per line.
            bigbed: bigBed files to show beside the tracks, such as `similar`, `locus scan` and `diff`
                write.
            locus: Where browsers open: chr1:1,000,000-2,000,000; where there is most signal if omitted.
            url: Address that the folder will have; without it the IGV files have relative paths.
            name: Name of the hub; that of the folder if omitted.
            short_label: Label of the hub in lists, 17 characters or fewer; the name if omitted.
            long_label: A line about the hub.
            email: Address that users of the hub may write to; UCSC asks for one [default:
                nobody@example.org].
            arcsinh: Write arcsinh values, the scale on which models are trained.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export hub``.
        """
        return self._run(
            "export", "hub",
            folder,
            *_listed(experiments),
            progress=progress,
            list=list,
            biosample=biosample,
            assay=assay,
            tracks=tracks,
            model=model,
            region=region,
            bigbed=bigbed,
            locus=locus,
            url=url,
            name=name,
            short_label=short_label,
            long_label=long_label,
            email=email,
            arcsinh=arcsinh,
            threads=threads,
        )

    def export_avocado(
        self,
        *,
        output: File,
        model: str | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Write a model as files of the original Avocado: NAME.json and NAME.h5, which Keras loads.

        A model of several regions becomes one pair per region, NAME.chr1.json and so on. Position 0 of a
        pair is the first bin of the region.

        Args:
            model: Model to use; the default model if omitted.
            output: Name of the files, without .json and .h5.
            threads: Number of threads; all cores by default.
            progress: As of ``persea.run``.

        The command is ``persea export avocado``.
        """
        return self._run(
            "export", "avocado",
            progress=progress,
            model=model,
            output=output,
            threads=threads,
        )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
