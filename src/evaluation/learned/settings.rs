//! Settings of trained baselines.

use serde::Serialize;

/// What a trained baseline is, apart from its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LearnedSettings {
    /// Ridge regression on standardised inputs.
    Ridge {
        /// The penalty on squared weights, beside the mean squared error.
        penalty: f64,
    },
    /// Gradient-boosted trees.
    Boosted {
        /// The depth of a tree at most.
        depth: usize,
        /// How many.
        trees: usize,
    },
}

impl LearnedSettings {
    pub(super) fn trees_of_depth(self, of: usize) -> Option<usize> {
        match self {
            LearnedSettings::Boosted { depth, trees } if depth == of => Some(trees),
            _ => None,
        }
    }
}

impl std::fmt::Display for LearnedSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LearnedSettings::Ridge { penalty } => write!(f, "penalty {penalty}"),
            LearnedSettings::Boosted { depth, trees } => {
                write!(f, "{trees} trees of depth {depth}")
            }
        }
    }
}
