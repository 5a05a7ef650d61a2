//! What a run comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::folds::FoldKind;
use super::importance::Importance;
use super::learners::Parameters;
use super::score::{Measured, Spread};
use super::{Learner, Target, TaskKind};

/// Whether a row of a run is what is asked about or what it has to beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// A feature set that was asked for.
    Features,
    /// What stands in every table.
    Baseline,
}

/// Examples that a run could not use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// How many.
    pub n: usize,
    /// The names of the first.
    pub names: Vec<String>,
}

/// The measures of one fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldScore {
    /// Which.
    pub fold: usize,
    /// Examples predicted.
    pub n: usize,
    /// How many of them are positive; `None` of numbers.
    pub n_positive: Option<usize>,
    /// The measures; `None` where undefined, as in a fold without positives.
    pub measures: BTreeMap<String, Option<f64>>,
    /// The learner's settings there.
    pub parameters: Option<Parameters>,
    /// After how many rounds it stopped, of a learner that does.
    pub rounds: Option<usize>,
}

/// The measures of a part of the examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subset {
    /// Which part.
    pub name: String,
    /// How many predictions.
    pub n: usize,
    /// How many of them are positive; `None` of numbers.
    pub n_positive: Option<usize>,
    /// The measures.
    pub measures: BTreeMap<String, Measured>,
}

/// A row of a run's table: a feature set, or a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowResult {
    /// The feature set, or what the baseline is called.
    pub name: String,
    /// Which of the two.
    pub kind: RowKind,
    /// The learner; `None` of a constant.
    pub learner: Option<Learner>,
    /// How many features.
    pub n_features: usize,
    /// Each measure of the pooled out-of-fold predictions, and the first one
    /// [within folds or units](super::within_name).
    pub measures: BTreeMap<String, Measured>,
    /// The first measure in each division into folds: the spread between them, which intervals over
    /// five fitted models do not know of.
    pub partitions: Option<Spread>,
    /// The first measure's mean over the folds of all divisions.
    pub fold_mean: Option<f64>,
    /// Its standard error: the standard deviation over the folds (n − 1) × √(1 / number of folds +
    /// n_test / n_train), the second term where training parts share examples (Nadeau and Bengio
    /// 2003).
    pub fold_standard_error: Option<f64>,
    /// Fold by fold, of the first division.
    pub folds: Vec<FoldScore>,
    /// Parts of the examples, such as the genes that vary.
    pub subsets: Vec<Subset>,
    /// What is lost when a group of features is shuffled; empty unless asked for.
    pub importance: Vec<Importance>,
    /// Seconds it took.
    pub seconds: f64,
}

/// What a feature set is tested against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The reference: own signal, or what was named.
    Reference,
    /// The baseline whose measure is best.
    BestBaseline,
}

/// How much better one row of a run is than another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One.
    pub a: String,
    /// The other.
    pub b: String,
    /// The measure compared.
    pub measure: String,
    /// a − b: the mean over the divisions into folds.
    pub difference: Option<f64>,
    /// Its 2.5th percentile over resampled units and divisions.
    pub low: Option<f64>,
    /// Its 97.5th percentile.
    pub high: Option<f64>,
    /// The difference in units of its own standard deviation over resamplings.
    pub effect: Option<f64>,
    /// Of the declared family: against what. Only those are tested.
    pub family: Option<Against>,
    /// Two-sided: twice the share of resamplings on the other side of 0. `None` outside of the
    /// family, and where a class lies in fewer than ten units, of which there are too few different
    /// resamplings to tell.
    pub p: Option<f64>,
    /// The same, corrected for all comparisons of the family (Holm 1979).
    pub p_holm: Option<f64>,
    /// The difference in each division into folds.
    pub partitions: Option<Spread>,
}

/// The comparisons of a run that are tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// The feature set that the others are compared with, if the run has one.
    pub reference: Option<String>,
    /// The best baseline by each measure tested.
    pub best_baselines: Vec<(String, String)>,
    /// How many p are corrected together.
    pub n: usize,
    /// Bootstrap replicates; the least p is 2 / (replicates + 1).
    pub replicates: usize,
}

/// A run's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The task's name.
    pub task: String,
    /// Its kind.
    pub kind: TaskKind,
    /// What was learned.
    pub target: Target,
    /// What the labels are (`rpkm`).
    pub unit: String,
    /// At or above which label an example is positive.
    pub threshold: Option<f64>,
    /// Predictions scored.
    pub n: usize,
    /// How many are positive; `None` of numbers.
    pub n_positive: Option<usize>,
    /// The kind of folds, after `auto` was decided.
    pub fold_kind: FoldKind,
    /// How many.
    pub n_folds: usize,
    /// Independent units, over which intervals are drawn.
    pub n_units: usize,
    /// How often the examples were divided into folds, each time with another seed.
    #[serde(default = "one")]
    pub n_partitions: usize,
    /// The measure that rows are compared by.
    pub primary: String,
    /// The model used, with its checksum.
    pub model: Option<(String, String)>,
    /// Examples that could not be used.
    pub left_out: Vec<LeftOut>,
    /// Feature sets, then baselines.
    pub rows: Vec<RowResult>,
    /// Every pair of rows; the declared family of them has p.
    pub comparisons: Vec<Comparison>,
    /// The comparisons that are tested; `None` of runs stored when every pair was.
    pub family: Option<Family>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// What the run depends on, with checksums: task, model, tracks, matrices.
    pub inputs: Vec<(String, String)>,
    /// The version of Persea.
    pub persea: String,
    /// Seconds it took.
    pub seconds: f64,
}

const fn one() -> usize {
    1
}

impl RowResult {
    /// A measure; undefined where it was not computed.
    pub fn measure(&self, name: &str) -> Measured {
        self.measures.get(name).copied().unwrap_or_default()
    }
}

impl Subset {
    /// A measure; undefined where it was not computed.
    pub fn measure(&self, name: &str) -> Measured {
        self.measures.get(name).copied().unwrap_or_default()
    }
}

impl RunResult {
    /// The row of that name.
    pub fn row(&self, name: &str) -> Option<&RowResult> {
        self.rows.iter().find(|r| r.name == name)
    }
}
