"""scikit-learn, AnnData, xarray; what is not installed is skipped with its name."""

import numpy as np
import persea
import pytest

REGIONS = [("chr1", start, start + 1_000) for start in range(5_000, 165_000, 4_000)]


def test_features_work_in_a_pipeline_and_in_cross_validation_with_workers(path):
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = persea.PerseaFeatures(path)
    X = features.fit_transform(REGIONS)
    with persea.open(path) as database:
        np.testing.assert_array_equal(X, database.mean_embeddings(REGIONS))
        of_open = persea.PerseaFeatures(database, features="embedding+signal")
        both = clone(of_open).fit(REGIONS)
        assert both.transform(REGIONS).shape == (40, X.shape[1] + len(database.tracks()))
        assert len(both.get_feature_names_out()) == X.shape[1] + len(database.tracks())
    y = X[:, 0] + 0.5
    pipeline = make_pipeline(persea.PerseaFeatures(path), StandardScaler(), Ridge(1e-3))
    alone = cross_val_predict(pipeline, REGIONS, y, cv=4)
    together = cross_val_predict(pipeline, REGIONS, y, cv=4, n_jobs=2)
    np.testing.assert_allclose(alone, together)
    assert np.corrcoef(alone, y)[0, 1] > 0.5
    with pytest.raises(ValueError, match="embedding"):
        persea.PerseaFeatures(path, features="genes").fit(REGIONS)


def test_anndata_has_signal_metadata_and_factors(database):
    pytest.importorskip("anndata")
    made = database.anndata("chr1:10,001-20,000")
    tracks = database.tracks()
    assert made.shape == (len(database.biosamples()), len(database.assays()))
    row = next(iter(tracks))
    expected = np.nanmean(database.signal("chr1:10,001-20,000", row["biosample"], row["assay"]), dtype=np.float64)
    assert made[row["biosample"], row["assay"]].X.item() == pytest.approx(expected, rel=1e-5)
    assert np.isnan(made.X).sum() == made.X.size - len(tracks)
    names, factors = database.assay_factors()
    np.testing.assert_array_equal(made[:, names].varm["persea"], factors)


def test_xarray_reads_the_stored_tracks(database):
    pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    made = database.xarray()
    assert made.attrs["assembly"] == database.assembly
    assert all(variable.size == database.n_bins for variable in made.data_vars.values())
    assert len(made.data_vars) == len(database.tracks())


def test_what_is_not_installed_is_named_with_its_remedy(monkeypatch):
    from persea._optional import needed

    with pytest.raises(ImportError, match="pip install nothing_of_that_name"):
        needed("nothing_of_that_name")
