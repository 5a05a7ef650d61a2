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
mod tests {
    use super::*;
    use crate::evaluation::{AnnotationBins, gene_bins, promoter_bins};
    use crate::genome::{Assembly, Gene, GenomeAxis, Interval, Mask, Strand};
    use crate::measures;

    fn axis(n_bins: u64) -> GenomeAxis {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), n_bins * 25)]).unwrap();
        GenomeAxis::whole_chromosomes(assembly, &[]).unwrap()
    }

    fn ramp(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * step) % n) as f32 / 7.0).collect()
    }

    #[test]
    fn masked_bins_change_no_measure() {
        let n = 400;
        let (observed, imputed, average) = (ramp(n, 7), ramp(n, 11), ramp(n, 13));
        let variance: Vec<f32> = ramp(n, 3);
        let peaks: Vec<bool> = (0..n).map(|i| i % 5 == 0).collect();
        let axis = axis(n as u64);
        let mask = Mask::new(&axis, &[Interval::new("chr1", 2_000, 4_000)]);
        let enhancers = BinSet::new(&mask, Some(60u64..200));
        let context = ScoringContext {
            masked: Some(mask.as_slice()),
            enhancer_bins: Some(&enhancers),
            variance: Some(&variance),
            peaks: Some(&peaks),
            ..ScoringContext::default()
        };
        let clean = score(&observed, &imputed, Some(&average), &context).unwrap();
        let spoil = |values: &[f32]| {
            let mut spoiled = values.to_vec();
            spoiled[80..160].fill(f32::NAN);
            spoiled
        };
        let spoiled = score(
            &spoil(&observed),
            &spoil(&imputed),
            Some(&spoil(&average)),
            &ScoringContext {
                variance: Some(&spoil(&variance)),
                ..context
            },
        );
        assert_eq!(spoiled.unwrap(), clean);
        assert_eq!(clean.mseprom, None);
        let undefined = clean.values().iter().filter(|(_, v)| v.is_none()).count();
        assert_eq!(undefined, 2, "only mseprom and msegene: {clean:?}");
        // Left out by hand: 320 bins remain, and of the enhancers bins 60 to 79 and 160 to 199.
        let cut = |values: &[f32]| [&values[..80], &values[160..]].concat();
        let (o, i, a, v) = (cut(&observed), cut(&imputed), cut(&average), cut(&variance));
        let p = [&peaks[..80], &peaks[160..]].concat();
        let by_hand = TrackMeasures {
            mse: measures::mse(&o, &i),
            mse1obs: measures::mse1obs(&o, &i),
            mse1imp: measures::mse1imp(&o, &i),
            mseprom: None,
            msegene: None,
            mseenh: measures::mse(&o[60..120], &i[60..120]),
            msevar: measures::mse_weighted(&o, &i, &v),
            shape_mse: measures::shape_mse(&o, &i),
            gwcorr: measures::pearson(&i, &o),
            gwspear: measures::spearman(&o, &i),
            match1: measures::match1(&o, &i),
            catch1obs: measures::catch1obs(&o, &i),
            catch1imp: measures::catch1imp(&o, &i),
            aucobs1: measures::aucobs1(&o, &i),
            aucimp1: measures::aucimp1(&o, &i),
            catchpeakobs: measures::auroc(&p, &i),
            auprc: measures::average_precision(&p, &i),
            recall10fdr: measures::recall_at_fdr(&p, &i, 0.1),
            specificity: measures::specificity(&o, &i, &a),
            departure_correlation: measures::departure_correlation(&o, &i, &a),
        };
        for ((name, scored), (_, expected)) in clean.values().iter().zip(by_hand.values()) {
            let equal = match (scored, expected) {
                (Some(scored), Some(expected)) => (scored - expected).abs() < 1e-12,
                (scored, expected) => scored.is_none() && expected.is_none(),
            };
            assert!(equal, "{name}: {scored:?}, by hand {expected:?}");
        }
    }

    #[test]
    fn a_track_wholly_masked_has_no_measure() {
        let context = ScoringContext {
            masked: Some(&[true; 3]),
            ..ScoringContext::default()
        };
        let measures = score(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0], None, &context).unwrap();
        assert_eq!(measures, TrackMeasures::default());
    }

    #[test]
    fn the_average_itself_has_no_specificity_and_a_nan_no_measure() {
        let (observed, average) = (ramp(300, 7), ramp(300, 11));
        let context = ScoringContext::default();
        let measures = score(&observed, &average, Some(&average), &context).unwrap();
        assert_eq!(measures.specificity, None);
        assert_eq!(measures.departure_correlation, None);
        assert!(measures.gwcorr.is_some());
        let broken = vec![f32::NAN; 300];
        let measures = score(&observed, &broken, None, &context).unwrap();
        assert_eq!(measures, TrackMeasures::default());
    }

    #[test]
    fn series_over_other_axes_are_refused_by_name() {
        let three = [1.0f32, 2.0, 3.0];
        let context = ScoringContext::default();
        let message =
            |result: Result<TrackMeasures, EvaluationError>| result.unwrap_err().to_string();
        let short = message(score(&three, &three[1..], None, &context));
        assert!(
            short.contains("imputed track has 2 bins") && short.contains("has 3"),
            "{short}"
        );
        let short = message(score(&three, &three, Some(&three[1..]), &context));
        assert!(short.contains("average activity has 2 bins"), "{short}");
        let masked = ScoringContext {
            masked: Some(&[false; 4]),
            ..context
        };
        assert!(message(score(&three, &three, None, &masked)).contains("the mask has 4"));
        let genes = BinSet::new(&Mask::none(&axis(9)), Some(0u64..5));
        let beyond = ScoringContext {
            gene_bins: Some(&genes),
            ..context
        };
        assert!(message(score(&three, &three, None, &beyond)).contains("genes reach to bin 5"));
    }

    #[test]
    fn the_signal_scale_is_the_hyperbolic_sine_without_negatives() {
        let signal = to_signal_scale(&[-0.5, 0.0, 1.0, f32::NAN]);
        assert_eq!(signal[..2], [0.0, 0.0]);
        // (e − 1/e) / 2.
        assert!((signal[2] - 1.175_201_2).abs() < 1e-7);
        assert!(signal[3].is_nan());
    }

    #[test]
    fn the_variance_of_a_bin_is_about_the_mean_of_the_tracks() {
        // Bin 0: 1 3 5, mean 3, squares 4 0 4. Bin 1: all 2.
        let variance = bin_variance(&[&[1.0, 2.0], &[3.0, 2.0], &[5.0, 2.0]]).unwrap();
        assert_eq!(variance, [8.0 / 3.0, 0.0]);
        // Of those that have data: 1 and 5, mean 3; 2 alone; none.
        let nan = f32::NAN;
        let gaps = bin_variance(&[&[1.0, 2.0, nan], &[nan, nan, nan], &[5.0, nan, nan]]).unwrap();
        assert_eq!(gaps, [4.0, 0.0, 0.0]);
        assert_eq!(bin_variance(&[&[1.0]]), None);
        assert_eq!(bin_variance(&[&[1.0], &[1.0, 2.0]]), None);
        assert_eq!(bin_variance(&[]), None);
    }

    #[test]
    fn means_are_over_the_tracks_that_define_them() {
        let track = |mse, gwcorr| TrackMeasures {
            mse,
            gwcorr,
            ..TrackMeasures::default()
        };
        let mean = mean_measures(&[track(Some(1.0), None), track(Some(2.0), Some(0.5))]);
        assert_eq!(
            (mean.mse, mean.gwcorr, mean.auprc),
            (Some(1.5), Some(0.5), None)
        );
        assert_eq!(mean_measures(&[]), TrackMeasures::default());
    }

    #[test]
    fn undefined_measures_are_null_under_the_names_of_the_design() {
        let json = serde_json::to_value(TrackMeasures {
            mse: Some(0.5),
            ..Default::default()
        })
        .unwrap();
        assert_eq!(json["mse"], 0.5);
        assert!(json["catchpeakobs"].is_null());
        let mut names: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut expected = TrackMeasures::NAMES.to_vec();
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
        assert_eq!(expected.len(), 20);
    }

    fn gene((start, end, strand): &(u64, u64, String)) -> Gene {
        Gene {
            id: String::new(),
            name: String::new(),
            interval: Interval::new("chr1", *start, *end),
            strand: match strand.as_str() {
                "+" => Strand::Forward,
                _ => Strand::Reverse,
            },
            transcript_starts: Vec::new(),
        }
    }

    #[derive(Deserialize)]
    struct Challenge {
        observed: Vec<f32>,
        imputed: Vec<f32>,
        variance: Vec<f32>,
        genes: Vec<(u64, u64, String)>,
        expected: std::collections::BTreeMap<String, f64>,
    }

    #[test]
    fn scores_equal_the_encode_challenges_where_the_definitions_meet() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/measures/challenge.json"
        );
        let text = std::fs::read_to_string(path).unwrap();
        let case: Challenge = serde_json::from_str(&text).unwrap();
        let axis = axis(case.observed.len() as u64);
        let mask = Mask::none(&axis);
        let genes: Vec<Gene> = case.genes.iter().map(gene).collect();
        let promoters = promoter_bins(&axis, &mask, &genes);
        let bodies = gene_bins(&axis, &mask, &genes);
        let context = ScoringContext {
            promoter_bins: Some(&promoters),
            gene_bins: Some(&bodies),
            variance: Some(&case.variance),
            ..ScoringContext::default()
        };
        let scored = score(&case.observed, &case.imputed, None, &context).unwrap();
        let mut compared = 0;
        for (name, value) in scored.values() {
            if let Some(expected) = case.expected.get(name) {
                // Its sums are f64, over values that we hold as f32.
                assert!(
                    (value.unwrap() - expected).abs() < 1e-6 * expected.max(1.0),
                    "{name}: {value:?}"
                );
                compared += 1;
            }
        }
        assert_eq!(compared, case.expected.len());
        assert_eq!(compared, 13);
    }

    #[derive(Deserialize)]
    struct ChallengeCase {
        name: String,
        observed: Vec<f32>,
        imputed: Vec<f32>,
        variance: Vec<f32>,
        genes: Vec<(u64, u64, String)>,
        enhancers: Vec<(u64, u64)>,
        expected: std::collections::BTreeMap<String, Option<f64>>,
    }

    #[test]
    fn by_its_definitions_scores_are_the_challenges_where_ours_differ() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/measures/challenge_cases.json"
        );
        let text = std::fs::read_to_string(path).unwrap();
        let cases: Vec<ChallengeCase> = serde_json::from_str(&text).unwrap();
        assert_eq!(cases.len(), 3);
        for case in &cases {
            let name = &case.name;
            let axis = axis(case.observed.len() as u64);
            let genes: Vec<Gene> = case.genes.iter().map(gene).collect();
            let enhancers: Vec<Interval> = (case.enhancers.iter())
                .map(|(start, end)| Interval::new("chr1", *start, *end))
                .collect();
            let scored = |definitions| {
                let annotation = (genes.as_slice(), enhancers.as_slice());
                let bins = AnnotationBins::new(&axis, &Mask::none(&axis), annotation, definitions);
                let context = ScoringContext {
                    promoter_bins: Some(&bins.promoters),
                    gene_bins: Some(&bins.genes),
                    enhancer_bins: Some(&bins.enhancers),
                    variance: Some(&case.variance),
                    definitions,
                    ..ScoringContext::default()
                };
                let scored = score(&case.observed, &case.imputed, None, &context);
                scored.unwrap().values()
            };
            let (theirs, ours) = (scored(Definitions::Challenge), scored(Definitions::Persea));
            let mut differing = Vec::new();
            for ((measure, theirs), (_, ours)) in theirs.into_iter().zip(ours) {
                let Some(expected) = case.expected.get(measure) else {
                    continue;
                };
                let same = |value: Option<f64>| match (value, *expected) {
                    (Some(v), Some(e)) => (v - e).abs() < 1e-6 * e.abs().max(1.0),
                    (v, e) => v.is_none() && e.is_none(),
                };
                assert!(
                    same(theirs),
                    "{name} {measure}: {theirs:?}, the scorer {expected:?}"
                );
                if !same(ours) {
                    differing.push(measure);
                }
            }
            assert_eq!(case.expected.len(), 14);
            // No sparse peak lies in the enhancers.
            let enhancers = (name != "zeros in the top").then_some("mseenh");
            for measure in ["match1", "mseprom", "msegene"]
                .into_iter()
                .chain(enhancers)
            {
                assert!(differing.contains(&measure), "{name}: {differing:?}");
            }
        }
    }
}
