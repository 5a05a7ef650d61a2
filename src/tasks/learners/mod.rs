//! Learners by name, behind one door: fit on a matrix and labels, and predict.
//!
//! A prediction of two classes is a score that grows with the chance of being positive; a
//! probability where the learner gives one. The work is linfa's, smartcore's and forust's; this
//! module owns their defaults, their small grids, and what they are given.

mod boosting;
mod calibrate;
mod linear;
mod neighbours;
mod prepare;
mod support;
mod trees;

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

pub use calibrate::Calibration;
pub(crate) use calibrate::Calibrator;
pub(crate) use linear::logistic_weights;
pub(crate) use prepare::{Matrix, Preparation, Prepared};

use super::{Target, TaskError};

vocabulary! {
    /// A learner.
    pub enum Learner {
        /// Logistic regression
        Logistic = "logistic",
        /// Linear regression with a squared penalty
        Ridge = "ridge",
        /// Linear regression with squared and absolute penalties
        Elasticnet = "elasticnet",
        /// Support vector machine with a Gaussian kernel
        Svm = "svm",
        /// Random forest
        Forest = "forest",
        /// Extremely randomised trees
        ExtraTrees = "extra-trees",
        /// Nearest neighbours
        Knn = "knn",
        /// Gradient-boosted trees
        Gbm = "gbm",
    }
}

impl Learner {
    /// Whether its prediction of two classes is a probability as it is.
    pub const fn gives_probabilities(self) -> bool {
        matches!(
            self,
            Learner::Logistic | Learner::Forest | Learner::ExtraTrees | Learner::Knn | Learner::Gbm
        )
    }

    /// Whether it wants features as they are, missing ones included.
    pub(crate) const fn takes_raw(self) -> bool {
        matches!(self, Learner::Gbm)
    }

    /// Whether an inner fold tells it when to stop.
    pub(crate) const fn stops_early(self) -> bool {
        matches!(self, Learner::Gbm)
    }

    /// The settings that serve without tuning.
    pub fn defaults(self) -> Parameters {
        match self {
            Learner::Logistic => Parameters::Penalised {
                penalty: 0.1,
                l1_share: 0.0,
            },
            Learner::Ridge => Parameters::Penalised {
                penalty: 0.1,
                l1_share: 0.0,
            },
            Learner::Elasticnet => Parameters::Penalised {
                penalty: 0.02,
                l1_share: 0.5,
            },
            Learner::Svm => Parameters::Kernel { c: 1.0, width: 1.0 },
            Learner::Forest => Parameters::Trees {
                n: 300,
                min_leaf: 3,
                share: None,
            },
            Learner::ExtraTrees => Parameters::Trees {
                n: 300,
                min_leaf: 3,
                share: None,
            },
            Learner::Knn => Parameters::Neighbours { k: 15 },
            Learner::Gbm => Parameters::Boosted {
                rate: 0.1,
                depth: 5,
                rounds: 2_000,
                min_leaf_weight: 3.0,
                columns: 0.5,
                rows: 0.8,
            },
        }
    }

    /// The settings that tuning tries, the default first.
    pub fn grid(self) -> Vec<Parameters> {
        let mut grid = vec![self.defaults()];
        match self {
            Learner::Logistic | Learner::Ridge => {
                grid.extend([0.001, 0.01, 1.0].map(|penalty| Parameters::Penalised {
                    penalty,
                    l1_share: 0.0,
                }));
            }
            Learner::Elasticnet => {
                for (penalty, l1_share) in [(0.005, 0.5), (0.1, 0.5), (0.02, 0.9)] {
                    grid.push(Parameters::Penalised { penalty, l1_share });
                }
            }
            Learner::Svm => {
                for (c, width) in [(0.1, 1.0), (10.0, 1.0), (1.0, 0.3), (1.0, 3.0)] {
                    grid.push(Parameters::Kernel { c, width });
                }
            }
            Learner::Forest | Learner::ExtraTrees => {
                for (min_leaf, share) in [(1, None), (10, None), (3, Some(0.33))] {
                    grid.push(Parameters::Trees {
                        n: 300,
                        min_leaf,
                        share,
                    });
                }
            }
            Learner::Knn => grid.extend([5, 50].map(|k| Parameters::Neighbours { k })),
            Learner::Gbm => {
                for (depth, min_leaf_weight, columns) in
                    [(3, 3.0, 0.5), (7, 1.0, 0.5), (3, 10.0, 0.2)]
                {
                    grid.push(Parameters::Boosted {
                        rate: 0.1,
                        depth,
                        rounds: 2_000,
                        min_leaf_weight,
                        columns,
                        rows: 0.8,
                    });
                }
            }
        }
        grid
    }
}

/// A learner's settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameters {
    /// Of linear models of standardised features.
    Penalised {
        /// The penalty's weight beside the mean loss of an example.
        penalty: f64,
        /// The share of the absolute in it; the rest is of the square.
        l1_share: f64,
    },
    /// Of the support vector machine.
    Kernel {
        /// The cost of an error.
        c: f64,
        /// The kernel's width, in units of √(number of features).
        width: f64,
    },
    /// Of forests.
    Trees {
        /// How many trees.
        n: usize,
        /// Examples of a leaf at least.
        min_leaf: usize,
        /// The share of features that a split chooses from; √ of their number when not given.
        share: Option<f64>,
    },
    /// Of nearest neighbours.
    Neighbours {
        /// How many.
        k: usize,
    },
    /// Of boosted trees.
    Boosted {
        /// The learning rate.
        rate: f32,
        /// Depth of a tree at most.
        depth: usize,
        /// Trees at most; an inner fold stops earlier.
        rounds: usize,
        /// The least sum of second derivatives in a leaf.
        min_leaf_weight: f32,
        /// The share of features that a tree sees.
        columns: f64,
        /// The share of examples that a tree sees.
        rows: f32,
    },
}

/// What a learner has learned: a number for each row.
pub(crate) type Predictor = Box<dyn Fn(&Matrix) -> Result<Vec<f64>, TaskError> + Send + Sync>;

/// A learner's result.
pub(crate) struct Fitted {
    pub predict: Predictor,
    /// Of a learner that stops early: after how many rounds.
    pub rounds: Option<usize>,
}

/// What a learner learns from.
pub(crate) struct Training<'a> {
    pub x: &'a Matrix,
    pub y: &'a [f64],
    /// Examples that tell when to stop.
    pub stop_on: Option<(&'a Matrix, &'a [f64])>,
    /// Trees, where it has been found out before.
    pub rounds: Option<usize>,
    pub seed: u64,
}

/// Fits a learner.
///
/// # Errors
/// When it cannot learn that target, or from so much.
pub(crate) fn fit(
    learner: Learner,
    parameters: &Parameters,
    target: Target,
    training: &Training<'_>,
) -> Result<Fitted, TaskError> {
    let name = learner.name();
    let failed = |message: String| TaskError::Learner {
        learner: name,
        message,
    };
    let plain = |predict| Fitted {
        predict,
        rounds: None,
    };
    match (learner, *parameters) {
        (Learner::Logistic, Parameters::Penalised { penalty, .. }) => match target {
            Target::Classification => linear::logistic(training, penalty)
                .map(plain)
                .map_err(failed),
            Target::Regression => Err(failed(
                "it tells two classes apart; choose ridge for numbers, or give a threshold (option `threshold`)".into(),
            )),
        },
        (Learner::Ridge | Learner::Elasticnet, Parameters::Penalised { penalty, l1_share }) => {
            linear::linear(training, penalty, l1_share)
                .map(plain)
                .map_err(failed)
        }
        (Learner::Svm, Parameters::Kernel { c, width }) => support::svm(training, target, c, width)
            .map(plain)
            .map_err(failed),
        (Learner::Forest, Parameters::Trees { n, min_leaf, share }) => {
            trees::forest(training, n, min_leaf, share)
                .map(plain)
                .map_err(failed)
        }
        (Learner::ExtraTrees, Parameters::Trees { n, min_leaf, share }) => {
            trees::extra_trees(training, n, min_leaf, share)
                .map(plain)
                .map_err(failed)
        }
        (Learner::Knn, Parameters::Neighbours { k }) => {
            neighbours::knn(training, k).map(plain).map_err(failed)
        }
        (Learner::Gbm, Parameters::Boosted { .. }) => {
            boosting::gbm(training, target, parameters).map_err(failed)
        }
        (_, other) => Err(failed(format!("{other:?} are another learner's settings"))),
    }
}

#[cfg(test)]
mod tests;
