//! Measures of agreement: errors, correlations, rankings, curves. Pure functions of slices.
//! Also the scale of one series beside others of its kind, and the power law from one to the other.
//!
//! Owns what a number means and how it is computed: sums in f64 over `f32` or `f64` values, ranks
//! that share ties evenly, the top 1 % as the mean over its ties. Leaves to the caller which bins are
//! scored, on which scale and beside which baseline.
//!
//! A measure is `None` where it is undefined and never 0 or NaN: when the two slices differ in
//! length or are empty, when a value is not finite, and in the cases that each function names (a
//! constant has no correlation, a single class no ROC curve). Every result is the same on any
//! number of threads.
//!
//! Memory beyond the input, for n bins of f32: nothing for errors, moments and the top 1 %
//! ([`TopBins`] counts digits, it does not sort); 12 n bytes while ranks are made and 4 n to keep
//! them ([`Ranks`]), that is 1.4 GB and 0.5 GB for the 120 million bins of a human genome; 8 n
//! bytes for [`average_precision`] and the curves' order.

mod binary;
mod chunks;
mod curves;
mod errors;
#[cfg(test)]
mod golden;
mod moments;
mod rank;
mod top;
mod two_components;
mod value;

pub use binary::{auroc, average_precision, brier, log_loss, recall_at_fdr};
pub use curves::{PrecisionRecallPoint, RocPoint, precision_recall_curve, roc_curve};
pub use errors::{mse, mse_weighted, mse_within};
pub use moments::{
    AffineFit, CoMoments, best_affine_fit, departure_correlation, pearson, r_squared, shape_mse,
    specificity,
};
pub use rank::{Ranks, auroc_of_ranks, spearman, spearman_of_ranks};
pub use top::{
    TopBins, aucimp1, aucobs1, auroc_of_top, catch_share, catch1imp, catch1obs, match1, mse_of_top,
    mse1imp, mse1obs, n_of_percent,
};
pub use two_components::{
    CommonBins, ComponentLimits, ComponentTally, ComponentValues, Components, NoPowerLaw, PowerLaw,
    median,
};
pub use value::Value;

/// A result that is a number, or nothing.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The common length of two slices that are not empty.
fn common_length<A, B>(a: &[A], b: &[B]) -> Option<usize> {
    (a.len() == b.len() && !a.is_empty()).then_some(a.len())
}
