//! What the baselines must know of the training tracks, gathered stretch by stretch.
//!
//! Two passes over the tracks: the first feeds [`BaselineStatistics::push`], the second hands the
//! same stretches to [`TargetBaselines::impute`]. Neither holds more than a stretch.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::additive::additive_weights;
use super::fitted::{mean_of, stretch};
use super::score::unmasked;
use super::{Calibration, EvaluationError, Nearest, TargetBaselines};
use crate::compendium::Experiment;
use crate::measures::CoMoments;

/// The first pass of the baselines: how training tracks relate to each other and to their averages.
///
/// Only what the targets ask for is gathered. A target that is itself among the training tracks is
/// never read for its own baselines.
#[derive(Debug, Clone)]
pub struct BaselineStatistics {
    training: Arc<[Experiment]>,
    targets: Vec<Experiment>,
    needed: Vec<usize>,
    /// Whether a needed track lacks data at some bin that was taken in.
    has_gaps: bool,
    /// For each target: x its average activity, y nothing.
    target_averages: Vec<OfAverage>,
    /// For tracks of the targets' biosamples: x their average over the other biosamples, y the
    /// track.
    against_average: BTreeMap<usize, OfAverage>,
    /// For two tracks of one assay, the first of a target's biosample: x the one, y the other.
    pairs: BTreeMap<(usize, usize), CoMoments>,
}

/// Moments that involve an average activity, and the tracks that it is the mean of.
#[derive(Debug, Clone)]
struct OfAverage {
    of: Vec<usize>,
    moments: CoMoments,
}

impl BaselineStatistics {
    /// Announces the training tracks and the experiments to impute.
    pub fn new(training: &[Experiment], targets: &[Experiment]) -> Self {
        let mut statistics = BaselineStatistics {
            training: training.into(),
            targets: targets.to_vec(),
            needed: Vec::new(),
            has_gaps: false,
            target_averages: Vec::new(),
            against_average: BTreeMap::new(),
            pairs: BTreeMap::new(),
        };
        let mut needed = BTreeSet::new();
        for target in targets {
            let average = statistics.average_over_others(target);
            let with_assay: HashSet<&str> = average
                .of
                .iter()
                .map(|t| &*training[*t].biosample)
                .collect();
            needed.extend(average.of.iter().copied());
            statistics.target_averages.push(average);
            for (track, experiment) in training.iter().enumerate() {
                if experiment.biosample != target.biosample || experiment.assay == target.assay {
                    continue;
                }
                let average = statistics.average_over_others(experiment);
                if average.of.is_empty() {
                    continue;
                }
                for other in &average.of {
                    if with_assay.contains(&*training[*other].biosample) {
                        let nothing = CoMoments::default();
                        statistics.pairs.insert((track, *other), nothing);
                    }
                }
                needed.insert(track);
                needed.extend(average.of.iter().copied());
                statistics.against_average.insert(track, average);
            }
        }
        statistics.needed = needed.into_iter().collect();
        statistics
    }

    /// The training tracks, in the order announced, that [`BaselineStatistics::push`] reads.
    #[cfg(test)]
    pub fn needed(&self) -> &[usize] {
        &self.needed
    }

    /// Takes in a stretch of bins: one slice for each training track in the order announced, empty
    /// where it is not [`needed`](BaselineStatistics::needed), and which bins are masked. Two series are
    /// compared over the bins at which both have data.
    ///
    /// # Errors
    /// When the number of tracks is another, lengths differ or a value is infinite. Nothing of
    /// the stretch is taken in then.
    pub fn push(
        &mut self,
        tracks: &[&[f32]],
        masked: Option<&[bool]>,
    ) -> Result<(), EvaluationError> {
        let Some(n_bins) = stretch(&self.training, tracks, &self.needed)? else {
            return Ok(());
        };
        if let Some(masked) = masked
            && masked.len() != n_bins
        {
            return Err(EvaluationError::Length {
                what: "the mask".into(),
                expected: n_bins as u64,
                found: masked.len() as u64,
            });
        }
        let mut kept = vec![std::borrow::Cow::Borrowed(&[][..]); tracks.len()];
        for track in &self.needed {
            kept[*track] = unmasked(tracks[*track], masked);
            if kept[*track].iter().any(|value| value.is_infinite()) {
                return Err(EvaluationError::NotFinite {
                    biosample: self.training[*track].biosample.clone(),
                    assay: self.training[*track].assay.clone(),
                });
            }
        }
        let kept: Vec<&[f32]> = kept.iter().map(|track| &**track).collect();
        self.has_gaps |= kept.iter().any(|track| track.iter().any(|v| v.is_nan()));
        let n = self.needed.first().map_or(0, |track| kept[*track].len());
        self.target_averages.par_iter_mut().for_each(|target| {
            if !target.of.is_empty() {
                let average = |bin| mean_of(&kept, &target.of, bin);
                add(&mut target.moments, n, |bin| (average(bin), 0.0));
            }
        });
        self.against_average
            .par_iter_mut()
            .for_each(|(track, against)| {
                let (own, of) = (kept[*track], &against.of);
                let pair = |bin: usize| (mean_of(&kept, of, bin), f64::from(own[bin]));
                add(&mut against.moments, n, pair);
            });
        self.pairs
            .par_iter_mut()
            .for_each(|((one, other), moments)| {
                let (one, other) = (kept[*one], kept[*other]);
                add(moments, n, |bin| {
                    (f64::from(one[bin]), f64::from(other[bin]))
                });
            });
        Ok(())
    }

    /// The baselines of each target, in the targets' order.
    pub fn finish(self) -> Vec<TargetBaselines> {
        let of_target = |(target, average): (&Experiment, &OfAverage)| TargetBaselines {
            average: average.of.clone(),
            average_mean: average.moments.mean_x(),
            has_gaps: self.has_gaps,
            calibration: self.calibration(target, average),
            nearest: self.nearest(target, &average.of),
            additive: additive_weights(&self.training, target),
            training: Arc::clone(&self.training),
        };
        let targets = self.targets.iter().zip(&self.target_averages);
        targets.map(of_target).collect()
    }

    /// The training tracks of an experiment's assay in the other biosamples.
    fn average_over_others(&self, experiment: &Experiment) -> OfAverage {
        let training = self.training.iter().enumerate();
        let of = training
            .filter(|(_, t)| t.assay == experiment.assay && t.biosample != experiment.biosample)
            .map(|(track, _)| track)
            .collect();
        let moments = CoMoments::default();
        OfAverage { of, moments }
    }

    fn calibration(&self, target: &Experiment, average: &OfAverage) -> Option<Calibration> {
        let (mut n, mut slopes, mut ratios) = (0, 0.0, 0.0);
        for (track, OfAverage { moments, .. }) in &self.against_average {
            let experiment = &self.training[*track];
            if experiment.biosample != target.biosample || experiment.assay == target.assay {
                continue;
            }
            if let Some(fit) = moments.fit()
                && moments.mean_x() > 0.0
            {
                n += 1;
                slopes += fit.slope;
                ratios += moments.mean_y() / moments.mean_x();
            }
        }
        (n > 0 && average.moments.n() > 0).then(|| Calibration {
            slope: slopes / f64::from(n),
            mean_ratio: ratios / f64::from(n),
            average_mean: average.moments.mean_x(),
        })
    }

    fn nearest(&self, target: &Experiment, candidates: &[usize]) -> Option<Nearest> {
        let mut correlations: BTreeMap<&str, (u32, f64)> = BTreeMap::new();
        for ((one, other), moments) in &self.pairs {
            let one = &self.training[*one];
            if one.biosample != target.biosample || one.assay == target.assay {
                continue;
            }
            if let Some(r) = moments.pearson() {
                let shared = correlations.entry(&self.training[*other].biosample);
                let (n, sum) = shared.or_default();
                (*n, *sum) = (*n + 1, *sum + r);
            }
        }
        let mut nearest: Option<Nearest> = None;
        for track in candidates.iter().copied() {
            if let Some((n, sum)) = correlations.get(&*self.training[track].biosample) {
                let correlation = sum / f64::from(*n);
                if nearest.is_none_or(|best| correlation > best.correlation) {
                    nearest = Some(Nearest { track, correlation });
                }
            }
        }
        nearest
    }
}

/// Adds the moments of a stretch of n pairs, of those of which neither is NaN.
fn add(moments: &mut CoMoments, n: usize, pair: impl Fn(usize) -> (f64, f64) + Sync) {
    let is_known = |bin: &usize| {
        let (x, y) = pair(*bin);
        !x.is_nan() && !y.is_nan()
    };
    // `None` of what is not finite: a stretch without gaps, which most are, is looked at once.
    let stretch = CoMoments::by(n, &pair).or_else(|| {
        let known: Vec<usize> = (0..n).filter(is_known).collect();
        CoMoments::by(known.len(), |i| pair(known[i]))
    });
    if let Some(stretch) = stretch {
        *moments = moments.merge(stretch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Baseline;
    use proptest::prelude::*;

    fn experiments(names: &[&str]) -> Vec<Experiment> {
        let parts = names.iter().map(|n| n.split_at(1));
        parts.map(|(b, a)| Experiment::new(b, a)).collect()
    }

    fn fitted(training: &[Experiment], target: &Experiment, tracks: &[&[f32]]) -> TargetBaselines {
        let targets = std::slice::from_ref(target);
        let mut statistics = BaselineStatistics::new(training, targets);
        statistics.push(tracks, None).unwrap();
        statistics.finish().remove(0)
    }

    #[test]
    fn average_activity_is_the_mean_over_the_other_biosamples() {
        let training = experiments(&["yP", "zP", "xP", "yQ"]);
        let tracks: [&[f32]; 4] = [&[1.0, 2.0], &[4.0, 0.0], &[99.0, 99.0], &[7.0, 7.0]];
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let average = baselines.impute(Baseline::AverageActivity, &tracks);
        assert_eq!(average.unwrap(), Some(vec![2.5, 1.0]));
        assert_eq!(baselines.average, [0, 1]);
    }

    #[test]
    fn calibration_takes_the_mean_slope_and_the_mean_ratio_of_the_other_tracks() {
        let training = experiments(&["xQ", "yQ", "xR", "yR", "yP"]);
        let tracks: [&[f32]; 5] = [
            &[1.0, 3.0, 5.0, 7.0], // over yQ: slope 2, ratio of means 4 / 1.5
            &[0.0, 1.0, 2.0, 3.0],
            &[1.0, 1.0, 3.0, 3.0], // over yR: slope 1/2, ratio of means 2 / 3
            &[1.0, 1.0, 5.0, 5.0],
            &[2.0, 4.0, 4.0, 6.0],
        ];
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let calibration = baselines.calibration.unwrap();
        assert!((calibration.slope - 1.25).abs() < 1e-14);
        assert!((calibration.mean_ratio - (8.0 / 3.0 + 2.0 / 3.0) / 2.0).abs() < 1e-14);
        // Mean 5/3 × 4, slope 1.25 about the average's mean of 4.
        let imputed = baselines
            .impute(Baseline::CalibratedAverage, &tracks)
            .unwrap()
            .unwrap();
        let mean = 20.0 / 3.0;
        for (value, expected) in imputed.iter().zip([mean - 2.5, mean, mean, mean + 2.5]) {
            assert!((f64::from(*value) - expected).abs() < 1e-6, "{imputed:?}");
        }
    }

    #[test]
    fn the_nearest_biosample_correlates_best_over_shared_assays() {
        let training = experiments(&["xQ", "yQ", "zQ", "wQ", "yP", "zP", "xR", "zR"]);
        let tracks: [&[f32]; 8] = [
            &[1.0, 2.0, 3.0, 4.0],
            &[1.0, 3.0, 2.0, 4.0], // r = 0.8
            &[0.0, 2.0, 4.0, 6.0], // r = 1, and −1 in R: mean 0
            &[1.0, 2.0, 3.0, 4.0], // r = 1 but has no P
            &[5.0, 6.0, 7.0, 8.0],
            &[9.0, 9.0, 9.0, 9.0],
            &[0.0, 0.0, 1.0, 1.0],
            &[1.0, 1.0, 0.0, 0.0],
        ];
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let nearest = baselines.nearest.unwrap();
        assert_eq!(nearest.track, 4);
        assert!((nearest.correlation - 0.8).abs() < 1e-14);
        let imputed = baselines
            .impute(Baseline::NearestBiosample, &tracks)
            .unwrap();
        assert_eq!(imputed.as_deref(), Some(tracks[4]));
    }

    #[test]
    fn the_additive_baseline_completes_a_square() {
        let training = experiments(&["xQ", "yQ", "yP"]);
        let tracks: [&[f32]; 3] = [&[1.0, 3.0], &[0.5, 1.0], &[2.0, 4.0]];
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let imputed = baselines
            .impute(Baseline::Additive, &tracks)
            .unwrap()
            .unwrap();
        // y's P + x's Q − y's Q.
        assert!((imputed[0] - 2.5).abs() < 1e-6 && (imputed[1] - 6.0).abs() < 1e-6);
    }

    #[test]
    fn where_a_track_has_no_data_the_others_stand_in() {
        let nan = f32::NAN;
        let training = experiments(&["xQ", "yQ", "zQ", "yP", "zP"]);
        let tracks: [&[f32]; 5] = [
            &[1.0, 2.0, 3.0, 4.0, 9.0, 1.0],
            &[1.0, 3.0, 2.0, 4.0, nan, 1.0], // r = 5.8 / 6.8 over the bins that both have
            &[4.0, 3.0, 1.0, 2.0, 9.0, nan], // r = 29.8 / 38.8
            &[5.0, 6.0, nan, 8.0, nan, nan],
            &[1.0, 2.0, 3.0, nan, nan, nan],
        ];
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let impute = |b| baselines.impute(b, &tracks).unwrap().unwrap();
        // Where neither y nor z has P, the mean of the others: (3 + 4 + 3 + 8) / 4.
        let average = impute(Baseline::AverageActivity);
        assert_eq!(average, [3.0, 4.0, 3.0, 8.0, 4.5, 4.5]);
        let found = baselines.nearest.unwrap();
        assert_eq!(found.track, 3);
        assert!((found.correlation - 5.8 / 6.8).abs() < 1e-6);
        let nearest = impute(Baseline::NearestBiosample);
        assert_eq!(nearest, [5.0, 6.0, 3.0, 8.0, 4.5, 4.5]);
        let additive = impute(Baseline::Additive);
        // Where one of its tracks has no data: average activity.
        assert_eq!(additive[2..], [3.0, 8.0, 4.5, 4.5]);
        assert!(additive[..2].iter().all(|v| v.is_finite()));
        // Calibrated by xQ over its average, (y + z) / 2 or the one that has data.
        let calibration = baselines.calibration.unwrap();
        let q_average = [2.5, 3.0, 1.5, 3.0, 9.0, 1.0];
        let expected = CoMoments::of(&q_average, tracks[0]).unwrap().fit().unwrap();
        assert!((calibration.slope - expected.slope).abs() < 1e-9);
        assert!((calibration.average_mean - 4.5).abs() < 1e-12);
        assert!(
            impute(Baseline::CalibratedAverage)
                .iter()
                .all(|v| v.is_finite())
        );
    }

    #[test]
    fn baselines_without_their_tracks_are_undefined() {
        let training = experiments(&["yQ", "zP"]);
        let tracks: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, 5.0]];
        // x has no track of its own: only the average is defined.
        let baselines = fitted(&training, &Experiment::new("x", "P"), &tracks);
        let defined = Baseline::ALL.map(|b| baselines.impute(b, &tracks).unwrap().is_some());
        assert_eq!(defined, [true, false, false, false]);
        // Nobody has R.
        let baselines = fitted(&training, &Experiment::new("y", "R"), &tracks);
        for baseline in Baseline::ALL {
            assert_eq!(baselines.impute(baseline, &tracks).unwrap(), None);
            assert!(baselines.needed(baseline).is_empty());
        }
    }

    #[test]
    fn stretches_that_do_not_fit_are_refused_by_name() {
        let training = experiments(&["xQ", "yQ", "yP", "zS"]);
        let mut statistics = BaselineStatistics::new(&training, &experiments(&["xP"]));
        assert_eq!(statistics.needed(), [0, 1, 2]);
        let two = [1.0f32, 2.0];
        let message = |e: EvaluationError| e.to_string();
        let few = statistics.push(&[&two, &two], None).map_err(message);
        assert!(
            few.unwrap_err()
                .contains("2 training tracks were given where 4")
        );
        let short = statistics
            .push(&[&two, &two, &two[1..], &[]], None)
            .map_err(message);
        assert!(
            short
                .unwrap_err()
                .contains("y P has 1 bins in a stretch of 2")
        );
        let infinite = statistics
            .push(&[&two, &[1.0, f32::INFINITY], &two, &[]], None)
            .map_err(message);
        assert!(
            infinite
                .unwrap_err()
                .contains("y Q holds a value that is not finite")
        );
        let mask = statistics
            .push(&[&two, &two, &two, &[]], Some(&[true]))
            .map_err(message);
        assert!(mask.unwrap_err().contains("the mask has 1 bins"));
        // Masked, what is not finite does not matter.
        let tracks: [&[f32]; 4] = [&two, &[1.0, f32::NAN], &two, &[]];
        assert!(statistics.push(&tracks, Some(&[false, true])).is_ok());
    }

    /// Six training tracks of the target's table, the target itself among them as the last.
    fn table() -> (Vec<Experiment>, Experiment) {
        let names = ["xQ", "xR", "yP", "yQ", "zP", "zR", "xP"];
        (experiments(&names), Experiment::new("x", "P"))
    }

    proptest! {
        #[test]
        fn no_baseline_sees_its_target(
            values in proptest::collection::vec(proptest::array::uniform7(0.0f32..9.0), 3..40),
            other in 0.0f32..99.0,
        ) {
            let (training, target) = table();
            let columns: Vec<Vec<f32>> = (0..7).map(|t| values.iter().map(|v| v[t]).collect()).collect();
            let changed: Vec<f32> = columns[6].iter().map(|v| other - v * v).collect();
            let honest: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
            let mut spoiled = honest.clone();
            spoiled[6] = &changed;
            let absent = fitted(&training[..6], &target, &honest[..6]);
            let (one, two) = (fitted(&training, &target, &honest), fitted(&training, &target, &spoiled));
            prop_assert_eq!(&one, &two);
            for baseline in Baseline::ALL {
                let imputed = one.impute(baseline, &honest).unwrap();
                prop_assert_eq!(&imputed, &two.impute(baseline, &spoiled).unwrap());
                prop_assert_eq!(&imputed, &absent.impute(baseline, &honest[..6]).unwrap());
                prop_assert!(imputed.is_some());
            }
        }

        #[test]
        fn stretches_add_up_to_the_whole(
            values in proptest::collection::vec(proptest::array::uniform6(0.0f32..9.0), 4..60),
            cut in 1usize..60,
            masked in proptest::collection::vec(proptest::bool::weighted(0.2), 60),
        ) {
            let (training, target) = table();
            let cut = cut.min(values.len() - 1);
            let masked = &masked[..values.len()];
            let columns: Vec<Vec<f32>> = (0..6).map(|t| values.iter().map(|v| v[t]).collect()).collect();
            let part = |from: usize, to: usize| columns.iter().map(|c| &c[from..to]).collect::<Vec<_>>();
            let mut whole = BaselineStatistics::new(&training[..6], std::slice::from_ref(&target));
            let mut pieces = whole.clone();
            whole.push(&part(0, values.len()), Some(masked)).unwrap();
            pieces.push(&part(0, cut), Some(&masked[..cut])).unwrap();
            pieces.push(&part(cut, values.len()), Some(&masked[cut..])).unwrap();
            let (whole, pieces) = (whole.finish().remove(0), pieces.finish().remove(0));
            prop_assert_eq!(whole.calibration.is_some(), pieces.calibration.is_some());
            if let (Some(a), Some(b)) = (whole.calibration, pieces.calibration) {
                prop_assert!((a.slope - b.slope).abs() < 1e-9 * a.slope.abs().max(1.0));
                prop_assert!((a.mean_ratio - b.mean_ratio).abs() < 1e-9);
                prop_assert!((a.average_mean - b.average_mean).abs() < 1e-9);
            }
            if let (Some(a), Some(b)) = (whole.nearest, pieces.nearest) {
                prop_assert!((a.correlation - b.correlation).abs() < 1e-9);
            }
            prop_assert_eq!(whole.additive, pieces.additive);
        }
    }
}
