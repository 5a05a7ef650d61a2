//! Mean squared errors: over all bins, over some of them, and weighted.

use std::ops::Range;

use super::chunks::sums;
use super::{Value, common_length, finite};

/// Mean squared error.
pub fn mse<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    let n = common_length(observed, imputed)?;
    let [sum] = sums(n, |i| [squared(observed[i], imputed[i])]);
    finite(sum / n as f64)
}

/// Mean squared error weighted bin by bin, Σ w (observed − imputed)² / Σ w: the ENCODE Imputation
/// Challenge's `msevar` when the weights are the assay's variance over the training tracks.
///
/// `None` also when a weight is negative or all are 0.
pub fn mse_weighted<T: Value>(observed: &[T], imputed: &[T], weights: &[T]) -> Option<f64> {
    let n = common_length(observed, imputed)?;
    common_length(observed, weights)?;
    let [sum, weight, negative] = sums(n, |i| {
        let weight: f64 = weights[i].into();
        let below = if weight < 0.0 { 1.0 } else { 0.0 };
        [weight * squared(observed[i], imputed[i]), weight, below]
    });
    if negative > 0.0 || weight <= 0.0 {
        return None;
    }
    finite(sum / weight)
}

/// Mean squared error over the bins of the given ranges (promoters, genes, enhancers), each range
/// counted as often as it is given.
///
/// `None` also when they hold no bin or reach beyond the slices.
pub fn mse_within<T: Value>(observed: &[T], imputed: &[T], ranges: &[Range<u64>]) -> Option<f64> {
    common_length(observed, imputed)?;
    let (mut sum, mut n) = (0.0, 0usize);
    for range in ranges {
        let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
        let (observed, imputed) = (observed.get(range.clone())?, imputed.get(range)?);
        // Summed range by range, so that small terms are not lost beside the total.
        sum += observed
            .iter()
            .zip(imputed)
            .map(|(o, i)| squared(*o, *i))
            .sum::<f64>();
        n += observed.len();
    }
    (n > 0).then_some(())?;
    finite(sum / n as f64)
}

pub(super) fn squared<T: Value>(observed: T, imputed: T) -> f64 {
    let error: f64 = observed.into() - imputed.into();
    error * error
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSERVED: [f32; 4] = [1.0, 2.0, 3.0, 6.0];
    const IMPUTED: [f32; 4] = [0.0, 2.0, 5.0, 4.0];

    #[test]
    fn mse_is_the_mean_of_the_squares() {
        // Errors 1 0 −2 2: squares 1 0 4 4.
        assert_eq!(mse(&OBSERVED, &IMPUTED), Some(2.25));
        assert_eq!(mse(&[3.0f64], &[1.0]), Some(4.0));
    }

    #[test]
    fn the_weighted_error_is_divided_by_the_sum_of_the_weights() {
        // (2·1 + 5·0 + 1·4 + 0·4) / (2 + 5 + 1 + 0).
        let weights = [2.0, 5.0, 1.0, 0.0];
        assert_eq!(mse_weighted(&OBSERVED, &IMPUTED, &weights), Some(0.75));
        assert_eq!(mse_weighted(&OBSERVED, &IMPUTED, &[0.0; 4]), None);
        assert_eq!(
            mse_weighted(&OBSERVED, &IMPUTED, &[1.0, 1.0, 1.0, -0.5]),
            None
        );
        assert_eq!(mse_weighted(&OBSERVED, &IMPUTED, &[1.0; 3]), None);
    }

    #[test]
    fn equal_weights_change_nothing() {
        assert_eq!(
            mse_weighted(&OBSERVED, &IMPUTED, &[0.25; 4]),
            mse(&OBSERVED, &IMPUTED)
        );
    }

    #[test]
    fn only_the_bins_of_the_ranges_count() {
        // Bins 0 and 2: (1 + 4) / 2.
        assert_eq!(mse_within(&OBSERVED, &IMPUTED, &[0..1, 2..3]), Some(2.5));
        assert_eq!(mse_within(&OBSERVED, &IMPUTED, &[]), None);
        let backwards = Range { start: 3, end: 1 };
        for range in [1..1, 2..5, 4..4, backwards] {
            assert_eq!(mse_within(&OBSERVED, &IMPUTED, &[range]), None);
        }
    }

    #[test]
    fn errors_without_a_finite_value_are_undefined() {
        assert_eq!(mse::<f32>(&[], &[]), None);
        assert_eq!(mse(&OBSERVED, &IMPUTED[1..]), None);
        assert_eq!(mse(&[f32::NAN], &[1.0]), None);
        assert_eq!(mse(&[f32::INFINITY, 1.0], &[1.0, 1.0]), None);
        assert_eq!(mse_weighted(&[1.0f64], &[1.0], &[f64::NAN]), None);
    }
}
