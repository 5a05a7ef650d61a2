//! How a refinement is trained.

use serde::{Deserialize, Serialize};

use crate::factorization::FactorizationError;
use crate::model::RefinementConfig;

/// Options of the training of a refinement; stored in checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefinementOptions {
    /// Networks whose mean is the prediction.
    pub members: usize,
    /// Hidden layers of each.
    pub layers: usize,
    /// Units of a hidden layer.
    pub nodes: usize,
    /// Neighbourhoods, in bins on either side.
    pub reaches: Vec<usize>,
    /// Passes of each network: one sample a bin.
    pub passes: u32,
    /// Samples of a step.
    pub batch_size: usize,
    /// Adam's rate at first; it falls along half a cosine.
    pub learning_rate: f64,
    /// Share of hidden units that a step leaves out.
    pub dropout: f64,
    /// Share of weights that a step at a rate of 1 would take away.
    pub weight_decay: f64,
    /// How many times an error counts in the 1 % of a track's bins with the highest observed signal.
    /// 1 asks for the mean of what may be observed, which is cautious about peaks. More weighs by what
    /// was observed, so that what is imputed lies above that mean.
    #[serde(default = "as_others")]
    pub peak_weight: f64,
}

/// What models were trained with before there was a weight.
fn as_others() -> f64 {
    1.0
}

impl Default for RefinementOptions {
    fn default() -> Self {
        let config = RefinementConfig::new(1, 1);
        RefinementOptions {
            members: config.members,
            layers: config.layers,
            nodes: config.nodes,
            reaches: config.reaches,
            passes: 2,
            batch_size: 1024,
            learning_rate: 2e-3,
            dropout: 0.4,
            weight_decay: 0.1,
            peak_weight: 1.0,
        }
    }
}

impl RefinementOptions {
    /// The sizes, for a number of biosamples and assays.
    pub fn config(&self, biosamples: usize, assays: usize) -> RefinementConfig {
        RefinementConfig {
            reaches: self.reaches.clone(),
            biosamples,
            assays,
            layers: self.layers,
            nodes: self.nodes,
            members: self.members,
        }
    }

    /// # Errors
    /// When a value cannot be.
    pub fn check(&self) -> Result<(), FactorizationError> {
        self.config(1, 1).check()?;
        let refuse = |why: &str| Err(FactorizationError::Options(why.into()));
        if self.passes == 0 {
            return refuse("refine for at least one pass");
        }
        if self.batch_size == 0 || self.batch_size > 1 << 20 {
            return refuse("a step of the refinement needs between 1 and 1048576 samples");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("the refinement's learning rate must be above 0");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout must be at least 0 and below 1");
        }
        if !(self.peak_weight >= 1.0 && self.peak_weight <= 100.0) {
            return refuse("the weight of peaks must be between 1 and 100");
        }
        Ok(())
    }
}
