//! ROC and precision–recall curves.

use super::chunks::all_finite;
use super::rank::sorted;
use super::{Value, common_length};

/// A point of a ROC curve: what is called when scores at or above the threshold are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The lowest score called; infinite at the first point, where nothing is.
    pub threshold: f64,
    /// Share of the negatives called.
    pub false_positive_rate: f64,
    /// Share of the positives called.
    pub true_positive_rate: f64,
}

/// A point of a precision–recall curve: what is called when scores at or above the threshold are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// The lowest score called; infinite at the first point, where nothing is.
    pub threshold: f64,
    /// Share of the positives called.
    pub recall: f64,
    /// Share of what is called that is positive; 1 at the first point by convention.
    pub precision: f64,
}

/// The ROC curve, one point for each distinct score, from (0, 0) to (1, 1).
///
/// `None` when lengths differ, a score is not finite, or only one class is there.
pub fn roc_curve<T: Value>(labels: &[bool], scores: &[T]) -> Option<Vec<RocPoint>> {
    let mut counts = vec![(f64::INFINITY, 0, 0)];
    let totals = thresholds(labels, scores, |threshold, tp, fp| {
        counts.push((threshold, tp, fp));
    })?;
    if totals.positives == 0 || totals.negatives == 0 {
        return None;
    }
    let point = |(threshold, tp, fp): (f64, u64, u64)| RocPoint {
        threshold,
        false_positive_rate: fp as f64 / totals.negatives as f64,
        true_positive_rate: tp as f64 / totals.positives as f64,
    };
    Some(counts.into_iter().map(point).collect())
}

/// The precision–recall curve, one point for each distinct score, from recall 0 to recall 1.
///
/// `None` when lengths differ, a score is not finite, or nothing is positive.
pub fn precision_recall_curve<T: Value>(
    labels: &[bool],
    scores: &[T],
) -> Option<Vec<PrecisionRecallPoint>> {
    let mut counts = vec![(f64::INFINITY, 0, 0)];
    let totals = thresholds(labels, scores, |threshold, tp, fp| {
        counts.push((threshold, tp, fp));
    })?;
    if totals.positives == 0 {
        return None;
    }
    let point = |(threshold, tp, fp): (f64, u64, u64)| PrecisionRecallPoint {
        threshold,
        recall: tp as f64 / totals.positives as f64,
        precision: if tp + fp == 0 {
            1.0
        } else {
            tp as f64 / (tp + fp) as f64
        },
    };
    Some(counts.into_iter().map(point).collect())
}

/// How many labels there are of each class.
pub(super) struct Totals {
    pub(super) positives: u64,
    pub(super) negatives: u64,
}

/// Visits each distinct score from the highest down, with the true and the false positives at or
/// above it.
pub(super) fn thresholds<T: Value>(
    labels: &[bool],
    scores: &[T],
    mut visit: impl FnMut(f64, u64, u64),
) -> Option<Totals> {
    let n = common_length(labels, scores)?;
    if n > u32::MAX as usize || !all_finite(scores) {
        return None;
    }
    let order = sorted(scores);
    let (mut positives, mut negatives) = (0, 0);
    for (place, packed) in order.iter().enumerate().rev() {
        let position = T::position(*packed) as usize;
        if labels[position] {
            positives += 1;
        } else {
            negatives += 1;
        }
        if place == 0 || !T::same_key(*packed, order[place - 1]) {
            visit(scores[position].into(), positives, negatives);
        }
    }
    Some(Totals {
        positives,
        negatives,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 5] = [false, true, true, false, false];
    const SCORES: [f32; 5] = [0.75, 0.875, 0.75, 0.25, 0.125];

    #[test]
    fn the_roc_curve_steps_at_each_distinct_score() {
        let curve = roc_curve(&LABELS, &SCORES).unwrap();
        let points: Vec<(f64, f64, f64)> = curve
            .iter()
            .map(|p| (p.threshold, p.false_positive_rate, p.true_positive_rate))
            .collect();
        // Positives at .875 and .75, negatives at .75, .25 and .125.
        let third = 1.0 / 3.0;
        assert_eq!(
            points,
            [
                (f64::INFINITY, 0.0, 0.0),
                (0.875, 0.0, 0.5),
                (0.75, third, 1.0),
                (0.25, 2.0 / 3.0, 1.0),
                (0.125, 1.0, 1.0)
            ]
        );
    }

    #[test]
    fn precision_falls_as_recall_grows() {
        let curve = precision_recall_curve(&LABELS, &SCORES).unwrap();
        let points: Vec<(f64, f64)> = curve.iter().map(|p| (p.recall, p.precision)).collect();
        let expected = [
            (0.0, 1.0),
            (0.5, 1.0),
            (1.0, 2.0 / 3.0),
            (1.0, 0.5),
            (1.0, 0.4),
        ];
        assert_eq!(points, expected);
        assert_eq!(curve[0].threshold, f64::INFINITY);
    }

    #[test]
    fn a_curve_needs_its_classes_and_finite_scores() {
        assert_eq!(roc_curve(&[true, true], &[0.1f32, 0.2]), None);
        assert_eq!(roc_curve(&[false], &[0.1f32]), None);
        assert_eq!(precision_recall_curve(&[false], &[0.1f32]), None);
        assert_eq!(
            precision_recall_curve(&[true, false], &[0.1, f32::NAN]),
            None
        );
        assert_eq!(roc_curve(&[true, false], &[0.1f64]), None);
        assert_eq!(roc_curve::<f64>(&[], &[]), None);
    }
}
