//! How an encoder is trained.

use serde::{Deserialize, Serialize};

use crate::factorization::FactorizationError;
use crate::model::EncoderConfig;

/// Options of the training of an encoder; stored in checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderOptions {
    /// Units of each of the two hidden layers at each resolution.
    pub nodes: usize,
    /// Units of the decoder's hidden layer.
    pub decoder: usize,
    /// Numbers of the code at each resolution in training.
    pub code: usize,
    /// Passes: one sample a bin.
    pub passes: u32,
    /// Samples of a step.
    pub batch_size: usize,
    /// Adam's rate at first; it falls along half a cosine.
    pub learning_rate: f64,
    /// Standard deviations at which a number that describes a row counts half.
    pub saturation: u32,
    /// The least and the largest share of tracks that a sample leaves out.
    pub dropped: [f64; 2],
    /// How much an error of a track that was read counts beside one of a track that was left out.
    pub seen_weight: f64,
    /// The most inputs: where there are more training tracks, those of an assay that resemble each other are pooled.
    #[serde(default = "most_inputs")]
    pub inputs: usize,
    /// Passes in which the decoder of the stored factors is trained.
    pub decoder_passes: u32,
}

/// Also of checkpoints that were written before there was such a limit.
fn most_inputs() -> usize {
    256
}

impl Default for EncoderOptions {
    fn default() -> Self {
        EncoderOptions {
            nodes: 192,
            decoder: 256,
            code: 24,
            passes: 3,
            batch_size: 2048,
            learning_rate: 2e-3,
            saturation: 4,
            dropped: [0.1, 0.7],
            seen_weight: 0.3,
            inputs: most_inputs(),
            decoder_passes: 5,
        }
    }
}

impl EncoderOptions {
    /// The sizes, for a number of tracks (or pools of tracks) and of factors at 5 kbp, 250 bp and 25 bp. There are never
    /// more factors than predicted numbers, two a track.
    pub fn config(&self, tracks: usize, factors: [usize; 3]) -> EncoderConfig {
        EncoderConfig {
            tracks,
            pools: Vec::new(),
            nodes: self.nodes,
            codes: factors.map(|f| f.min(2 * tracks)),
            saturation: self.saturation,
            standardised: true,
            axes: true,
        }
    }

    /// # Errors
    /// When a value cannot be.
    pub fn check(&self) -> Result<(), FactorizationError> {
        let refuse = |why: &str| Err(FactorizationError::Options(why.into()));
        for (size, what) in [
            (self.nodes, "units of the encoder"),
            (self.decoder, "units of the encoder's decoder"),
            (self.code, "numbers of the encoder's code"),
        ] {
            if size == 0 || size > 1 << 14 {
                return refuse(&format!("{what} must be between 1 and 16384, not {size}"));
            }
        }
        if self.inputs == 0 || self.inputs > 1 << 14 {
            return refuse("the encoder needs between 1 and 16384 inputs");
        }
        if self.passes == 0 || self.decoder_passes == 0 {
            return refuse("train the encoder and its decoder for at least one pass");
        }
        if self.batch_size == 0 || self.batch_size > 1 << 20 {
            return refuse("a step of the encoder needs between 1 and 1048576 samples");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("the encoder's learning rate must be above 0");
        }
        if self.saturation == 0 {
            return refuse("the encoder's saturation must be above 0");
        }
        let [least, most] = self.dropped;
        if !(0.0 <= least && least <= most && most < 1.0) {
            return refuse("the shares of tracks left out must ascend from 0 to below 1");
        }
        if !(0.0..=1.0).contains(&self.seen_weight) {
            return refuse("the weight of tracks that were read must be between 0 and 1");
        }
        Ok(())
    }
}
