//! All measures of one imputed track.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::challenge::top_measures;
use super::{BinSet, Definitions, EvaluationError};
use crate::measures::{
    CoMoments, Ranks, TopBins, auroc_of_ranks, auroc_of_top, average_precision, catch_share,
    departure_correlation, mse, mse_of_top, mse_weighted, mse_within, recall_at_fdr,
    spearman_of_ranks, specificity,
};

/// Declares the measures once: the struct, their names in order, and their mean.
macro_rules! track_measures {
    ($(#[doc = $meaning:literal] $(#[doc = $more:literal])* $name:ident,)+) => {
        /// Every measure of one imputed track; `None`, `null` in JSON, where it is undefined.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
        pub struct TrackMeasures {
            $(#[doc = $meaning] $(#[doc = $more])* pub $name: Option<f64>,)+
        }

        impl TrackMeasures {
            /// The measures' names, in the order of [`TrackMeasures::values`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// What each measures, in one line, in the same order.
            pub const MEANINGS: &'static [&'static str] =
                &[$(persea_vocabulary::meaning($meaning)),+];

            /// The measures by name.
            pub fn values(&self) -> Vec<(&'static str, Option<f64>)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }

        /// The mean of each measure over the tracks on which it is defined.
        pub fn mean_measures(tracks: &[TrackMeasures]) -> TrackMeasures {
            TrackMeasures {
                $($name: mean(tracks.iter().filter_map(|track| track.$name)),)+
            }
        }
    };
}

track_measures! {
    /// Mean squared error.
    mse,
    /// Mean squared error over the 1 % of bins with the highest observed signal.
    mse1obs,
    /// Mean squared error over the 1 % of bins with the highest imputed signal.
    mse1imp,
    /// Mean squared error over promoters.
    mseprom,
    /// Mean squared error over genes.
    msegene,
    /// Mean squared error over enhancers.
    ///
    /// Where these were called from marks of the biosample that is scored, their place is known from what is
    /// scored: of such tracks it is circular.
    mseenh,
    /// Mean squared error weighted by the assay's variance over the training tracks.
    msevar,
    /// Mean squared error after the best affine fit, which makes it blind to scale.
    shape_mse,
    /// Pearson's correlation.
    gwcorr,
    /// Spearman's correlation.
    gwspear,
    /// Share of the top 1 % that observed and imputed have in common.
    match1,
    /// Share of the top 1 % observed found in the top 5 % imputed.
    catch1obs,
    /// Share of the top 1 % imputed found in the top 5 % observed.
    catch1imp,
    /// AUROC of telling the top 1 % observed by the imputed signal.
    aucobs1,
    /// AUROC of telling the top 1 % imputed by the observed signal.
    aucimp1,
    /// AUROC of telling the bins of called peaks by the imputed signal.
    catchpeakobs,
    /// Average precision of telling the bins of called peaks by the imputed signal.
    auprc,
    /// Recall of the bins of called peaks at a false discovery rate of 10 %.
    recall10fdr,
    /// Partial correlation of imputed and observed given average activity.
    specificity,
    /// Correlation of (imputed − average) with (observed − average), which share a term.
    departure_correlation,
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0u32, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / f64::from(n))
}

/// What besides the signal decides how a track is scored; all of it on the track's own axis. A bin at which the
/// observed track has no data is to be masked.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScoringContext<'a> {
    /// One flag a bin, true where it does not count ([`Mask::as_slice`](crate::genome::Mask::as_slice)).
    pub masked: Option<&'a [bool]>,
    /// The bins of `mseprom`, made with the same mask.
    pub promoter_bins: Option<&'a BinSet>,
    /// The bins of `msegene`, made with the same mask.
    pub gene_bins: Option<&'a BinSet>,
    /// The bins of `mseenh`, made with the same mask.
    pub enhancer_bins: Option<&'a BinSet>,
    /// The weights of `msevar`: the assay's variance over the training tracks (`bin_variance`),
    /// on the scale that is scored.
    pub variance: Option<&'a [f32]>,
    /// One flag a bin, true in a called peak of the observed track.
    pub peaks: Option<&'a [bool]>,
    /// Whose definitions the measures of the top bins follow; [`AnnotationBins`](super::AnnotationBins)
    /// are made by the same.
    pub definitions: Definitions,
}

/// An observed track made ready to score any number of imputations (a model's, the baselines')
/// against: it is ranked once.
///
/// Memory beyond the slices given, for n bins: 4 n bytes to keep ranks, 4 n more where bins are
/// masked; while scoring 16 n, and 8 n more where bins are masked (2 to 3 GB for a human genome).
#[derive(Debug, Clone)]
pub struct Scorer<'a> {
    context: ScoringContext<'a>,
    observed: &'a [f32],
    kept: Cow<'a, [f32]>,
    ranks: Option<Ranks>,
    top1: Option<TopBins>,
    top5: Option<TopBins>,
}

impl<'a> Scorer<'a> {
    /// Prepares an observed track.
    ///
    /// # Errors
    /// When something in the context has another length or reaches beyond the track.
    pub fn new(observed: &'a [f32], context: ScoringContext<'a>) -> Result<Self, EvaluationError> {
        let n = observed.len();
        check_length("the mask", n, context.masked.map(<[bool]>::len))?;
        check_length("the variance", n, context.variance.map(<[f32]>::len))?;
        check_length("the peak track", n, context.peaks.map(<[bool]>::len))?;
        for (what, bins) in [
            ("promoters", context.promoter_bins),
            ("genes", context.gene_bins),
            ("enhancers", context.enhancer_bins),
        ] {
            if let Some(bins) = bins
                && bins.end() > n as u64
            {
                return Err(EvaluationError::Bins {
                    what,
                    end: bins.end(),
                    n_bins: n as u64,
                });
            }
        }
        let kept = unmasked(observed, context.masked);
        Ok(Scorer {
            ranks: Ranks::of(&kept),
            top1: TopBins::percent(&kept, 1),
            top5: TopBins::percent(&kept, 5),
            context,
            observed,
            kept,
        })
    }

    /// Every measure of an imputation, on the scale of the slices given; `average` is the assay's
    /// average activity over the other biosamples, without which there is no specificity
    /// and no correlation of departures.
    ///
    /// # Errors
    /// When the imputation or the average has another number of bins than the observed track.
    pub fn score(
        &self,
        imputed: &[f32],
        average: Option<&[f32]>,
    ) -> Result<TrackMeasures, EvaluationError> {
        let n = self.observed.len();
        check_length("the imputed track", n, Some(imputed.len()))?;
        check_length("the average activity", n, average.map(<[f32]>::len))?;
        let masked = self.context.masked;
        let within = |bins: Option<&BinSet>| mse_within(self.observed, imputed, bins?.ranges());
        let (mseprom, msegene, mseenh) = (
            within(self.context.promoter_bins),
            within(self.context.gene_bins),
            within(self.context.enhancer_bins),
        );
        let (obs, imp) = (&*self.kept, &*unmasked(imputed, masked));
        let moments = CoMoments::of(imp, obs);
        let (obs1, obs5) = (self.top1.as_ref(), self.top5.as_ref());
        let (imp1, imp5) = (TopBins::percent(imp, 1), TopBins::percent(imp, 5));
        let (imp1, imp5) = (imp1.as_ref(), imp5.as_ref());
        let mut measures = TrackMeasures {
            mse: mse(obs, imp),
            mse1obs: obs1.and_then(|top| mse_of_top(obs, imp, obs, top)),
            mse1imp: imp1.and_then(|top| mse_of_top(obs, imp, imp, top)),
            mseprom,
            msegene,
            mseenh,
            msevar: self
                .context
                .variance
                .and_then(|v| mse_weighted(obs, imp, &unmasked(v, masked))),
            shape_mse: moments.and_then(|m| m.residual_variance()),
            gwcorr: moments.and_then(|m| m.pearson()),
            match1: both(obs1, imp1).and_then(|(o, i)| catch_share(obs, o, imp, i)),
            catch1obs: both(obs1, imp5).and_then(|(o, i)| catch_share(obs, o, imp, i)),
            catch1imp: both(obs5, imp1).and_then(|(o, i)| catch_share(imp, i, obs, o)),
            ..TrackMeasures::default()
        };
        if let Some(average) = average.map(|a| unmasked(a, masked)) {
            measures.specificity = specificity(obs, imp, &average);
            measures.departure_correlation = departure_correlation(obs, imp, &average);
        }
        let peaks = self.context.peaks.map(|peaks| unmasked(peaks, masked));
        // The precision's order is freed before the ranks are made: both are large.
        measures.auprc = peaks
            .as_ref()
            .and_then(|peaks| average_precision(peaks, imp));
        measures.recall10fdr = peaks
            .as_ref()
            .and_then(|peaks| recall_at_fdr(peaks, imp, 0.1));
        let of_imputed = Ranks::of(imp);
        let ranks = self.ranks.as_ref().zip(of_imputed.as_ref());
        if let Some((of_observed, of_imputed)) = ranks {
            measures.gwspear = spearman_of_ranks(of_observed, of_imputed);
            measures.aucobs1 = obs1.and_then(|top| auroc_of_top(of_imputed, obs, top));
            measures.aucimp1 = imp1.and_then(|top| auroc_of_top(of_observed, imp, top));
            measures.catchpeakobs =
                peaks.and_then(|peaks| auroc_of_ranks(of_imputed, |bin| peaks[bin]));
        }
        if self.context.definitions == Definitions::Challenge {
            let top = top_measures(obs, imp, ranks);
            measures.mse1obs = top.mse1obs;
            measures.mse1imp = top.mse1imp;
            measures.match1 = top.match1;
            measures.catch1obs = top.catch1obs;
            measures.catch1imp = top.catch1imp;
            measures.aucobs1 = top.aucobs1;
            measures.aucimp1 = top.aucimp1;
        }
        Ok(measures)
    }
}

/// Every measure of one imputation; `Scorer` for several of the same track.
///
/// # Errors
/// As `Scorer::new` and `Scorer::score`.
pub fn score(
    observed: &[f32],
    imputed: &[f32],
    average: Option<&[f32]>,
    context: &ScoringContext<'_>,
) -> Result<TrackMeasures, EvaluationError> {
    Scorer::new(observed, *context)?.score(imputed, average)
}

/// Values of the arcsinh scale on the signal scale: their hyperbolic sine, negatives clipped to 0.
pub fn to_signal_scale(arcsinh: &[f32]) -> Vec<f32> {
    let signal = |value: &f32| f64::from(value.max(0.0)).sinh() as f32;
    // `max` passes over NaN, which must not become a signal of 0.
    arcsinh
        .par_iter()
        .map(|v| if v.is_nan() { *v } else { signal(v) })
        .collect()
}

/// The variance of each bin over tracks of one assay that have data there, about their mean, divided by how
/// many there are; 0 where none has. The weights of `msevar`. A piece of the axis at a time will do.
///
/// `None` when there are not two tracks, or they differ in length.
pub fn bin_variance(tracks: &[&[f32]]) -> Option<Vec<f32>> {
    let n_bins = tracks.first()?.len();
    if tracks.len() < 2 || tracks.iter().any(|track| track.len() != n_bins) {
        return None;
    }
    let of_bin = |bin: usize| {
        let known = || {
            let values = tracks.iter().map(|t| f64::from(t[bin]));
            values.filter(|v| !v.is_nan())
        };
        let n = known().count().max(1) as f64;
        let mean = known().sum::<f64>() / n;
        let squares = known().map(|v| (v - mean).powi(2));
        (squares.sum::<f64>() / n) as f32
    };
    Some((0..n_bins).into_par_iter().map(of_bin).collect())
}

fn both<A, B>(a: Option<A>, b: Option<B>) -> Option<(A, B)> {
    a.zip(b)
}

fn check_length(what: &str, expected: usize, found: Option<usize>) -> Result<(), EvaluationError> {
    match found {
        Some(found) if found != expected => Err(EvaluationError::Length {
            what: what.to_string(),
            expected: expected as u64,
            found: found as u64,
        }),
        _ => Ok(()),
    }
}

/// The values of the bins that count; borrowed where all do.
pub(super) fn unmasked<'a, T: Copy>(values: &'a [T], masked: Option<&[bool]>) -> Cow<'a, [T]> {
    match masked {
        Some(masked) if masked.contains(&true) => {
            let kept = values.iter().zip(masked).filter(|(_, masked)| !**masked);
            Cow::Owned(kept.map(|(value, _)| *value).collect())
        }
        _ => Cow::Borrowed(values),
    }
}

#[cfg(test)]
mod tests;
