//! Everything that repeats a run.

use persea_vocabulary::vocabulary;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::features::{MatrixSource, Pooling};
use super::folds::FoldSettings;
use super::learners::Calibration;
use super::table_settings::TableSettings;
use super::windows::Reach;
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
                "`{text}` is not a threshold; expected a number, or median"
            ))),
        }
    }
}

vocabulary! {
    /// A window around a gene's transcription start that has a name: the bin of the start and 80 bins
    /// on either side, or the Avocado paper's, the bin of the start and the 80 bins upstream of it.
    /// Most of a promoter's H3K4me3 lies downstream, which the latter does not see.
    pub enum GeneWindow {
        /// 2 kb on either side of the TSS
        Symmetric = "symmetric",
        /// 2 kb upstream of the TSS, as in the Avocado paper
        Paper = "paper",
    }
}

impl GeneWindow {
    /// Bins upstream and downstream of the bin of the start.
    pub const fn bins(self) -> (u64, u64) {
        match self {
            GeneWindow::Symmetric => (80, 80),
            GeneWindow::Paper => (80, 0),
        }
    }
}

vocabulary! {
    /// Which pairs the baseline `promoter frequency` counts.
    pub enum FrequencyOf {
        /// The pairs that the learner is trained on
        Training = "training",
        /// All pairs of the task, as runs stored by earlier versions
        Task = "task",
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
    /// Bins upstream of the bin that a gene's transcription starts in.
    pub upstream_bins: u64,
    /// Bins downstream of it. Runs that were stored before this could be chosen had none.
    #[serde(default)]
    pub downstream_bins: u64,
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
    /// Bootstrap replicates at least: more are drawn where corrected p need them, none if 0.
    pub bootstrap: usize,
    /// How often the examples are divided into folds and learned anew, each time with another
    /// seed; 10 for up to [`FEW_EXAMPLES`](Self::FEW_EXAMPLES) predictions and 1 for more when not
    /// given. Runs that were stored before this could be chosen divided them once.
    #[serde(default = "once")]
    pub partitions: Option<usize>,
    /// The feature set that the others are compared with; `signal-scales` or else `signal`, where
    /// the run has it, when not given.
    pub reference: Option<FeatureSet>,
    /// Which pairs `promoter frequency` counts.
    #[serde(default = "of_task")]
    pub promoter_frequency: FrequencyOf,
    /// The seed.
    pub seed: u64,
    /// The tables of a task whose features are columns of its own files; such a task is not imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSettings>,
}

const fn once() -> Option<usize> {
    Some(1)
}

const fn of_task() -> FrequencyOf {
    FrequencyOf::Task
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
            upstream_bins: GeneWindow::Symmetric.bins().0,
            downstream_bins: GeneWindow::Symmetric.bins().1,
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
            partitions: None,
            reference: None,
            promoter_frequency: FrequencyOf::Training,
            seed: 0,
            table: None,
        }
    }
}

impl RunSettings {
    /// Up to so many predictions examples are divided into folds 10 times by default.
    pub const FEW_EXAMPLES: usize = 2_000;

    /// How far a gene's window reaches.
    pub(crate) const fn reach(&self) -> Reach {
        Reach {
            upstream: self.upstream_bins,
            downstream: self.downstream_bins,
        }
    }

    /// How often examples are divided into folds.
    pub(crate) fn n_partitions(&self, n_predictions: usize) -> usize {
        self.partitions
            .unwrap_or(match n_predictions <= Self::FEW_EXAMPLES {
                true => 10,
                false => 1,
            })
    }

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
        if self.upstream_bins.saturating_add(self.downstream_bins) > 4_000 {
            return refuse("a gene's window may have 4,000 bins (100 kb) at most");
        }
        if !matches!(self.partitions, None | Some(1..=1_000)) {
            return refuse("examples are divided into folds between 1 and 1,000 times");
        }
        if let Some(reference) = &self.reference
            && !self.features.contains(reference)
        {
            return refuse(&format!(
                "the reference {reference} must be one of the feature sets"
            ));
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

    #[test]
    fn settings_stored_before_windows_reached_downstream_keep_their_meaning() {
        let old = r#"{"task": "expression", "upstream_bins": 80, "bootstrap": 1000}"#;
        let old: RunSettings = serde_json::from_str(old).unwrap();
        assert_eq!((old.upstream_bins, old.downstream_bins), (80, 0));
        assert_eq!(old.partitions, Some(1));
        assert_eq!(old.promoter_frequency, FrequencyOf::Task);
        // A new run's own are kept as they are, the automatic number of partitions too.
        let new = RunSettings::default();
        assert_eq!((new.upstream_bins, new.downstream_bins), (80, 80));
        let text = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<RunSettings>(&text).unwrap(), new);
        assert_eq!((new.n_partitions(2_000), new.n_partitions(2_001)), (10, 1));
    }
}
