"""A small database: three biosamples, three assays, one model, made once by the package itself."""

import persea
import pytest


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Simulated files with known truth."""
    folder = tmp_path_factory.mktemp("files") / "simulated"
    persea.simulate(folder, biosamples=4, assays=4, chromosomes=2, chromosome_bp=200_000, seed=1)
    return folder


@pytest.fixture(scope="session")
def path(files, tmp_path_factory):
    """A database with tracks and a trained model."""
    path = tmp_path_factory.mktemp("database") / "small.persea"
    parts = {"genes": files / "genes.gtf.gz", "enhancers": files / "enhancers.bed", "mask": files / "mask.bed"}
    with persea.create(path, assembly="simulated", chrom_sizes=files / "chrom.sizes", **parts) as database:
        database.ingest(files / "manifest.tsv")
        database.train(name="first", preset="small", passes=2, model="avocado", seed=1)
    return path


@pytest.fixture
def database(path):
    """The database, open."""
    with persea.open(path) as database:
        yield database


@pytest.fixture(scope="session")
def encoded_path(files, tmp_path_factory):
    """A database whose model has an encoder: distances have shares, and assays weights."""
    path = tmp_path_factory.mktemp("encoded") / "encoded.persea"
    with persea.create(path, assembly="simulated", chrom_sizes=files / "chrom.sizes", genes=files / "genes.gtf.gz") as database:
        database.ingest(files / "manifest.tsv")
        database.train(name="base", passes=1, seed=1)
    return path


@pytest.fixture
def encoded(encoded_path):
    """That database, open."""
    with persea.open(encoded_path) as database:
        yield database
