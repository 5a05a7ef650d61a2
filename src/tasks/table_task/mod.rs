//! Tasks whose features are columns of their own table: no database and no embedding is needed.
//!
//! A table of examples with labels is divided by chromosome; learners are trained on the other
//! folds, beside scores for which nothing is learned. A logistic regression on all examples is the
//! predictor that leaves the database: it predicts tables of other cell types.

mod examples;
mod predictor;
mod preset;
mod scored;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::features::{Column, Computed, Features};
use super::learners::Parameters;
use super::outcome::{Outcome, Progress};
use super::result::{RowKind, RunResult};
use super::scorer::Spec;
use super::settings::RunSettings;
use super::table_settings::{TablePreset, TableSettings};
use super::{Learner, TaskError};
use crate::store::{Database, NewRun};
use examples::Examples;
pub use predictor::{PredictorFeature, TablePredictor};
use preset::{Transform, layout};
use scored::{baselines, score};

/// What a run on tables came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOutcome {
    /// The comparison on folds of the training table's chromosomes.
    pub outcome: Outcome,
    /// What was trained on the whole training table.
    pub predictor: TablePredictor,
    /// What the predictor came to on the test table.
    pub test: Option<TableTest>,
}

/// A predictor on a table that it was not trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct TableTest {
    /// Its scores; `None` where the table has no labels.
    pub result: Option<RunResult>,
    /// The predictions, in the order of the table.
    pub predictions: Vec<TablePrediction>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The prediction of one example of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePrediction {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its name.
    pub example: String,
    /// Its cell type.
    pub cell_type: String,
    /// 0 or 1, where it has a label.
    pub label: Option<f64>,
    /// The probability that it is positive.
    pub probability: f64,
}

/// Learners that are compared on folds.
const LEARNERS: [Learner; 3] = [Learner::Logistic, Learner::Gbm, Learner::Forest];

/// How a column becomes a feature, as it is written in a predictor.
fn transform_of(preset: TablePreset, column: &str) -> Result<&'static str, TaskError> {
    let features = layout(preset).features;
    let found = features.iter().find(|f| f.name == column);
    let feature = found.ok_or_else(|| {
        TaskError::Features(format!(
            "`{column}` is no feature of the preset {}",
            preset.name()
        ))
    })?;
    Ok(match feature.transform {
        Transform::LogDistance => "log10(max(x, 1))",
        Transform::LogSignal => "ln(1 + x), missing: 0",
        Transform::Flag => "x, missing: 0",
    })
}

/// The checksums of the tables that a run reads.
pub(super) fn checksums(table: &TableSettings) -> Result<Vec<(String, String)>, TaskError> {
    let of = |path: &PathBuf| {
        let name = format!("table {}", path.display());
        Ok((name, super::import::file_checksum(path)?))
    };
    [Some(&table.train), table.test.as_ref()]
        .into_iter()
        .flatten()
        .map(of)
        .collect()
}

/// Compares learners on a table, trains the predictor on all of it, and tests it on another.
///
/// # Errors
/// When a table cannot be read or learned from, or settings contradict themselves.
pub fn run_table(
    settings: &RunSettings,
    table: &TableSettings,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<TableOutcome> {
    let began = Instant::now();
    let layout = layout(table.preset);
    let train = Examples::read(&table.train, table.preset)?;
    let test = match &table.test {
        Some(path) => Some((path, Examples::read(path, table.preset)?)),
        None => None,
    };
    let Some(labels) = train.labels.clone() else {
        let message = format!("there is no column `{}` to learn from", layout.label);
        return Err(TaskError::file(&table.train, message).into());
    };
    let in_test = |n: &&str| test.as_ref().is_none_or(|(_, t)| t.names.contains(n));
    let names: Vec<String> = (train.names.iter().filter(|n| in_test(n)))
        .map(|n| n.to_string())
        .collect();
    let predictor = TablePredictor::train(&table.train, table.preset, &train, &labels, &names)?;
    let settings = RunSettings {
        task: table.preset.name().into(),
        train_biosamples: train.cell_types.clone(),
        test_biosamples: train.cell_types.clone(),
        learner: Learner::Logistic,
        table: Some(table.clone()),
        ..settings.clone()
    };
    let values: Vec<f32> = train
        .matrix(&table.train, &names)?
        .iter()
        .map(|v| *v as f32)
        .collect();
    let column = |name: &String| Column {
        name: name.clone(),
        group: name.clone(),
    };
    let features = Arc::new(Features {
        columns: names.iter().map(column).collect(),
        values,
        reduce_to: None,
        counted: None,
    });
    let spec = |learner: Learner| Spec {
        name: learner.name().into(),
        kind: RowKind::Features,
        learner: Some(learner),
        features: Some(Computed {
            terms: vec![Arc::clone(&features)],
        }),
        // Thousands of examples and a handful of features need little of a penalty.
        parameters: (learner == Learner::Logistic).then_some(Parameters::Penalised {
            penalty: predictor::PENALTY,
            l1_share: 0.0,
        }),
        fixed: None,
    };
    let mut specs: Vec<Spec> = LEARNERS.into_iter().map(spec).collect();
    specs.extend(baselines(&train));
    let mut outcome = score(table.preset, &settings, &train, &labels, &specs, progress)?;
    outcome.result.inputs = checksums(table)?;
    outcome.result.notes.extend(train.notes.clone());
    outcome.result.notes.push(layout.note.into());
    let dropped: Vec<&str> = (train.names.iter().filter(|n| !in_test(n)))
        .copied()
        .collect();
    if !dropped.is_empty() {
        outcome.result.notes.push(format!(
            "{} is not read: the test table lacks it",
            dropped.join(", ")
        ));
    }
    let test = match test {
        Some((path, examples)) => Some(test_examples(&predictor, path, examples, &settings)?),
        None => None,
    };
    outcome.result.seconds = began.elapsed().as_secs_f64();
    Ok(TableOutcome {
        outcome,
        predictor,
        test,
    })
}

impl TableOutcome {
    /// Stores the run with its predictor; the run's number.
    ///
    /// # Errors
    /// When the database can only be read.
    pub fn store(&self, database: &Database) -> crate::Result<i64> {
        let Outcome {
            settings,
            result,
            columns,
        } = &self.outcome;
        let mut stored = json!(result);
        stored["predictor"] = json!(self.predictor);
        stored["test"] = json!(self.test.as_ref().and_then(|t| t.result.as_ref()));
        Ok(database.save_run(&NewRun {
            key: settings.key(&result.inputs).map_err(TaskError::from)?,
            task: settings.task.clone(),
            settings: json!(settings),
            result: stored,
            columns: columns.clone(),
        })?)
    }
}

impl TablePredictor {
    /// Predicts the examples of a table, and scores the predictions where it has labels. Of
    /// `settings`, the bootstrap's replicates and the seed count.
    ///
    /// # Errors
    /// When the table cannot be read, or lacks a column that the predictor reads.
    pub fn test(&self, table: &Path, settings: &RunSettings) -> crate::Result<TableTest> {
        let examples = Examples::read(table, self.preset)?;
        test_examples(self, table, examples, settings)
    }
}

fn test_examples(
    predictor: &TablePredictor,
    path: &Path,
    examples: Examples,
    settings: &RunSettings,
) -> crate::Result<TableTest> {
    let probabilities = predictor.predict(path, &examples)?;
    let mut notes = examples.notes.clone();
    if predictor.checksum == examples.checksum {
        notes.push(format!(
            "{} is the table that the predictor was trained on: its scores there are too good",
            path.display()
        ));
    }
    let result = match &examples.labels {
        None => None,
        Some(labels) => {
            let settings = RunSettings {
                task: predictor.preset.name().into(),
                train_biosamples: examples.cell_types.clone(),
                test_biosamples: examples.cell_types.clone(),
                learner: Learner::Logistic,
                partitions: Some(1),
                ..settings.clone()
            };
            let mut specs = vec![Spec {
                name: "predictor".into(),
                kind: RowKind::Features,
                learner: None,
                features: None,
                parameters: None,
                fixed: Some(probabilities.clone()),
            }];
            specs.extend(baselines(&examples));
            let preset = predictor.preset;
            let mut outcome = score(preset, &settings, &examples, labels, &specs, &mut |_| {})?;
            outcome.result.notes.extend(notes.clone());
            Some(outcome.result)
        }
    };
    let prediction = |(i, probability): (usize, f64)| TablePrediction {
        line: examples.lines[i],
        example: examples.examples[i].name.clone(),
        cell_type: examples.cell_types[examples.cell_type[i]].clone(),
        label: examples.labels.as_ref().map(|l| l[i]),
        probability,
    };
    let predictions = probabilities.into_iter().enumerate().map(prediction);
    Ok(TableTest {
        result,
        predictions: predictions.collect(),
        notes,
    })
}
