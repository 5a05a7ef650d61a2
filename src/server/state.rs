//! What is open between requests: the database, the models that were asked for, recent pieces of
//! bigWigs. Nothing here grows beyond a limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::error::Refusal;
use super::lock::lock;
use super::pieces::Recent;
use super::variants::Variants;
use crate::annotation::Annotation;
use crate::formats::BigWigLayout;
use crate::model::TrainedModel;
use crate::search::{Metric, Searcher};
use crate::store::{Database, Model};

/// Models that are open at once.
const MODELS: usize = 4;

pub(super) struct Open {
    pub database: Database,
    pub variants: Variants,
    models: Mutex<Vec<Arc<OpenModel>>>,
    /// Of the database's own axis, without and with gaps.
    layouts: [OnceLock<Arc<BigWigLayout>>; 2],
    pub recent: Recent,
}

/// A model with what is made of it once.
pub(super) struct OpenModel {
    pub model: TrainedModel,
    pub annotation: Annotation,
    searchers: Mutex<HashMap<&'static str, Arc<Searcher>>>,
    layout: OnceLock<Arc<BigWigLayout>>,
}

impl Open {
    pub fn new(database: Database, variants: Variants) -> Self {
        Open {
            database,
            variants,
            models: Mutex::default(),
            layouts: Default::default(),
            recent: Recent::default(),
        }
    }

    /// The model of that name, or the default one, as the database has it now.
    pub fn model(&self, name: Option<&str>) -> Result<Arc<OpenModel>, Refusal> {
        let stored = self.database.read_model(name)?;
        let is_same = |open: &Arc<OpenModel>| {
            let known = open.model.stored();
            known.id == stored.id
                && known.checksum == stored.checksum
                && known.record.name == stored.record.name
        };
        if let Some(open) = lock(&self.models).iter().find(|open| is_same(open)) {
            return Ok(Arc::clone(open));
        }
        let model = TrainedModel::open_embedding(&self.database, Some(&stored.record.name))?;
        let annotation = Annotation::read(&self.database, model.axis())?;
        let open = Arc::new(OpenModel {
            model,
            annotation,
            searchers: Mutex::default(),
            layout: OnceLock::new(),
        });
        let mut models = lock(&self.models);
        // One of that name is of before it was replaced.
        let name = &open.model.record().name;
        models.retain(|m| m.model.record().name != *name);
        if models.len() == MODELS {
            models.remove(0);
        }
        models.push(Arc::clone(&open));
        Ok(open)
    }

    /// The default model as it is stored; `None` of a database without one.
    pub fn default_model(&self) -> Result<Option<Model>, Refusal> {
        let models = self.database.list_models()?;
        Ok(models.into_iter().find(|m| m.is_default))
    }

    /// Where a bigWig of the database's own bins has what.
    pub fn layout(&self, has_gaps: bool) -> Arc<BigWigLayout> {
        let make = || Arc::new(BigWigLayout::new(self.database.axis(), has_gaps));
        Arc::clone(self.layouts[usize::from(has_gaps)].get_or_init(make))
    }
}

impl OpenModel {
    /// Its index, open.
    pub fn searcher(&self, database: &Database, metric: Metric) -> Result<Arc<Searcher>, Refusal> {
        // Held while one is opened: it takes long once, and not for each of those who wait.
        let mut searchers = lock(&self.searchers);
        if let Some(searcher) = searchers.get(metric.name()) {
            return Ok(Arc::clone(searcher));
        }
        let searcher = Arc::new(Searcher::open(database, &self.model, metric)?);
        searchers.insert(metric.name(), Arc::clone(&searcher));
        Ok(searcher)
    }

    /// Where a bigWig of its bins has what.
    pub fn layout(&self) -> Arc<BigWigLayout> {
        let make = || Arc::new(BigWigLayout::new(self.model.axis(), false));
        Arc::clone(self.layout.get_or_init(make))
    }
}
