//! Everything that repeats a run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::features::{MatrixSource, Pooling};
use super::folds::FoldSettings;
use super::learners::Calibration;
use super::{FeatureSet, Learner, Target, TaskError};
use crate::Bug;

/// Above which label an example is positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// At or above a number.
    At(f64),
    /// Above the median of the labels: half are positive (`"median"`).
    Median(Median),
}

/// The word `median`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Median {
    /// The median.
    Median,
}

impl std::str::FromStr for Threshold {
    type Err = TaskError;

    fn from_str(text: &str) -> Result<Self, TaskError> {
        if text == "median" {
            return Ok(Threshold::Median(Median::Median));
        }
        match text.parse::<f64>() {
            Ok(at) if at.is_finite() => Ok(Threshold::At(at)),
            _ => Err(TaskError::Settings(format!(
                "`{text}` is no threshold; expected a number, or median"
            ))),
        }
    }
}

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSettings {
    /// The task's name.
    pub task: String,
    /// The biosamples whose labels are learned from.
    pub train_biosamples: Vec<String>,
    /// The biosamples whose labels are predicted.
    pub test_biosamples: Vec<String>,
    /// The feature sets.
    pub features: Vec<FeatureSet>,
    /// The learner.
    pub learner: Learner,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// How examples are divided.
    pub folds: FoldSettings,
    /// What is learned; the kind's own when not given.
    pub target: Option<Target>,
    /// Above which label an example is positive; 0.5 when not given.
    pub threshold: Option<Threshold>,
    /// Bins before a gene's start.
    pub upstream_bins: u64,
    /// How windows are pooled.
    pub pooling: Vec<Pooling>,
    /// The assays of `signal` and its like; all when empty.
    pub assays: Vec<String>,
    /// The user's matrices.
    pub matrices: Vec<MatrixSource>,
    /// CpG islands, for the baseline.
    pub cpg: Option<PathBuf>,
    /// Whether to choose the learner's settings in inner folds.
    pub tune: bool,
    /// Keep this many features, chosen inside the fold.
    pub select: Option<usize>,
    /// How scores are made probabilities.
    pub calibrate: Calibration,
    /// Whether to measure the importance of groups of features.
    pub importance: bool,
    /// The network never saw the examples that are tested: those of the regions that the model was
    /// extended by.
    pub inductive: bool,
    /// Bootstrap replicates.
    pub bootstrap: usize,
    /// The seed.
    pub seed: u64,
}

impl Default for RunSettings {
    fn default() -> Self {
        RunSettings {
            task: String::new(),
            train_biosamples: Vec::new(),
            test_biosamples: Vec::new(),
            features: Vec::new(),
            learner: Learner::Gbm,
            model: None,
            folds: FoldSettings::default(),
            target: None,
            threshold: None,
            upstream_bins: 80,
            pooling: vec![Pooling::Mean],
            assays: Vec::new(),
            matrices: Vec::new(),
            cpg: None,
            tune: false,
            select: None,
            calibrate: Calibration::None,
            importance: false,
            inductive: false,
            bootstrap: 1_000,
            seed: 0,
        }
    }
}

impl RunSettings {
    /// # Errors
    /// When they contradict themselves.
    pub fn check(&self) -> Result<(), TaskError> {
        let refuse = |message: &str| Err(TaskError::Settings(message.to_string()));
        if self.features.is_empty() {
            return refuse(
                "a run needs features (option `features`), such as embedding,signal,embedding+signal",
            );
        }
        if let Some(i) =
            (1..self.features.len()).find(|i| self.features[..*i].contains(&self.features[*i]))
        {
            return refuse(&format!(
                "feature set {} is asked for twice",
                self.features[i]
            ));
        }
        if self.train_biosamples.is_empty() != self.test_biosamples.is_empty() {
            return refuse(
                "biosamples to train on need biosamples to test on, and the other way round",
            );
        }
        if self.pooling.is_empty() {
            return refuse("windows need a way of pooling: mean, max, quantiles or per-bin");
        }
        if self.upstream_bins > 4_000 {
            return refuse("a promoter of more than 4,000 bins (100 kb) is none");
        }
        if self.select == Some(0) {
            return refuse("0 features cannot be selected");
        }
        if self.target == Some(Target::Regression)
            && (self.threshold.is_some() || self.calibrate != Calibration::None)
        {
            return refuse("numbers have neither a threshold nor a calibration");
        }
        if self.inductive
            && !self
                .features
                .iter()
                .any(|f| f.terms.iter().any(|t| t.needs_model()))
        {
            return refuse("option `inductive` is about a model's features; none is asked for");
        }
        Ok(())
    }

    /// The settings' checksum, with those of everything that they name: equal for runs that must
    /// give the same numbers.
    ///
    /// # Errors
    /// None that settings can cause: they are plain data.
    pub(crate) fn key(&self, inputs: &[(String, String)]) -> Result<String, Bug> {
        let text = serde_json::to_string(&(self, inputs))
            .map_err(|e| Bug::new(format!("a run's settings are no JSON ({e})")))?;
        Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_and_contradictions_are_refused() {
        let mut settings = RunSettings {
            task: "expression".into(),
            train_biosamples: vec!["E003".into()],
            test_biosamples: vec!["E003".into()],
            features: vec!["embedding+signal".parse().unwrap()],
            threshold: Some("median".parse().unwrap()),
            ..RunSettings::default()
        };
        settings.check().unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<RunSettings>(&text).unwrap(),
            settings
        );
        let key_of =
            |settings: &RunSettings, inputs: &[(String, String)]| settings.key(inputs).unwrap();
        let key = key_of(&settings, &[]);
        settings.threshold = Some("0.5".parse().unwrap());
        assert_ne!(key_of(&settings, &[]), key);
        assert_ne!(
            key_of(&settings, &[("task".into(), "a".into())]),
            key_of(&settings, &[])
        );
        settings.target = Some(Target::Regression);
        assert!(
            settings
                .check()
                .unwrap_err()
                .to_string()
                .contains("threshold")
        );
        settings.threshold = None;
        settings.features = vec![];
        assert!(settings.check().is_err());
        assert!("half".parse::<Threshold>().is_err());
        assert!(serde_json::from_str::<RunSettings>(r#"{"tasc": "x"}"#).is_err());
    }
}
