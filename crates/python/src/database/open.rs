//! What is open behind a database's handle: models, indices, tracks.
//!
//! What was looked up is used again until something has been committed, by whatever process: such a call reads
//! none of SQLite's tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use persea::genome::{Gene, GenomeAxis};
use persea::model::TrainedModel;
use persea::search::{Annotation, Metric, Searcher};
use persea::store::{SignalArray, Track};
use pyo3::PyResult;

use crate::errors::{self, of};

/// A state of the database: see [`persea::store::Database::changes`].
type State = (i64, u64);

/// A model that has been opened, and what was made of it.
pub struct OpenModel {
    pub model: TrainedModel,
    searchers: Mutex<HashMap<&'static str, Arc<Searcher>>>,
    annotation: OnceLock<Arc<Annotation>>,
}

/// A track with its array.
pub struct OpenTrack {
    pub track: Track,
    pub signal: SignalArray,
}

/// What is open, by the name that was asked for, with the state in which it was looked up.
type Known<K, T> = Mutex<HashMap<K, (State, Arc<T>)>>;

pub struct Inner {
    pub database: persea::store::Database,
    models: Known<Option<String>, OpenModel>,
    /// By biosample and assay.
    tracks: Known<(String, String), OpenTrack>,
    genes: OnceLock<Vec<Gene>>,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub fn new(database: persea::store::Database) -> Self {
        Inner {
            database,
            models: Mutex::default(),
            tracks: Mutex::default(),
            genes: OnceLock::new(),
        }
    }

    /// The model of that name, or the default one, as the database has it now.
    pub fn model(&self, name: Option<&str>) -> PyResult<Arc<OpenModel>> {
        let state = self.database.changes().map_err(of)?;
        let asked = name.map(str::to_string);
        if let Some((known, open)) = locked(&self.models).get(&asked)
            && *known == state
        {
            return Ok(Arc::clone(open));
        }
        let stored = self.database.read_model(name).map_err(of)?;
        let is_same = |open: &&Arc<OpenModel>| {
            let known = open.model.stored();
            (known.id, &known.checksum, &known.record.name)
                == (stored.id, &stored.checksum, &stored.record.name)
        };
        let known = {
            let models = locked(&self.models);
            models.values().map(|(_, open)| open).find(is_same).cloned()
        };
        let open = match known {
            Some(open) => open,
            None => {
                let name = Some(stored.record.name.as_str());
                Arc::new(OpenModel {
                    model: TrainedModel::open_embedding(&self.database, name).map_err(of)?,
                    searchers: Mutex::default(),
                    annotation: OnceLock::new(),
                })
            }
        };
        locked(&self.models).insert(asked, (state, Arc::clone(&open)));
        Ok(open)
    }

    /// A model's index, open.
    pub fn searcher(&self, model: &OpenModel, metric: Metric) -> PyResult<Arc<Searcher>> {
        // Held while the index is opened, so that two threads do not write it.
        let mut searchers = locked(&model.searchers);
        if let Some(searcher) = searchers.get(metric.name()) {
            return Ok(Arc::clone(searcher));
        }
        let searcher = Searcher::open(&self.database, &model.model, metric).map_err(of)?;
        let searcher = Arc::new(searcher);
        searchers.insert(metric.name(), Arc::clone(&searcher));
        Ok(searcher)
    }

    /// What lies on a model's axis.
    pub fn annotation(&self, model: &OpenModel) -> PyResult<Arc<Annotation>> {
        if let Some(annotation) = model.annotation.get() {
            return Ok(Arc::clone(annotation));
        }
        let annotation = Annotation::read(&self.database, model.model.axis()).map_err(of)?;
        Ok(Arc::clone(
            model.annotation.get_or_init(|| Arc::new(annotation)),
        ))
    }

    pub fn genes(&self) -> PyResult<&[Gene]> {
        if let Some(genes) = self.genes.get() {
            return Ok(genes);
        }
        let genes = self.database.genes().map_err(of)?;
        Ok(self.genes.get_or_init(|| genes))
    }

    /// A track, as the database has it now.
    pub fn track(&self, biosample: &str, assay: &str) -> PyResult<Arc<OpenTrack>> {
        let state = self.database.changes().map_err(of)?;
        let asked = (biosample.to_string(), assay.to_string());
        let known = locked(&self.tracks).get(&asked).cloned();
        if let Some((then, open)) = &known
            && *then == state
        {
            return Ok(Arc::clone(open));
        }
        let Some(track) = self.database.track(biosample, assay).map_err(of)? else {
            return Err(errors::StoreError::new_err(format!(
                "there is no track {biosample} {assay}; `tracks()` lists all"
            )));
        };
        let open = match known {
            Some((_, open)) if open.track == track => open,
            _ => Arc::new(OpenTrack {
                signal: self.database.signal(&track).map_err(of)?,
                track,
            }),
        };
        locked(&self.tracks).insert(asked, (state, Arc::clone(&open)));
        Ok(open)
    }

    /// Works with the axis of a model, or the database's own.
    pub fn with_axis<T>(
        &self,
        model: Option<&str>,
        work: impl FnOnce(&GenomeAxis) -> PyResult<T>,
    ) -> PyResult<T> {
        match model {
            None => work(self.database.axis()),
            Some(name) => work(self.model(Some(name))?.model.axis()),
        }
    }
}
