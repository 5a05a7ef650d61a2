//! What a probe found.

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What a bin is described by.
    pub enum Representation {
        /// The model's genome factors at all resolutions side by side.
        Model = "model",
        /// The signal at 25 bp, 250 bp and 5 kbp.
        SignalResolutions = "signal_resolutions",
        /// Means of the signal over six windows.
        SignalWindows = "signal_windows",
        /// Principal components of the six windows, as many as the model has numbers.
        SignalComponents = "signal_components",
    }
}

/// Pearson's r of a held-out track with what a representation predicts; `None` where undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbedTrack {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// By ridge regression from other regions.
    pub linear: Option<f64>,
    /// By the mean over neighbours, over random bins.
    pub neighbours_random: Option<f64>,
    /// By the mean over neighbours, over bins with high signal.
    pub neighbours_active: Option<f64>,
}

/// What a representation scored: means over the tracks where a score is defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbedRepresentation {
    /// Which representation.
    pub representation: Representation,
    /// Numbers that describe a bin.
    pub numbers: usize,
    /// By ridge regression from other regions.
    pub linear: Option<f64>,
    /// By the mean over neighbours, over random bins.
    pub neighbours_random: Option<f64>,
    /// By the mean over neighbours, over bins with high signal.
    pub neighbours_active: Option<f64>,
    /// Each track.
    pub tracks: Vec<ProbedTrack>,
}

/// The share of the ten nearest 5 kbp rows of a query that two embeddings have in common, in the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The other model.
    pub model: String,
    /// Over random bins.
    pub random: Option<f64>,
    /// Over bins with high signal.
    pub active: Option<f64>,
}

/// The share of the ten nearest 5 kbp rows of a query that an encoder's factors keep without a biosample's tracks, in
/// the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutBiosample {
    /// The biosample.
    pub biosample: String,
    /// Over random bins.
    pub random: Option<f64>,
    /// Over bins with high signal.
    pub active: Option<f64>,
}

/// An encoder that reads fewer tracks, beside itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FewerTracks {
    /// For each biosample, neighbours in common with the factors without its tracks.
    pub without: Vec<WithoutBiosample>,
    /// How often a linear classifier tells from a bin's factors which half of the tracks was read; .5 by chance.
    pub halves_recognised: Option<f64>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// The model's name.
    pub model: String,
    /// Bins used: those of the model's axis that are not masked.
    pub n_bins: u64,
    /// Regions of the axis. Neighbours are searched in other regions, and there are five folds of them.
    pub n_regions: usize,
    /// Tracks that the signal's representations are made of.
    pub n_signal_tracks: usize,
    /// Random queries.
    pub n_random: usize,
    /// Queries among the bins with the highest signal.
    pub n_active: usize,
    /// What they were drawn from.
    pub seed: u64,
    /// What each representation scored, the model's factors first.
    pub representations: Vec<ProbedRepresentation>,
    /// The model's neighbours beside those of other models.
    pub agreement: Vec<Agreement>,
    /// The encoder with fewer tracks, where that was asked for.
    #[serde(default)]
    pub fewer_tracks: Option<FewerTracks>,
}

impl Probe {
    /// What a representation scored; `None` where it was not probed.
    pub fn of(&self, representation: Representation) -> Option<&ProbedRepresentation> {
        let mut all = self.representations.iter();
        all.find(|r| r.representation == representation)
    }
}
