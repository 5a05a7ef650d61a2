//! A question about named items.

use std::collections::BTreeMap;

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

use super::ObjectiveKind;
use super::greedy::Method;
use super::product::Combination;
use super::vectors::Kernel;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Biosamples.
    Biosamples,
    /// Assays.
    Assays,
    /// Pairs of both, `BIOSAMPLE:ASSAY`.
    Experiments,
}

impl What {
    /// What one is called.
    pub const fn one(self) -> &'static str {
        match self {
            What::Biosamples => "biosample",
            What::Assays => "assay",
            What::Experiments => "experiment",
        }
    }

    /// What several are called.
    pub const fn many(self) -> &'static str {
        match self {
            What::Biosamples => "biosamples",
            What::Assays => "assays",
            What::Experiments => "experiments",
        }
    }
}

/// What items are compared by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
#[non_exhaustive]
pub enum Source {
    /// A model's factors.
    Factors,
    /// What a model imputes.
    Imputed {
        /// At how many bins, about.
        bins: u64,
    },
    /// The tracks that are stored.
    Observed {
        /// At how many bins, about.
        bins: u64,
    },
    /// A file of similarities.
    Matrix {
        /// The file.
        path: String,
    },
    /// A file of expression, genes × biosamples.
    Expression {
        /// The file.
        path: String,
    },
}

vocabulary! {
    /// A kernel by name; [`Kernel`] has what it takes.
    pub enum KernelChoice {
        /// Cosine; negative values count as 0
        Cosine = "cosine",
        /// exp(−γ d²)
        Rbf = "rbf",
        /// Squared Pearson correlation
        SquaredCorrelation = "squared-correlation" | "squared_correlation",
        /// Pearson correlation; negative values count as 0
        Correlation = "correlation",
    }
}

/// What is there already, and covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// What has been measured, where the request is of experiments or names the assay or the biosample;
    /// nothing otherwise.
    #[serde(alias = "measured_if_it_leaves_enough")]
    MeasuredIfKnown,
    /// What has been measured.
    Measured,
    /// Nothing.
    Nothing,
    /// These.
    Names(Vec<String>),
}

/// A question: what is to be chosen from named items, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is chosen.
    pub what: What,
    /// How many; with a budget, at most. As many as the budget allows when not given.
    pub k: Option<usize>,
    /// What a good choice is.
    pub objective: ObjectiveKind,
    /// What items are compared by.
    pub source: Source,
    /// How; the source's own way when not given.
    pub kernel: Option<KernelChoice>,
    /// γ of [`KernelChoice::Rbf`].
    pub gamma: Option<f64>,
    /// How experiments' similarity is made of biosamples' and assays'.
    pub combination: Combination,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// The assay that biosamples are wanted for, or the biosample that assays are.
    pub new_of: Option<String>,
    /// What is there already.
    pub given: Given,
    /// What must be chosen.
    pub require: Vec<String>,
    /// What must not be.
    pub exclude: Vec<String>,
    /// What each costs.
    pub costs: Option<BTreeMap<String, f64>>,
    /// What all may cost together.
    pub budget: Option<f64>,
    /// How the choice is made.
    pub method: Method,
    /// How many random choices stand beside it.
    pub n_random: usize,
    /// On how many resamples of the genome's blocks (of the genes, where expression is compared) the
    /// choice is made again.
    #[serde(default)]
    pub resamples: usize,
    /// What chance derives from: the bins that are compared, random choices, resamples.
    pub seed: u64,
}

impl Request {
    /// A question with everything but what, and how many, as it is by default.
    pub fn new(what: What, k: usize) -> Self {
        Request {
            what,
            k: Some(k),
            objective: ObjectiveKind::FacilityLocation,
            source: Source::Factors,
            kernel: None,
            gamma: None,
            combination: Combination::Product,
            model: None,
            new_of: None,
            given: Given::MeasuredIfKnown,
            require: Vec::new(),
            exclude: Vec::new(),
            costs: None,
            budget: None,
            method: Method::Lazy,
            n_random: 200,
            resamples: 100,
            seed: 0,
        }
    }

    pub(super) fn kernel(&self, default: KernelChoice) -> Kernel {
        match self.kernel.unwrap_or(default) {
            KernelChoice::Cosine => Kernel::Cosine,
            KernelChoice::Rbf => Kernel::Rbf { gamma: self.gamma },
            KernelChoice::SquaredCorrelation => Kernel::SquaredCorrelation,
            KernelChoice::Correlation => Kernel::Correlation,
        }
    }
}
