//! What can be wrong with what is to be scored.

use crate::compendium::Experiment;

/// Errors of the module `evaluation`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A track that the model was trained on was to be scored.
    #[error(
        "{experiment} was trained on: scoring it would say nothing of imputation; train without it (option `hold`)"
    )]
    TrainedOn {
        /// The track.
        experiment: Experiment,
    },
    /// A track was asked for that is not among those to score.
    #[error("{experiment} is not among the tracks kept out of training")]
    NotHeldOut {
        /// The track.
        experiment: Experiment,
    },
    /// There is no track to score.
    #[error(
        "model {model} held out no track: hold one out in training (option `hold`), or give the manifest of tracks that were never ingested (option `truth`)"
    )]
    NothingHeldOut {
        /// The model.
        model: String,
    },
    /// A file that cannot be put together with the other parts of an evaluation.
    #[error("{file} {why}")]
    Part {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no bin to score.
    #[error(
        "no bin is left to score: none of those asked for is both covered by model {model} and not masked"
    )]
    NoBins {
        /// The model.
        model: String,
    },
    /// Two series over the same bins differ in length.
    #[error(
        "{what} has {found} bins where the observed track has {expected}; give every series over the same axis"
    )]
    Length {
        /// Which series.
        what: String,
        /// How many bins the observed track has.
        expected: u64,
        /// How many this one has.
        found: u64,
    },
    /// A set of bins reaches beyond the track.
    #[error(
        "the {what} reach to bin {end} but the track has {n_bins} bins; make them on the track's own axis"
    )]
    Bins {
        /// Which bins.
        what: &'static str,
        /// One past the last of them.
        end: u64,
        /// How many bins the track has.
        n_bins: u64,
    },
    /// A stretch of bins was given for another number of training tracks than were announced.
    #[error(
        "{found} training tracks were given where {expected} were announced; give an empty slice for each that is not needed"
    )]
    Tracks {
        /// How many were announced.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A training track has another number of bins than the rest of the stretch.
    #[error("training track {biosample} {assay} has {found} bins in a stretch of {expected}")]
    Stretch {
        /// The track's biosample.
        biosample: String,
        /// The track's assay.
        assay: String,
        /// How many bins the stretch has.
        expected: usize,
        /// How many the track has.
        found: usize,
    },
    /// A learned baseline could not be trained.
    #[error("a baseline could not be trained: {0}")]
    Learner(String),
    /// A training track holds a value that is not a finite number.
    #[error("training track {biosample} {assay} holds a value that is not finite; ingest it again")]
    NotFinite {
        /// The track's biosample.
        biosample: String,
        /// The track's assay.
        assay: String,
    },
    /// A model's embedding was to be probed with a track that it has read.
    #[error(
        "model {model} has read {biosample}:{assay}, so that the track would say nothing of what the embedding knows beyond its input; \
         probe tracks that were held out (option `tracks`)"
    )]
    WasRead {
        /// The model.
        model: String,
        /// The track's biosample.
        biosample: String,
        /// The track's assay.
        assay: String,
    },
    /// A model's embedding was to be probed, and there is no track to do so with.
    #[error(
        "no stored track was held out from model {model}: hold one out in training (option `hold`), or name stored tracks that it \
         has not read (option `tracks`)"
    )]
    NothingToProbe {
        /// The model.
        model: String,
    },
    /// Neighbours of two models were to be compared that cover different regions.
    #[error(
        "models {model} and {other} cover different regions; compare models of the same regions"
    )]
    OtherAxis {
        /// The model probed.
        model: String,
        /// The other one.
        other: String,
    },
    /// A model has no encoder, and its factors cannot be computed from fewer tracks.
    #[error("model {model} has no encoder that could read fewer tracks; train a model persea")]
    NoEncoder {
        /// The model.
        model: String,
    },
    /// No bin is left to use.
    #[error(
        "no bin is left: none of those asked for is both covered by model {model} and not masked"
    )]
    NoBin {
        /// The model.
        model: String,
    },
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
}
