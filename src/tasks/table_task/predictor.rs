//! A predictor that leaves the database: the columns it reads, their scaling and their weights.

use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::examples::Examples;
use super::{TablePreset, TaskError};
use crate::files::{FileError, write_text};
use crate::store::Run;
use crate::tasks::learners::logistic_weights;

/// The penalty of the logistic regression, beside the mean loss of an example: there are a handful
/// of features and thousands of examples.
pub(super) const PENALTY: f64 = 1e-4;
/// Bytes of a predictor's file at most.
const MOST_BYTES: u64 = 1 << 20;

/// A logistic regression of standardised features. A file of it is JSON that other programs can
/// evaluate: the log-odds are `intercept` + Σ `weight` (x − `mean`) / `deviation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePredictor {
    /// The preset, which says how columns become features.
    pub preset: TablePreset,
    /// The version of Persea that made it.
    pub persea: String,
    /// The file that it was trained on.
    pub trained_on: String,
    /// BLAKE3 of that file, in hexadecimal.
    pub checksum: String,
    /// Examples that it was trained on.
    pub n: usize,
    /// How many of them are positive.
    pub n_positive: usize,
    /// The constant of the log-odds.
    pub intercept: f64,
    /// The features.
    pub features: Vec<PredictorFeature>,
}

/// A feature of a predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorFeature {
    /// The column.
    pub column: String,
    /// How the column becomes the feature.
    pub transform: String,
    /// The mean over the training examples.
    pub mean: f64,
    /// The standard deviation there.
    pub deviation: f64,
    /// The weight of the standardised feature.
    pub weight: f64,
}

impl TablePredictor {
    /// Trains on labelled examples, with the features of those names.
    pub(super) fn train(
        path: &Path,
        preset: TablePreset,
        examples: &Examples,
        labels: &[f64],
        names: &[String],
    ) -> Result<Self, TaskError> {
        let values = examples.matrix(path, names)?;
        let n = labels.len();
        let n_positive = labels.iter().filter(|l| **l > 0.5).count();
        if n_positive == 0 || n_positive == n {
            let which = if n_positive == 0 { "FALSE" } else { "TRUE" };
            let message = format!("its {n} labels are all {which}: nothing can be learned");
            return Err(TaskError::file(path, message));
        }
        let mut features = Vec::new();
        for (c, name) in names.iter().enumerate() {
            let column = || values.iter().skip(c).step_by(names.len());
            let mean = column().sum::<f64>() / n as f64;
            let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
            let deviation = variance.sqrt();
            features.push(PredictorFeature {
                column: name.clone(),
                transform: super::transform_of(preset, name)?.to_string(),
                mean,
                // A constant column says nothing: whatever it is divided by, it is 0 in training.
                deviation: if deviation > 1e-9 * (1.0 + mean.abs()) {
                    deviation
                } else {
                    1.0
                },
                weight: 0.0,
            });
        }
        let standardised = |(at, v): (usize, &f64)| {
            let feature = &features[at % names.len()];
            (v - feature.mean) / feature.deviation
        };
        let x: Vec<f64> = values.iter().enumerate().map(standardised).collect();
        let x = Array2::from_shape_vec((n, names.len()), x)
            .map_err(|e| crate::Bug::new(format!("features of a table are no matrix ({e})")))?;
        let (weights, intercept) =
            logistic_weights(&x, labels, PENALTY).map_err(|message| TaskError::Learner {
                learner: "logistic",
                message,
            })?;
        for (feature, weight) in features.iter_mut().zip(&weights) {
            feature.weight = *weight;
        }
        Ok(TablePredictor {
            preset,
            persea: env!("CARGO_PKG_VERSION").into(),
            trained_on: path.display().to_string(),
            checksum: examples.checksum.clone(),
            n,
            n_positive,
            intercept,
            features,
        })
    }

    /// The columns that it reads.
    pub(super) fn names(&self) -> Vec<String> {
        self.features.iter().map(|f| f.column.clone()).collect()
    }

    /// The probability that each example is positive.
    pub(super) fn predict(&self, path: &Path, examples: &Examples) -> Result<Vec<f64>, TaskError> {
        if self.features.is_empty() {
            return Err(TaskError::Features("the predictor has no feature".into()));
        }
        let values = examples.matrix(path, &self.names())?;
        let of_row = |row: &[f64]| {
            let terms = self.features.iter().zip(row);
            let sum: f64 = terms
                .map(|(f, v)| f.weight * (v - f.mean) / f.deviation)
                .sum();
            1.0 / (1.0 + (-(self.intercept + sum)).exp())
        };
        Ok(values.chunks(self.features.len()).map(of_row).collect())
    }

    /// The predictor that a run on tables stored.
    ///
    /// # Errors
    /// When the run is of another kind, or damaged.
    pub fn of_run(run: &Run) -> Result<Self, TaskError> {
        let why = |why: String| TaskError::Stored { run: run.id, why };
        match &run.result["predictor"] {
            serde_json::Value::Null => Err(TaskError::Settings(format!(
                "run {} has no predictor: only runs on tables (option `train`) store one",
                run.id
            ))),
            stored => serde_json::from_value(stored.clone())
                .map_err(|e| why(format!("its predictor: {e}"))),
        }
    }

    /// Reads a predictor from its file.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, TaskError> {
        let failed = |e| FileError::read(path.display(), e);
        let found = std::fs::metadata(path).map_err(failed)?;
        if !found.is_file() || found.len() > MOST_BYTES {
            return Err(TaskError::file(
                path,
                "it is not a predictor: a regular file below 1 MB",
            ));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let predictor: Self = serde_json::from_str(&text).map_err(|e| {
            let message = format!("it is not a predictor of `persea task run` ({e})");
            TaskError::file(path, message)
        })?;
        let numbers = predictor.features.iter();
        let sound = numbers.flat_map(|f| [f.mean, f.weight, f.deviation, 1.0 / f.deviation]);
        if !sound.chain([predictor.intercept]).all(f64::is_finite) {
            return Err(TaskError::file(
                path,
                "a number of the predictor is not finite",
            ));
        }
        for feature in &predictor.features {
            let transform = super::transform_of(predictor.preset, &feature.column)
                .map_err(|e| TaskError::file(path, e.to_string()))?;
            if transform != feature.transform {
                let message = format!(
                    "column `{}` is read as {transform} here, and as {} in the predictor",
                    feature.column, feature.transform
                );
                return Err(TaskError::file(path, message));
            }
        }
        Ok(predictor)
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TaskError> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|e| crate::Bug::new(format!("a predictor is no JSON ({e})")))?;
        text.push('\n');
        Ok(write_text(path, text.as_bytes())?)
    }
}
