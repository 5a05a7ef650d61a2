"""Databases: opening, closing, what they hold, arrays and tables."""

import concurrent.futures
import multiprocessing
import os
import pickle
import threading

import numpy as np
import pandas
import persea
import polars
import pytest

CHROM = "chr1"
REGION = (CHROM, 10_000, 30_000)


def test_a_missing_database_is_an_error_with_its_path(tmp_path):
    with pytest.raises(persea.StoreError, match="none.persea"):
        persea.open(tmp_path / "none.persea")


def test_a_closed_database_refuses_use_and_its_arrays_stay_valid(path):
    database = persea.open(path)
    factors = database.factors(REGION)
    before = factors.copy()
    with database:
        pass
    assert database.closed
    for use in [database.tracks, lambda: database.similar(REGION), database.info, lambda: pickle.dumps(database)]:
        with pytest.raises(persea.ClosedError):
            use()
    database.close()
    np.testing.assert_array_equal(factors, before)


def test_a_pickled_database_opens_the_same_path(database):
    copy = pickle.loads(pickle.dumps(database))
    assert copy.path == database.path and not copy.closed
    assert copy.tracks()["biosample"].tolist() == database.tracks()["biosample"].tolist()


def in_fork(database, answers):
    for use in [database.tracks, lambda: persea.open(database.path), lambda: database.similar(REGION)]:
        try:
            use()
            answers.put("worked")
        except persea.ForkError as error:
            answers.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_is_refused_with_a_remedy(database):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=in_fork, args=(database, answers))
    process.start()
    messages = [answers.get(timeout=60) for _ in range(3)]
    process.join(60)
    assert process.exitcode == 0
    assert all("spawn" in message for message in messages), messages
    # The child's end left the parent's database whole.
    assert len(database.tracks()) > 0


def n_tracks(database):
    return len(database.tracks())


def test_a_spawned_process_works_on_a_pickled_database(database):
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(n_tracks, database).result() == len(database.tracks())


def test_threads_read_at_once_what_one_reads_alone(database):
    places = [(CHROM, start, start + 2_000) for start in range(10_000, 90_000, 5_000)]
    track = next(iter(database.tracks()))
    read = lambda place: (  # noqa: E731
        database.embedding(place),
        database.signal(place, track["biosample"], track["assay"]),
    )
    alone = [read(place) for place in places]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(read, places))
    for (a, b), (c, d) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)


def test_coarse_factors_are_read_only_views_of_the_index(database):
    for resolution, rows in [("250bp", 80), ("5kbp", 4)]:
        view = database.factors(REGION, resolution=resolution)
        assert view.dtype == np.float32 and view.shape[0] == rows
        assert not view.flags.writeable and not view.flags.owndata and view.flags.c_contiguous
        with pytest.raises(ValueError):
            view[0, 0] = 1
        # The same bytes of the same map: no copy was made.
        again = database.factors(REGION, resolution=resolution)
        assert np.shares_memory(view, again)
        for copy in [
            database.factors(REGION, resolution=resolution, dtype=np.float64),
            database.factors(REGION, resolution=resolution, order="F"),
        ]:
            assert copy.flags.writeable and not np.shares_memory(view, copy)
            np.testing.assert_array_equal(copy, view)


def test_an_embedding_is_the_factors_of_three_resolutions_side_by_side(database):
    embedding = database.embedding(REGION)
    fine, middle, coarse = (database.factors(REGION, resolution=r) for r in ["25bp", "250bp", "5kbp"])
    assert embedding.shape == (800, fine.shape[1] + middle.shape[1] + coarse.shape[1])
    expected = np.hstack([fine, middle.repeat(10, axis=0), coarse.repeat(200, axis=0)])
    np.testing.assert_array_equal(embedding, expected)
    mean = database.mean_embeddings([REGION])
    np.testing.assert_allclose(mean[0], embedding.mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-7)


def test_embeddings_are_those_of_the_programs_export(database, tmp_path):
    database.export_embedding(output=tmp_path / "e.npz", region="chr1:10,001-30,000")
    arrays = np.load(tmp_path / "e.npz", allow_pickle=False)
    exported = next(a for a in (arrays[name] for name in arrays.files) if a.ndim == 2 and a.dtype == np.float32)
    np.testing.assert_array_equal(database.embedding(REGION), exported)


def test_signal_has_a_value_for_every_bin_and_nan_where_there_is_none(database):
    track = next(iter(database.tracks()))
    names = track["biosample"], track["assay"]
    length = database.chromosomes[CHROM]
    stored = database.signal(CHROM, *names)
    assert stored.shape == (-(-length // 25),)
    signal = database.signal(CHROM, *names, scale="signal")
    np.testing.assert_allclose(np.arcsinh(signal.astype(np.float64)), stored, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(database.signal(REGION, *names), stored[400:1_200])
    np.testing.assert_allclose(
        database.mean_signals([REGION], [names])[0, 0], np.nanmean(stored[400:1_200], dtype=np.float64), rtol=1e-5
    )
    with pytest.raises(persea.StoreError, match="no track"):
        database.signal(REGION, "nobody", names[1])
    with pytest.raises(persea.GenomeError, match="chr99"):
        database.signal(("chr99", 0, 10), *names)


def test_tables_reach_pandas_and_polars_unchanged(database):
    tracks = database.tracks()
    rows = tracks.to_dicts()
    frame = tracks.to_pandas()
    assert list(frame.columns) == tracks.columns and len(frame) == len(rows) > 4
    assert frame["mean"].tolist() == [row["mean"] for row in rows]
    assert polars.DataFrame(tracks).to_dicts() == rows
    assert "<table>" in tracks._repr_html_()
    with pytest.raises(KeyError, match="biosample"):
        tracks["nothing"]


def test_an_empty_table_keeps_its_columns(database):
    tasks = database.tasks()
    assert len(tasks) == 0 and "name" in tasks.columns
    assert tasks.to_pandas().empty and polars.DataFrame(tasks).is_empty()


def test_regions_come_in_every_form(database, tmp_path):
    bed = tmp_path / "r.bed"
    bed.write_text("# a comment\nchr1\t10000\t30000\tname\n")
    frame = pandas.DataFrame({"chrom": [CHROM], "start": [10_000], "end": [30_000]})
    ranges = pandas.DataFrame({"Chromosome": [CHROM], "Start": [10_000], "End": [30_000]})
    for form in ["chr1:10,001-30,000", REGION, [REGION], frame, ranges, polars.DataFrame(frame), bed, str(bed)]:
        assert database.places(form) == [REGION], form
    with pytest.raises(ValueError, match="line 1"):
        bed.write_text("chr1\tx\ty\n")
        database.places(bed)
    with pytest.raises(ValueError, match="no columns"):
        database.places(pandas.DataFrame({"a": [1]}))


def test_bins_say_where_rows_lie(database):
    bins = database.bins((CHROM, 10_010, 10_060))
    assert list(zip(bins["start"], bins["end"], strict=True)) == [(10_000, 10_025), (10_025, 10_050), (10_050, 10_075)]
    coarse = database.bins(REGION, resolution="5kbp")
    assert coarse["start"].tolist() == [10_000, 15_000, 20_000, 25_000]
    with pytest.raises(ValueError, match="250bp"):
        database.bins(REGION, resolution="1kb")


def test_factors_of_biosamples_and_assays_come_with_names(database):
    names, factors = database.biosample_factors()
    assert len(names) == len(factors) == len(database.biosamples())
    names, factors = database.assay_factors("first")
    assert len(names) == len(factors) == len(database.assays())
    with pytest.raises(persea.StoreError, match="first"):
        database.assay_factors("fist")


def test_signal_is_that_of_a_track_that_was_replaced_meanwhile(files, tmp_path):
    sizes = tmp_path / "c.sizes"
    sizes.write_text("chr1\t1000\n")
    bedgraph = tmp_path / "a.bedGraph"
    manifest = tmp_path / "m.tsv"
    manifest.write_text(f"biosample\tassay\tpath\ttransform\nS\tA\t{bedgraph}\tnone\n")
    with persea.create(tmp_path / "r.persea", assembly="toy", chrom_sizes=sizes) as database:
        for value in [1.0, 2.0]:
            bedgraph.write_text(f"chr1\t0\t1000\t{value}\n")
            database.ingest(manifest)
            for _ in range(2):
                assert database.signal(("chr1", 100, 200), "S", "A").tolist() == [value] * 4
        database.track_remove("S:A")
        with pytest.raises(persea.StoreError, match="no track"):
            database.signal(("chr1", 100, 200), "S", "A")


def test_a_model_of_an_imported_embedding_is_named_as_one(files, tmp_path):
    starts = np.arange(0, 20_000, 500)
    np.savez(tmp_path / "w.npz", embedding=np.random.default_rng(1).normal(size=(len(starts), 3)).astype(np.float32),
             chrom=np.full(len(starts), CHROM), start=starts, end=starts + 500)
    sizes = tmp_path / "c.sizes"
    sizes.write_text("chr1\t20000\n")
    with persea.create(tmp_path / "e.persea", assembly="toy", chrom_sizes=sizes) as database:
        database.import_embedding(tmp_path / "w.npz", name="own")
        listed = database.model_list()
        assert database.models()["kind"].tolist() == listed["kind"].tolist() == ["embedding"]


def test_closing_while_threads_read_raises_or_answers(path):
    database = persea.open(path)
    errors = []

    def read():
        try:
            for _ in range(200):
                database.embedding(REGION)
        except persea.ClosedError:
            pass
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    database.close()
    for thread in threads:
        thread.join()
    assert errors == []
