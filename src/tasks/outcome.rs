//! What a run came to, before and when it is stored.

use serde_json::json;

use super::TaskError;
use super::result::{Family, RunResult};
use super::settings::RunSettings;
use crate::store::{Database, NewRun};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It makes the features of a term.
    Features(String),
    /// It learns and predicts with a feature set or baseline: which, of how many.
    Row(String, usize, usize),
}

/// A run that has not been stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The settings.
    pub settings: RunSettings,
    /// What came out.
    pub result: RunResult,
    /// A number for each prediction: `example` (its place in the task), `biosample` (its place
    /// among the biosamples of the run), `label`, `fold`, `unit`, and one column a row of the
    /// table, named like it.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl Outcome {
    /// Stores it; the run's number.
    ///
    /// # Errors
    /// When the database can only be read.
    pub fn store(&self, database: &Database) -> crate::Result<i64> {
        Ok(database.save_run(&NewRun {
            key: (self.settings.key(&self.result.inputs)).map_err(TaskError::from)?,
            task: self.settings.task.clone(),
            settings: json!(self.settings),
            result: json!(self.result),
            columns: self.columns.clone(),
        })?)
    }
}

/// What was tested.
pub(super) fn family_note(family: &Family) -> Option<String> {
    let mut against: Vec<&str> = family.reference.iter().map(String::as_str).collect();
    against.push("the best baseline");
    (family.n > 0).then(|| {
        format!(
            "tested: each feature set against {}, pooled and within; {} p, corrected together by \
             Holm's method (p_holm), from {} replicates",
            against.join(" and "),
            family.n,
            family.replicates
        )
    })
}
