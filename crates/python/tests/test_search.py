"""Similar positions: queries, limits, weights, what makes a distance."""

import json
import subprocess
import sys

import numpy as np
import pandas
import persea
import pytest

CHROM = "chr1"


def test_similar_finds_what_the_program_finds(database):
    hits = database.similar("chr1:50,000", k=5, exclude=2_000, spread=None)
    program = database.similar_position("chr1:50,000", k=5, exclude=2_000, spread="none")
    assert hits["start"].tolist() == [hit["start"] for hit in program["hits"]]
    np.testing.assert_allclose(hits["distance"], [hit["distance"] for hit in program["hits"]])
    assert hits["percentile"].tolist() == [hit["percentile"] for hit in program["hits"]]
    assert list(hits["in_gene"]) == [",".join(hit["in_gene"]) for hit in program["hits"]]
    weighted = database.similar("chr1:50,000", k=5, exclude=2_000, spread=None, weights={"5kbp": 0.5})
    program_weighted = database.similar_position("chr1:50,000", k=5, exclude=2_000, spread="none", weights="5kbp=0.5")
    assert weighted["start"].tolist() == [hit["start"] for hit in program_weighted["hits"]]
    assert program["query"]["start"] == 49_999
    assert (np.diff(hits["distance"]) >= 0).all()


def test_a_query_may_be_a_gene_a_table_or_an_embedding(database):
    gene = next(iter(database.genes()))
    by_gene = database.similar(gene["gene_id"], k=2, exclude=None)
    assert len(by_gene) == 2
    frame = pandas.DataFrame({"chrom": [CHROM] * 2, "start": [10_000, 60_000], "end": [12_000, 62_000]})
    several = database.similar(frame, k=3, exclude=None)
    assert several["query"].tolist() == [0, 0, 0, 1, 1, 1]
    vector = database.embedding((CHROM, 10_000, 10_025))[0]
    nearest = database.similar(vector, k=1)
    assert (nearest["chrom"][0], nearest["start"][0], nearest["distance"][0]) == (CHROM, 10_000, 0.0)
    assert nearest["strand"].tolist() == [None]
    with pytest.raises(persea.SearchError, match="not found"):
        database.similar("NOSUCHGENE")


def test_limits_on_hits_hold(database):
    inside = pandas.DataFrame({"chrom": ["chr2"], "start": [0], "end": [100_000]})
    hits = database.similar((CHROM, 50_000, 50_025), k=4, inside=inside, spread="250bp")
    assert set(hits["chrom"]) == {"chr2"} and hits["end"].max() <= 100_000
    assert len({start // 250 for start in hits["start"]}) == 4


def test_labels_of_a_bed_file_or_a_table_limit_the_hits(database, tmp_path):
    rows = [(CHROM, 0, 40_000, "A"), (CHROM, 40_000, 90_000, "B"), (CHROM, 120_000, 160_000, "A")]
    bed = tmp_path / "states.bed"
    bed.write_text("".join(f"{c}\t{s}\t{e}\t{name}\n" for c, s, e, name in rows))
    table = pandas.DataFrame(rows, columns=["chrom", "start", "end", "label"])
    asked = {"query": (CHROM, 100_000, 100_025), "k": 6, "spread": None, "exclude": 2_000}

    def inside(hits, label):
        return all(any(s <= start < e for _, s, e, name in rows if name == label) for start in hits["start"])

    for labelled in [bed, str(bed), table]:
        of_a = database.similar(**asked, labels=[(labelled, "A")])
        assert set(of_a["chrom"]) == {CHROM} and inside(of_a, "A")
        of_either = database.similar(**asked, labels=[(labelled, ["A", "B"])], not_labels=[(labelled, "A")])
        assert inside(of_either, "B")
    program = database.similar_position("chr1:100,001", k=6, spread="none", exclude=2_000, label=[f"{bed}=A"])
    assert [hit["start"] for hit in program["hits"]] == of_a["start"].tolist()
    with pytest.raises(ValueError, match="no interval with the label 'C'; its 2 labels: A, B"):
        database.similar(**asked, labels=[(table, "C")])
    with pytest.raises(ValueError, match="column 4"):
        database.similar(**asked, labels=[(table[["chrom", "start", "end"]], "A")])


def test_explanations_are_those_of_the_program(encoded):
    asked = {"k": 4, "exclude": 2_000, "spread": "250bp"}
    hits = encoded.similar("chr1:50,000", **asked, explain=True)
    line = [sys.executable, "-m", "persea", "similar", "position", "chr1:50,000", "-k", "4", "--exclude", "2000",
            "--spread", "250bp", "--explain", "--db", encoded.path, "--format"]
    program = json.loads(subprocess.run([*line, "json"], capture_output=True, check=True).stdout)
    words = subprocess.run([*line, "tsv"], capture_output=True, text=True, check=True).stdout.splitlines()
    words = [dict(zip(words[0].split("\t"), row.split("\t"), strict=True)) for row in words[1:]]
    for i, (row, hit) in enumerate(zip(hits, program["hits"], strict=True)):
        assert row["start"] == hit["start"]
        shares = hit["explanation"]["resolutions"]
        for resolution in ["5kbp", "250bp", "25bp"]:
            assert row[f"share_{resolution}"] == pytest.approx(shares[resolution])
        assert sum(row[f"share_{r}"] for r in ["5kbp", "250bp", "25bp"]) == pytest.approx(1)
        for column in ["assays_apart", "assays_alike", "biosamples_apart", "biosamples_alike"]:
            assert row[column] == words[i][column]
    for by in ["assay", "biosample"]:
        table = encoded.similar_shares("chr1:50,000", **asked, by=by).to_dicts()
        for rank, hit in enumerate(program["hits"], 1):
            of_hit = [row for row in table if row["rank"] == rank]
            assert [row[by] for row in of_hit] == [g[by] for g in hit["explanation"][f"{by}s"]]
            assert [row["share"] for row in of_hit] == pytest.approx([g["share"] for g in hit["explanation"][f"{by}s"]])
            assert sum(row["share"] for row in of_hit) == pytest.approx(1)
    tracks = encoded.similar_shares("chr1:50,000", **asked, by="track").to_pandas()
    assert len(tracks) == 4 * len(encoded.tracks())
    one = tracks.iloc[0]
    expected = np.nanmean(encoded.signal((CHROM, 49_975, 50_000), one.biosample, one.assay))
    assert one.query_signal == pytest.approx(expected, rel=1e-5)
    assert set(encoded.similar_shares("chr1:50,000", **asked, by="resolution")["resolution"]) == {"5kbp", "250bp", "25bp"}
    with pytest.raises(ValueError, match="no shares by"):
        encoded.similar_shares("chr1:50,000", by="gene")


def test_an_assay_may_count_more_and_its_share_grows(encoded):
    asked = {"k": 3, "exclude": 2_000}
    assay = encoded.similar_shares("chr1:50,000", **asked)["assay"][0]

    def share(weights):
        table = encoded.similar_shares("chr1:50,000", **asked, weights=weights).to_pandas()
        return table[table.assay == assay]["share"].mean()

    assert share({assay: 0}) == 0
    weighted = encoded.similar("chr1:50,000", **asked, weights={assay: 4})
    program = encoded.similar_position("chr1:50,000", **asked, weights=[f"{assay}=4"])
    assert weighted["start"].tolist() == [hit["start"] for hit in program["hits"]]
    with pytest.raises(persea.SearchError, match="nothing"):
        encoded.similar("chr1:50,000", weights={"nothing": 2})


def test_a_distance_without_shares_is_not_explained(database, encoded):
    # A model without an encoder has no axes.
    with pytest.raises(persea.SearchError, match="(?i)share"):
        database.similar("chr1:50,000", k=1, explain=True)
    with pytest.raises(persea.SearchError, match="euclidean"):
        encoded.similar("chr1:50,000", k=1, metric="cosine", explain=True)
