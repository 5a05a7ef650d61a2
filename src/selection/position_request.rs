//! A question about positions.

use serde::{Deserialize, Serialize};

use crate::genome::BIN_BP;

/// A question about positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionRequest {
    /// How many.
    pub k: usize,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// How wide a probe is, in bp; rounded up to bins.
    pub width: u64,
    /// The least gap between two probes, in bp; rounded up to bins.
    pub spacing: u64,
    /// A candidate begins every so many bp; rounded up to bins.
    pub step: u64,
    /// How many positions, drawn evenly from the unmasked bins, coverage is measured on.
    #[serde(rename = "ground")]
    pub ground_set: usize,
    /// γ of exp(−γ d²); one over the median of d² between those positions when not given.
    pub gamma: Option<f64>,
    /// Probes lie inside intervals of these BED files.
    pub inside: Vec<String>,
    /// Probes touch no interval of these BED files (what cannot be mapped). The database's mask is kept out as well.
    pub outside: Vec<String>,
    /// A BED of probes that exist: they cover, and keep others at a distance.
    pub given: Option<String>,
    /// How many random choices stand beside it.
    pub n_random: usize,
    /// What chance derives from.
    pub seed: u64,
}

impl PositionRequest {
    /// So many, and all else as it is by default.
    pub fn new(k: usize) -> Self {
        PositionRequest {
            k,
            model: None,
            width: 50,
            spacing: 0,
            step: BIN_BP,
            ground_set: 10_000,
            gamma: None,
            inside: Vec::new(),
            outside: Vec::new(),
            given: None,
            n_random: 20,
            seed: 0,
        }
    }
}
