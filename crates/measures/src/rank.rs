//! Ranks that share ties evenly, Spearman's correlation and the area under the ROC curve.

use rayon::prelude::*;

use super::chunks::{all_finite, by_chunks};
use super::{Value, common_length};

/// The rank of each value among all, from 1 for the lowest; values that are equal share the mean
/// of their ranks.
///
/// Kept as twice the rank, a whole number, so that sums of ranks are exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    doubled: Vec<u32>,
}

impl Ranks {
    /// Ranks values by a parallel sort: 12 bytes a value of f32 while it works (20 of f64), 4 to
    /// keep.
    ///
    /// `None` when there is no value, one is not finite, or there are 2³¹ or more.
    pub fn of<T: Value>(values: &[T]) -> Option<Self> {
        if values.is_empty() || values.len() > (u32::MAX / 2) as usize || !all_finite(values) {
            return None;
        }
        let order = sorted(values);
        let mut doubled = vec![0u32; values.len()];
        let mut start = 0;
        while start < order.len() {
            let mut end = start + 1;
            while end < order.len() && T::same_key(order[start], order[end]) {
                end += 1;
            }
            // The mean of start + 1, …, end, twice.
            let rank = (start + 1 + end) as u32;
            for packed in &order[start..end] {
                doubled[T::position(*packed) as usize] = rank;
            }
            start = end;
        }
        Some(Ranks { doubled })
    }

    /// How many values were ranked.
    pub fn len(&self) -> usize {
        self.doubled.len()
    }

    /// Whether none was: never, as [`Ranks::of`] gives nothing then.
    pub fn is_empty(&self) -> bool {
        self.doubled.is_empty()
    }

    /// The rank of the value at a position, from 1, if there is one.
    pub fn get(&self, position: usize) -> Option<f64> {
        self.doubled.get(position).map(|d| f64::from(*d) / 2.0)
    }
}

/// Values and their positions, lowest first, equal ones by position.
pub(super) fn sorted<T: Value>(values: &[T]) -> Vec<T::Packed> {
    let mut order: Vec<T::Packed> = values
        .par_iter()
        .enumerate()
        .map(|(position, value)| value.pack(position as u32))
        .collect();
    order.par_sort_unstable();
    order
}

/// Spearman's correlation (`gwspear`), with ties at their mean rank.
///
/// `None` also when a series is constant.
pub fn spearman<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    common_length(observed, imputed)?;
    spearman_of_ranks(&Ranks::of(observed)?, &Ranks::of(imputed)?)
}

/// Spearman's correlation of values already ranked.
pub fn spearman_of_ranks(observed: &Ranks, imputed: &Ranks) -> Option<f64> {
    let n = common_length(&observed.doubled, &imputed.doubled)?;
    // Twice a rank less n + 1 is twice its distance from the mean: whole numbers, summed exactly.
    let centre = n as i64 + 1;
    let (mut xx, mut yy, mut xy) = (0i128, 0i128, 0i128);
    for (a, b, c) in by_chunks(n, |bins| {
        let (mut xx, mut yy, mut xy) = (0i128, 0i128, 0i128);
        for i in bins {
            let x = i64::from(observed.doubled[i]) - centre;
            let y = i64::from(imputed.doubled[i]) - centre;
            xx += i128::from(x * x);
            yy += i128::from(y * y);
            xy += i128::from(x * y);
        }
        (xx, yy, xy)
    }) {
        (xx, yy, xy) = (xx + a, yy + b, xy + c);
    }
    if xx == 0 || yy == 0 {
        return None;
    }
    let r = xy as f64 / (xx as f64 * yy as f64).sqrt();
    Some(r.clamp(-1.0, 1.0))
}

/// The area under the ROC curve of telling the positive positions by their rank: the chance that
/// one of them outranks a negative one, ties counting half (Mann & Whitney).
///
/// `None` when all are positive or none is.
pub fn auroc_of_ranks(ranks: &Ranks, positive: impl Fn(usize) -> bool + Sync) -> Option<f64> {
    let n = ranks.len();
    let (mut positives, mut sum) = (0u64, 0u64);
    for (count, part) in by_chunks(n, |bins| {
        let (mut count, mut sum) = (0u64, 0u64);
        for i in bins {
            if positive(i) {
                count += 1;
                sum += u64::from(ranks.doubled[i]);
            }
        }
        (count, sum)
    }) {
        positives += count;
        sum += part;
    }
    let negatives = n as u64 - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let doubled_wins = sum - positives * (positives + 1);
    Some(doubled_wins as f64 / (2.0 * positives as f64 * negatives as f64))
}

/// The same where each position is positive by some chance and always `k` are: the mean over those
/// choices, exact because the area is linear in them. `None` when all are positive or none is.
pub(super) fn auroc_of_weights(
    ranks: &Ranks,
    k: usize,
    weight: impl Fn(usize) -> f64 + Sync,
) -> Option<f64> {
    let n = ranks.len();
    if k == 0 || k >= n {
        return None;
    }
    let sum: f64 = by_chunks(n, |bins| {
        bins.map(|i| weight(i) * f64::from(ranks.doubled[i]))
            .sum::<f64>()
    })
    .into_iter()
    .sum();
    let (positives, negatives) = (k as f64, (n - k) as f64);
    Some((sum - positives * (positives + 1.0)) / (2.0 * positives * negatives))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        // Sorted: −1 | 0 0 | 2 2 2, ranks 1 | 2.5 | 5.
        let ranks = Ranks::of(&[2.0f32, -0.0, 2.0, -1.0, 0.0, 2.0]).unwrap();
        let all: Vec<f64> = (0..6).filter_map(|i| ranks.get(i)).collect();
        assert_eq!(all, [5.0, 2.5, 5.0, 1.0, 2.5, 5.0]);
        assert_eq!(ranks.get(6), None);
    }

    #[test]
    fn spearman_correlates_the_ranks() {
        // Ranks 1 2.5 2.5 4 against 1 3 2 4, centred −1.5 0 0 1.5 and −1.5 .5 −.5 1.5:
        // squares 4.5 and 5, products 4.5.
        let r = spearman(&[0.0f32, 1.0, 1.0, 9.0], &[-3.0, 2.0, 1.0, 7.0]).unwrap();
        assert!((r - 4.5 / 22.5f64.sqrt()).abs() < 1e-15, "{r}");
    }

    #[test]
    fn spearman_needs_two_series_that_vary() {
        assert_eq!(spearman(&[1.0f32, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0f32], &[1.0]), None);
        assert_eq!(spearman::<f32>(&[], &[]), None);
        assert_eq!(spearman(&[1.0f64, 2.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0f64, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0f64, 2.0], &[5.0, 2.0]), Some(-1.0));
    }

    #[test]
    fn auroc_counts_pairs_won_and_half_of_those_tied() {
        // Positives at 3 and 1, negatives at 1 and 0: 3 beats both, 1 ties 1 and beats 0.
        let ranks = Ranks::of(&[3.0f32, 1.0, 1.0, 0.0]).unwrap();
        assert_eq!(auroc_of_ranks(&ranks, |i| i < 2), Some(3.5 / 4.0));
        assert_eq!(auroc_of_ranks(&ranks, |_| true), None);
        assert_eq!(auroc_of_ranks(&ranks, |_| false), None);
    }

    proptest! {
        #[test]
        fn ranks_add_up_and_follow_the_order(values in proptest::collection::vec(-4i8..4, 1..80)) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let n = values.len();
            let ranks = Ranks::of(&values).unwrap();
            let sum: u64 = ranks.doubled.iter().map(|d| u64::from(*d)).sum();
            prop_assert_eq!(sum, (n * (n + 1)) as u64);
            for i in 0..n {
                for j in 0..n {
                    let order = ranks.doubled[i].cmp(&ranks.doubled[j]);
                    prop_assert_eq!(Some(order), values[i].partial_cmp(&values[j]));
                }
            }
            let wide: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            prop_assert_eq!(Ranks::of(&wide).unwrap(), ranks);
        }
    }
}
