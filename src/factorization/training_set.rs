//! What a training is given, and what it reports.

use std::ops::Range;

use super::TrackSource;
use super::sampling::Sampling;
use crate::genome::{GenomeAxis, Mask};
use crate::model::Sizes;
use crate::nn::{Adam, Arithmetic, Backend, Device};

/// A track as training knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingTrack {
    /// The biosample's name and its place in the model.
    pub biosample: (String, u32),
    /// The assay's name and its place in the model.
    pub assay: (String, u32),
}

impl TrainingTrack {
    /// `biosample assay`, for messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.biosample.0, self.assay.0)
    }
}

/// What there is to train on.
pub struct TrainingSet {
    /// The model's axis.
    pub axis: GenomeAxis,
    /// Bins that are neither trained on nor scored.
    pub mask: Mask,
    /// The tracks, numbered as `source` numbers them.
    pub tracks: Vec<TrainingTrack>,
    /// Where their signal comes from.
    pub source: Box<dyn TrackSource>,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The network's sizes and the batch's.
    pub sizes: Sizes,
    /// In which order bins are visited.
    pub sampling: Sampling,
    /// The optimiser.
    pub adam: Adam,
    /// The seed that all chance derives from.
    pub seed: u64,
    /// Largest norm of a step's gradients.
    pub clip: Option<f64>,
    /// Bins of every training track that are in memory at once.
    pub window_bins: u64,
    /// Which code trains the network.
    pub backend: Backend,
    /// Where.
    pub device: Device,
    /// In which numbers.
    pub arithmetic: Arithmetic,
}

/// Where training is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Steps done in all.
    pub step: u64,
    /// Passes done.
    pub pass: u32,
    /// Steps done of the pass that is under way.
    pub step_in_pass: u64,
}

/// What a step reports.
#[derive(Debug, Clone, Copy)]
pub struct StepReport {
    /// Where training is after the step.
    pub position: Position,
    /// Steps of a pass.
    pub steps_per_pass: u64,
    /// Samples of the step.
    pub samples: usize,
    /// The step's mean squared error.
    pub loss: f64,
}

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PassEnd {
    /// It ended; the mean loss over its samples.
    Done(f64),
    /// The caller asked to stop in its midst.
    Stopped,
}

/// Which parts a training may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trained {
    /// Biosamples, by their place in the model.
    pub biosamples: Range<usize>,
    /// Assays, likewise.
    pub assays: Range<usize>,
    /// The genome's factors.
    pub genome: bool,
    /// The dense layers.
    pub layers: bool,
}
