//! How good imputations are: every measure on a track, and the baselines beside it.
//!
//! Owns which bins count (masked ones never, promoters, genes and enhancers on their own), the two
//! scales (arcsinh, as stored, and signal), and the baselines, which use the training tracks but
//! never the target; the probes of an embedding; and which stored results still hold. Leaves the measures'
//! definitions to [`measures`](crate::measures).

mod additive;
mod baselines;
mod challenge;
mod error;
mod fitted;
mod found;
mod intervals;
mod kept;
mod learned;
mod options;
mod paired;
mod peaks;
#[cfg(test)]
mod pilot;
mod probe;
mod run;
mod score;
mod shard;
mod targets;

#[cfg(test)]
pub(crate) use crate::annotation::gene_bins;
pub use crate::annotation::{AnnotationBins, BinSet, Definitions, promoter_bins};
pub(crate) use baselines::BaselineStatistics;
pub use error::EvaluationError;
pub use fitted::{Baseline, Calibration, Nearest, TargetBaselines};
pub use found::{Evaluation, MeanEvaluation, TrackEvaluation};
pub(crate) use found::{PREDICTORS, Predictor};
pub use intervals::{Intervals, IntervalsByStratum};
pub use kept::{
    evaluate_once, is_current, keep_imputation, keep_probe, kept_probe, stored_evaluations,
};
pub use learned::{LearnedBaseline, LearnedChoice, LearnedSettings, TriedSettings};
pub use options::{EvaluateOptions, EvaluationShard, ScoringScale};
pub use paired::{PairedDifference, conclusion};
pub use peaks::PeakStratum;
pub use probe::{
    Agreement, FewerTracks, Probe, ProbeOptions, ProbeProgress, ProbedRepresentation, ProbedTrack,
    Representation, WithoutBiosample, probe,
};
pub use run::evaluate;
pub(crate) use score::{Scorer, bin_variance, mean_measures, to_signal_scale};
pub use score::{ScoringContext, TrackMeasures, score};
pub use shard::merge_evaluations;
