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
