//! How good imputations are: every measure on a track, and the baselines beside it.
//!
//! Owns which bins count (masked ones never, promoters, genes and enhancers on their own), the two
//! scales (arcsinh, as stored, and signal), and the baselines, which use the training tracks but
//! never the target. Leaves the measures' definitions to [`measures`](crate::measures).

mod additive;
mod baselines;
mod bins;
mod challenge;
#[cfg(feature = "torch")]
mod cross_validation;
mod error;
mod fitted;
mod intervals;
mod learned;
mod paired;
mod peaks;
#[cfg(test)]
mod pilot;
mod run;
mod score;

pub use baselines::BaselineStatistics;
pub use bins::{AnnotationBins, BinSet, PROMOTER_BINS, enhancer_bins, gene_bins, promoter_bins};
pub use challenge::Definitions;
#[cfg(feature = "torch")]
pub use cross_validation::{
    CrossValidated, CrossValidation, Estimated, Fold, FoldEvaluation, Scores, cross_validate,
};
pub use error::EvaluationError;
pub use fitted::{Baseline, Calibration, Nearest, TargetBaselines};
pub use intervals::{Intervals, IntervalsByStratum, normal_ends};
pub use learned::LearnedBaseline;
pub use paired::PairedDifference;
pub use peaks::PeakStratum;
pub use run::{
    EvaluateOptions, Evaluation, MeanEvaluation, ScoringScale, TrackEvaluation, evaluate,
};
pub use score::{
    Scorer, ScoringContext, TrackMeasures, bin_variance, mean_measures, score, to_signal_scale,
};
