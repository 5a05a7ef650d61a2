//! Downstream tasks: do learned factors beat raw signal?
//!
//! Owns labels and their import, feature sets, folds, learners, baselines, scores and their
//! spread, and runs that can be repeated. Figures are left to `plot`, reading of signal and
//! factors to the modules above.
//!
//! Data goes one way: labels ([`import()`]) → rows with windows → [`FeatureSet`]s, pooled over the
//! windows → folds of whole units → a [`Learner`] for each fold, which sees nothing of the fold it
//! predicts (standardisation, imputation of missing features, selection, principal components,
//! tuning and calibration included) → out-of-fold predictions, pooled → measures with intervals
//! over units, and paired comparisons. [`run()`] does all of it; the baselines stand in every table.
//!
//! ```no_run
//! use persea::store::Database;
//! use persea::tasks::{Learner, RunSettings, run};
//!
//! let database = Database::open("pilot.persea".as_ref())?;
//! let settings = RunSettings {
//!     task: "expression".into(),
//!     train_biosamples: vec!["E003".into()],
//!     test_biosamples: vec!["E003".into()],
//!     features: vec!["embedding".parse()?, "signal".parse()?],
//!     learner: Learner::Gbm,
//!     ..RunSettings::default()
//! };
//! let outcome = run(&database, &settings, &mut |_| {})?;
//! for row in &outcome.result.rows {
//!     println!("{} {:?}", row.name, row.measures["average_precision"].value);
//! }
//! # Ok::<(), persea::Error>(())
//! ```

mod baselines;
mod compare;
mod error;
mod features;
mod fold;
mod folds;
#[cfg(test)]
mod golden;
mod import;
mod importance;
mod kind;
mod leakage;
mod learners;
mod outcome;
mod predictions;
mod result;
mod rows;
mod run;
mod score;
mod scorer;
mod settings;
mod suite;
mod table_settings;
mod table_task;
#[cfg(test)]
mod tests;
mod windows;

pub use error::TaskError;
pub use features::{FeatureSet, MatrixSource, Pooling, Term, UserMatrix};
pub use folds::{FoldKind, FoldSettings};
pub use import::{ImportOptions, ImportReport, ImportedLabels, LabelColumns, import};
pub use importance::Importance;
pub use kind::{Target, TaskKind};
pub use learners::{Calibration, Learner, Parameters};
pub use outcome::{Outcome, Progress};
pub use predictions::{PredictedRow, Predictions, predictions};
pub use result::{
    Against, Comparison, Family, FoldScore, LeftOut, RowKind, RowResult, RunResult, Subset,
};
pub use run::{rerun, run};
pub(crate) use score::higher_is_better;
pub use score::{Measured, Spread, measure_names, within_name};
pub use settings::{FrequencyOf, GeneWindow, RunSettings, Threshold};
pub use suite::{Suite, SuiteEvent, SuiteImport, SuiteItem, SuiteRun, run_suite, shipped_suites};
pub use table_settings::{TablePreset, TableSettings};
pub use table_task::{
    PredictorFeature, TableOutcome, TablePrediction, TablePredictor, TableTest, run_table,
};
