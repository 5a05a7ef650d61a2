//! Measures of scores or probabilities against labels of two classes.

use super::chunks::{all_finite, sums};
use super::curves::thresholds;
use super::rank::auroc_of_ranks;
use super::{Ranks, Value, common_length, finite};

/// The area under the ROC curve: the chance that a positive scores above a negative, ties
/// counting half.
///
/// `None` also when only one class is there.
pub fn auroc<T: Value>(labels: &[bool], scores: &[T]) -> Option<f64> {
    common_length(labels, scores)?;
    auroc_of_ranks(&Ranks::of(scores)?, |i| labels[i])
}

/// Average precision: the precision at each threshold weighted by the recall it adds, without
/// interpolation; equal scores share one threshold. The area under the precision–recall curve
/// (AUPRC) as scikit-learn defines it.
///
/// `None` also when nothing is positive.
pub fn average_precision<T: Value>(labels: &[bool], scores: &[T]) -> Option<f64> {
    let mut sum = 0.0;
    let mut found = 0;
    let totals = thresholds(labels, scores, |_, true_positives, false_positives| {
        let precision = true_positives as f64 / (true_positives + false_positives) as f64;
        sum += (true_positives - found) as f64 * precision;
        found = true_positives;
    })?;
    (totals.positives > 0).then(|| sum / totals.positives as f64)
}

/// Recall at a false discovery rate: the largest share of the positives that is called at any
/// threshold at which at most that share of what is called is negative; 0 where there is no such
/// threshold. What the ENCODE-DREAM challenge asked of transcription factors, at 10 %.
///
/// `None` also when nothing is positive, or the rate is not in 0..=1.
pub fn recall_at_fdr<T: Value>(labels: &[bool], scores: &[T], rate: f64) -> Option<f64> {
    (0.0..=1.0).contains(&rate).then_some(())?;
    let mut most = 0;
    let totals = thresholds(labels, scores, |_, true_positives, false_positives| {
        let called = (true_positives + false_positives) as f64;
        if false_positives as f64 <= rate * called {
            most = most.max(true_positives);
        }
    })?;
    (totals.positives > 0).then(|| most as f64 / totals.positives as f64)
}

/// The Brier score: mean squared error of the probabilities.
///
/// `None` also when one is not in 0..=1.
pub fn brier<T: Value>(labels: &[bool], probabilities: &[T]) -> Option<f64> {
    let n = common_length(labels, probabilities)?;
    are_probabilities(probabilities).then_some(())?;
    let [sum] = sums(n, |i| {
        let error = probabilities[i].into() - f64::from(u8::from(labels[i]));
        [error * error]
    });
    finite(sum / n as f64)
}

/// Mean negative log likelihood of the labels, in nats. Probabilities are kept 2⁻⁵² away from 0
/// and 1, so that one certain and wrong costs 36 and not infinity (as scikit-learn does for f64).
///
/// `None` also when one is not in 0..=1.
pub fn log_loss<T: Value>(labels: &[bool], probabilities: &[T]) -> Option<f64> {
    let n = common_length(labels, probabilities)?;
    are_probabilities(probabilities).then_some(())?;
    let [sum] = sums(n, |i| {
        let probability: f64 = probabilities[i].into();
        let of_label = if labels[i] {
            probability
        } else {
            1.0 - probability
        };
        [-of_label.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()]
    });
    finite(sum / n as f64)
}

fn are_probabilities<T: Value>(values: &[T]) -> bool {
    all_finite(values) && values.iter().all(|v| (0.0..=1.0).contains(&(*v).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 5] = [true, false, true, false, false];
    const SCORES: [f64; 5] = [0.9, 0.7, 0.7, 0.2, 0.1];

    #[test]
    fn auroc_counts_half_for_ties() {
        // 0.9 beats three; 0.7 ties with one and beats two: 5.5 of 6.
        assert_eq!(auroc(&LABELS, &SCORES), Some(5.5 / 6.0));
    }

    #[test]
    fn average_precision_takes_equal_scores_at_once() {
        // At 0.9: recall 1/2 at precision 1. At 0.7: the other half at precision 2/3.
        let expected = 0.5 + 0.5 * (2.0 / 3.0);
        let measured = average_precision(&LABELS, &SCORES).unwrap();
        assert!((measured - expected).abs() < 1e-15, "{measured}");
    }

    #[test]
    fn recall_is_the_most_that_some_threshold_gives_at_the_rate() {
        // Called at 0.9: one of two, all right. At 0.7: both, one of three wrong.
        assert_eq!(recall_at_fdr(&LABELS, &SCORES, 0.0), Some(0.5));
        assert_eq!(recall_at_fdr(&LABELS, &SCORES, 0.33), Some(0.5));
        assert_eq!(recall_at_fdr(&LABELS, &SCORES, 1.0 / 3.0), Some(1.0));
        // A wrong call above all others, made up for further down: 4 of 5 are right at 0.2.
        let labels = [false, true, true, true, true, false];
        let scores = [0.9, 0.8, 0.7, 0.6, 0.2, 0.1];
        assert_eq!(recall_at_fdr(&labels, &scores, 0.1), Some(0.0));
        assert_eq!(recall_at_fdr(&labels, &scores, 0.2), Some(1.0));
        assert_eq!(recall_at_fdr(&[false, false], &[0.1f32, 0.2], 0.1), None);
        assert_eq!(recall_at_fdr(&LABELS, &SCORES, 1.5), None);
    }

    #[test]
    fn brier_is_the_squared_error_of_the_probabilities() {
        // .01 + .49 + .09 + .04 + .01 = .64, of five.
        let measured = brier(&LABELS, &SCORES).unwrap();
        assert!((measured - 0.128).abs() < 1e-15, "{measured}");
    }

    #[test]
    fn log_loss_is_the_mean_surprise_at_the_labels() {
        // −ln of .9, .3, .7, .8, .9.
        let expected = -(0.9f64 * 0.3 * 0.7 * 0.8 * 0.9).ln() / 5.0;
        let measured = log_loss(&LABELS, &SCORES).unwrap();
        assert!((measured - expected).abs() < 1e-14, "{measured}");
        // Certain and wrong: −ln 2⁻⁵².
        let wrong = log_loss(&[false], &[1.0f64]).unwrap();
        assert!((wrong - 52.0 * 2f64.ln()).abs() < 1e-12, "{wrong}");
    }

    #[test]
    fn one_class_has_no_roc_curve_and_no_positive_no_precision() {
        assert_eq!(auroc(&[true, true], &[0.1f32, 0.2]), None);
        assert_eq!(auroc(&[false, false], &[0.1f32, 0.2]), None);
        assert_eq!(average_precision(&[false, false], &[0.1f32, 0.2]), None);
        assert_eq!(average_precision(&[true, true], &[0.1f32, 0.2]), Some(1.0));
        assert_eq!(brier(&[true], &[1.0f32]), Some(0.0));
    }

    #[test]
    fn what_cannot_be_measured_is_nothing() {
        assert_eq!(auroc::<f64>(&[], &[]), None);
        assert_eq!(auroc(&LABELS, &SCORES[1..]), None);
        assert_eq!(auroc(&[true, false], &[f64::NAN, 1.0]), None);
        assert_eq!(average_precision(&[true, false], &[f64::NAN, 1.0]), None);
        assert_eq!(average_precision::<f32>(&[], &[]), None);
        assert_eq!(brier(&[true], &[1.5f64]), None);
        assert_eq!(log_loss(&[true], &[-0.1f64]), None);
        assert_eq!(log_loss(&[true], &[f64::NAN]), None);
        assert_eq!(log_loss::<f64>(&[], &[]), None);
    }

    #[test]
    fn scores_all_equal_tell_nothing() {
        assert_eq!(auroc(&LABELS, &[0.5f32; 5]), Some(0.5));
        assert_eq!(average_precision(&LABELS, &[0.5f32; 5]), Some(0.4));
    }
}
