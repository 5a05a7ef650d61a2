//! An open database, as Python holds it: its handle, and each method's way to what answers it.
//!
//! `open` keeps what is open behind the handle; `held` gives what a database holds as tables, `places` finds
//! places, `numbers` reads factors and signal, `crate::search` asks for similar places.

mod held;
mod numbers;
mod open;
mod places;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use persea::search::GenePart;
use pyo3::prelude::*;

pub use self::open::Inner;
use self::open::locked;
use crate::array::Array;
use crate::errors::{self, ClosedError, of};
use crate::intervals::{self, Coordinates};
use crate::search::{self, Request};
use crate::shares::{self, By};
use crate::table::Table;
use crate::{fork, logs};

/// An open database. `persea.Database` wraps it.
#[pyclass(frozen, module = "persea._persea")]
pub struct Database {
    path: PathBuf,
    inner: Mutex<Option<Arc<Inner>>>,
}

impl Drop for Database {
    fn drop(&mut self) {
        // In a forked process the files and locks are the parent's: they are left alone.
        if fork::is_forked() {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(inner.take());
        }
    }
}

impl Database {
    fn inner(&self) -> PyResult<Arc<Inner>> {
        fork::refuse()?;
        locked(&self.inner).clone().ok_or_else(|| {
            ClosedError::new_err(format!(
                "the database {} has been closed; open it again with persea.open",
                self.path.display()
            ))
        })
    }

    /// Works without the interpreter, then hands log messages over.
    fn apart<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Inner) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        let inner = self.inner()?;
        let result = py.detach(move || work(&inner));
        logs::hand_over(py)?;
        result
    }
}

#[pymethods]
impl Database {
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        fork::refuse()?;
        logs::collect();
        let path = std::path::absolute(&path)?;
        let database = py
            .detach(|| persea::store::Database::open(&path))
            .map_err(of)?;
        logs::hand_over(py)?;
        Ok(Database {
            path,
            inner: Mutex::new(Some(Arc::new(Inner::new(database)))),
        })
    }

    #[getter]
    fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    #[getter]
    fn closed(&self) -> bool {
        locked(&self.inner).is_none()
    }

    /// Closes the database. Calls that run in other threads end first; arrays stay valid.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        fork::refuse()?;
        let inner = locked(&self.inner).take();
        py.detach(|| drop(inner));
        Ok(())
    }

    #[getter]
    fn is_read_only(&self) -> PyResult<bool> {
        Ok(self.inner()?.database.is_read_only())
    }

    #[getter]
    fn assembly(&self) -> PyResult<String> {
        Ok(self.inner()?.database.axis().assembly().name().to_string())
    }

    #[getter]
    fn n_bins(&self) -> PyResult<u64> {
        Ok(self.inner()?.database.axis().n_bins())
    }

    fn chromosomes(&self) -> PyResult<Vec<(String, u64)>> {
        let inner = self.inner()?;
        let list = inner.database.axis().assembly().chromosomes();
        Ok(list.iter().map(|c| (c.name.clone(), c.length)).collect())
    }

    #[pyo3(signature = (model = None))]
    fn regions(&self, py: Python<'_>, model: Option<String>) -> PyResult<Table> {
        self.apart(py, |inner| held::regions(inner, model.as_deref()))
    }

    fn tracks(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::tracks)
    }

    fn genes(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::genes)
    }

    fn biosamples(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::biosamples)
    }

    fn assays(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::assays)
    }

    fn models(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::models)
    }

    fn tasks(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::tasks)
    }

    fn runs(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, held::runs)
    }

    fn labels(&self, py: Python<'_>, task: String, biosample: String) -> PyResult<Table> {
        self.apart(py, |inner| held::labels(inner, &task, &biosample))
    }

    fn locate(&self, py: Python<'_>, text: String, part: &str) -> PyResult<Coordinates> {
        let Some(part) = GenePart::from_name(part) else {
            return Err(errors::value(format!(
                "`{part}` is no part of a gene; it is promoter, body or tss"
            )));
        };
        self.apart(py, |inner| places::locate(inner, &text, part))
    }

    #[pyo3(signature = (place, resolution, model = None))]
    fn bins(
        &self,
        py: Python<'_>,
        place: Coordinates,
        resolution: &str,
        model: Option<String>,
    ) -> PyResult<Table> {
        let scale = intervals::resolution(resolution)?;
        self.apart(py, |inner| {
            places::bins(inner, &place, scale, model.as_deref())
        })
    }

    #[pyo3(signature = (place, resolution, model = None))]
    fn factors(
        &self,
        py: Python<'_>,
        place: Coordinates,
        resolution: &str,
        model: Option<String>,
    ) -> PyResult<Array> {
        let scale = intervals::resolution(resolution)?;
        self.apart(py, |inner| {
            numbers::factors(inner, &place, scale, model.as_deref())
        })
    }

    #[pyo3(signature = (place, model = None))]
    fn embedding(
        &self,
        py: Python<'_>,
        place: Coordinates,
        model: Option<String>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            numbers::embedding(inner, &place, model.as_deref())
        })
    }

    #[pyo3(signature = (places, model = None))]
    fn mean_embeddings(
        &self,
        py: Python<'_>,
        places: Vec<Coordinates>,
        model: Option<String>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            numbers::mean_embeddings(inner, &places, model.as_deref())
        })
    }

    fn signal(
        &self,
        py: Python<'_>,
        place: Coordinates,
        biosample: String,
        assay: String,
        invert: bool,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            numbers::signal(inner, &place, &biosample, &assay, invert)
        })
    }

    fn mean_signals(
        &self,
        py: Python<'_>,
        places: Vec<Coordinates>,
        tracks: Vec<(String, String)>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| numbers::mean_signals(inner, &places, &tracks))
    }

    #[pyo3(signature = (of_assays, model = None))]
    fn sample_factors(
        &self,
        py: Python<'_>,
        of_assays: bool,
        model: Option<String>,
    ) -> PyResult<(Vec<String>, Array)> {
        self.apart(py, |inner| {
            numbers::sample_factors(inner, of_assays, model.as_deref())
        })
    }

    /// The name of a model; of the default one if none is given.
    #[pyo3(signature = (model = None))]
    fn model_name(&self, py: Python<'_>, model: Option<String>) -> PyResult<String> {
        self.apart(py, |inner| {
            Ok(inner.model(model.as_deref())?.model.record().name.clone())
        })
    }

    /// How many factors a position has at 25 bp, 250 bp and 5 kbp.
    #[pyo3(signature = (model = None))]
    fn widths(&self, py: Python<'_>, model: Option<String>) -> PyResult<[usize; 3]> {
        self.apart(py, |inner| {
            Ok(inner.model(model.as_deref())?.model.genome_widths())
        })
    }

    /// Searches for places like some.
    #[pyo3(signature = (request, model = None))]
    fn similar(&self, py: Python<'_>, request: Request, model: Option<String>) -> PyResult<Table> {
        self.apart(py, |inner| {
            search::similar(inner, &request, model.as_deref())
        })
    }

    /// What makes the distances of hits: one row each for a hit's assays, biosamples, tracks or resolutions.
    #[pyo3(signature = (request, by, model = None))]
    fn shares(
        &self,
        py: Python<'_>,
        request: Request,
        by: &str,
        model: Option<String>,
    ) -> PyResult<Table> {
        let by = By::from_name(by)?;
        self.apart(py, |inner| {
            shares::shares(inner, &request, by, model.as_deref())
        })
    }
}
