//! The bins with the highest values, and what is measured on them.

use rayon::prelude::*;

use super::chunks::{all_finite, by_chunks};
use super::errors::squared;
use super::rank::auroc_of_weights;
use super::{Ranks, Value, common_length, finite};

/// How many bins a percentage of n is, rounded to the nearest and halves to even, as Python
/// rounds: 1 % of 50 is 0, of 150 is 2.
pub fn n_of_percent(n: usize, percent: usize) -> usize {
    let (whole, rest) = (n / 100 * percent, n % 100 * percent);
    let (floor, rest) = (whole + rest / 100, rest % 100);
    floor + usize::from(rest > 50 || (rest == 50 && floor % 2 == 1))
}

/// The k bins with the highest values, where values that tie for the last places share them.
///
/// A bin above the threshold counts 1, one that equals it the share of the remaining places, any other
/// 0. So a sum over these weights is the exact mean over all ways of breaking the ties, and no tie goes
/// to the genome's start.
///
/// Found by counting digits from the highest: two passes over f32, no copy, half a megabyte.
/// What it keeps is a threshold, so it must be asked with the values that it was made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopBins {
    n: usize,
    k: usize,
    threshold: u64,
    /// How many bins equal the threshold.
    tied: usize,
    /// The places that those share.
    places: usize,
}

impl TopBins {
    /// The top k bins. `None` when k is 0 or above the number of values, or one is not finite.
    pub fn new<T: Value>(values: &[T], k: usize) -> Option<Self> {
        if k == 0 || k > values.len() || !all_finite(values) {
            return None;
        }
        // How many of those that share the digits found so far are still to be taken.
        let (mut places, mut tied) = (k, values.len());
        let (mut prefix, mut shift) = (0u64, T::KEY_BITS);
        while shift > 0 {
            shift -= DIGIT_BITS;
            let counts = digit_counts(values, prefix, shift);
            let mut digit = counts.len() - 1;
            while digit > 0 && counts[digit] < places {
                places -= counts[digit];
                digit -= 1;
            }
            tied = counts[digit];
            prefix = prefix << DIGIT_BITS | digit as u64;
        }
        Some(TopBins {
            n: values.len(),
            k,
            threshold: prefix,
            tied,
            places,
        })
    }

    /// The top share of the values in percent, rounded as [`n_of_percent`] does.
    ///
    /// `None` also when that is not a bin at all, and when bins of value 0 tie for the last places: a
    /// track with signal in fewer bins than that has no such top.
    pub fn percent<T: Value>(values: &[T], percent: usize) -> Option<Self> {
        let top = Self::new(values, n_of_percent(values.len(), percent))?;
        (!top.ties_at_zero::<T>()).then_some(top)
    }

    /// How many places there are.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The chance that a bin of this value is among the top: 1, 0, or the share of the places that is
    /// left for those that tie.
    pub fn weight<T: Value>(&self, value: T) -> f64 {
        let key = value.key();
        match key.cmp(&self.threshold) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => self.places as f64 / self.tied as f64,
            std::cmp::Ordering::Less => 0.0,
        }
    }

    /// Whether a value is at least the k-th highest: true of all that tie, so of more than k bins
    /// where some do.
    pub fn reaches<T: Value>(&self, value: T) -> bool {
        value.key() >= self.threshold
    }

    /// Whether more bins of value 0 than there are places tie for the last ones.
    fn ties_at_zero<T: Value>(&self) -> bool {
        self.tied > self.places && self.threshold == T::ZERO.key()
    }
}

const DIGIT_BITS: u32 = 16;

/// Of the values whose key starts with `prefix`, how many have each digit next.
fn digit_counts<T: Value>(values: &[T], prefix: u64, shift: u32) -> Vec<usize> {
    // Few and long stretches: each has 65,536 counters of its own.
    values
        .par_chunks(1 << 19)
        .map(|part| {
            let mut counts = vec![0usize; 1 << DIGIT_BITS];
            for value in part {
                let head = value.key() >> shift;
                if head >> DIGIT_BITS == prefix {
                    counts[(head & 0xffff) as usize] += 1;
                }
            }
            counts
        })
        .reduce(
            || vec![0usize; 1 << DIGIT_BITS],
            |mut a, b| {
                for (a, b) in a.iter_mut().zip(b) {
                    *a += b;
                }
                a
            },
        )
}

/// Mean squared error over the top bins of `ranked`, which is the observed or the imputed series;
/// the mean over ties.
pub fn mse_of_top<T: Value>(
    observed: &[T],
    imputed: &[T],
    ranked: &[T],
    top: &TopBins,
) -> Option<f64> {
    let n = common_length(observed, imputed)?;
    if ranked.len() != n || top.n != n {
        return None;
    }
    let (mut above, mut tied) = (0.0, 0.0);
    for (a, t) in by_chunks(n, |bins| {
        let (mut above, mut tied) = (0.0, 0.0);
        for i in bins.filter(|i| top.reaches(ranked[*i])) {
            let sum = match ranked[i].key() > top.threshold {
                true => &mut above,
                false => &mut tied,
            };
            *sum += squared(observed[i], imputed[i]);
        }
        (above, tied)
    }) {
        (above, tied) = (above + a, tied + t);
    }
    finite((above + tied * top.places as f64 / top.tied as f64) / top.k as f64)
}

/// The share of the top bins of `caught` that are also among the top bins of `net`: the mean over ties,
/// each series' broken by themselves.
pub fn catch_share<T: Value>(
    caught: &[T],
    caught_top: &TopBins,
    net: &[T],
    net_top: &TopBins,
) -> Option<f64> {
    let n = common_length(caught, net)?;
    if caught_top.n != n || net_top.n != n {
        return None;
    }
    let common: f64 = by_chunks(n, |bins| {
        bins.map(|i| caught_top.weight(caught[i]) * net_top.weight(net[i]))
            .sum::<f64>()
    })
    .into_iter()
    .sum();
    Some(common / caught_top.k as f64)
}

/// AUROC of telling the top bins of `ranked` by the ranks of another series: the mean over ties.
pub fn auroc_of_top<T: Value>(ranks: &Ranks, ranked: &[T], top: &TopBins) -> Option<f64> {
    if ranked.len() != top.n {
        return None;
    }
    auroc_of_weights(ranks, top.k, |i| top.weight(ranked[i]))
}

/// Mean squared error over the 1 % of bins with the highest observed signal (PREDICTD's MSE1obs).
///
/// The Challenge's scorer takes ⌊0.01 n⌋ bins and all that tie with the last; here it is the
/// nearest whole number of bins, and the mean over ties. `None` also below 51 bins, which have no 1 %,
/// and where zeros tie for the last places.
pub fn mse1obs<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    mse_of_top(observed, imputed, observed, &TopBins::percent(observed, 1)?)
}

/// Mean squared error over the 1 % of bins with the highest imputed signal (MSE1imp); see
/// [`mse1obs`].
pub fn mse1imp<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    mse_of_top(observed, imputed, imputed, &TopBins::percent(imputed, 1)?)
}

/// The share of the top 1 % that observed and imputed have in common (PREDICTD's Match1; the
/// Challenge's scorer gives the count).
pub fn match1<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    let (obs, imp) = (
        TopBins::percent(observed, 1)?,
        TopBins::percent(imputed, 1)?,
    );
    catch_share(observed, &obs, imputed, &imp)
}

/// The share of the top 1 % observed that is found in the top 5 % imputed (Catch1obs).
pub fn catch1obs<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    let (obs, imp) = (
        TopBins::percent(observed, 1)?,
        TopBins::percent(imputed, 5)?,
    );
    catch_share(observed, &obs, imputed, &imp)
}

/// The share of the top 1 % imputed that is found in the top 5 % observed (Catch1imp).
pub fn catch1imp<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    catch1obs(imputed, observed)
}

/// AUROC of telling the top 1 % observed by the imputed signal (AucObs1).
pub fn aucobs1<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    common_length(observed, imputed)?;
    let top = TopBins::percent(observed, 1)?;
    auroc_of_top(&Ranks::of(imputed)?, observed, &top)
}

/// AUROC of telling the top 1 % imputed by the observed signal (AucImp1).
pub fn aucimp1<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    aucobs1(imputed, observed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentages_round_to_the_nearest_and_halves_to_even() {
        let rounded = [50, 51, 100, 149, 150, 151, 250, 1_126_469].map(|n| n_of_percent(n, 1));
        assert_eq!(rounded, [0, 1, 1, 1, 2, 2, 2, 11_265]);
        assert_eq!([10, 30, 70].map(|n| n_of_percent(n, 5)), [0, 2, 4]);
    }

    #[test]
    fn equal_values_share_the_places_that_are_left() {
        let values = [1.0f32, 3.0, 2.0, 2.0, 0.0, 2.0];
        // 3 has a place; three bins of value 2 share the other two.
        let top = TopBins::new(&values, 3).unwrap();
        let weights = values.map(|v| top.weight(v));
        assert_eq!(weights, [0.0, 1.0, 2.0 / 3.0, 2.0 / 3.0, 0.0, 2.0 / 3.0]);
        assert_eq!(
            values.map(|v| top.reaches(v)),
            [false, true, true, true, false, true]
        );
        assert_eq!(TopBins::new(&values, 0), None);
        assert_eq!(TopBins::new(&values, 7), None);
        assert_eq!(TopBins::new(&[1.0, f32::NAN], 1), None);
    }

    #[test]
    fn nothing_overlaps_where_zeros_would_have_filled_the_top() {
        // Signal in one bin of 300 each, elsewhere: by position bins 0 and 1 would be among both tops.
        let (mut observed, mut imputed) = (vec![0f32; 300], vec![0f32; 300]);
        (observed[200], imputed[100]) = (5.0, 4.0);
        for measure in [
            mse1obs, mse1imp, match1, catch1obs, catch1imp, aucobs1, aucimp1,
        ] {
            assert_eq!(measure(&observed, &imputed), None);
        }
        // As many zeros as places are no tie: the rest lies below.
        let low: Vec<f32> = (0..300).map(|i| if i < 3 { 0.0 } else { -1.0 }).collect();
        assert_eq!(match1(&low, &low), Some(1.0));
    }

    #[test]
    fn ties_above_zero_are_worth_their_mean() {
        // 200 bins, two places, four bins tied at 1 observed; imputed finds bins 0 and 1 only.
        let (mut observed, mut imputed) = (vec![0f32; 200], vec![0.5f32; 200]);
        observed[..4].fill(1.0);
        imputed[0] = 3.0;
        imputed[1] = 2.0;
        // Of the six pairs that fill the places, one holds both, four one, one none: 6 / 6 of two.
        assert_eq!(match1(&observed, &imputed), Some(0.5));
        // Errors 2, 1, −0.5, −0.5: each bin is in half of the pairs.
        assert_eq!(
            mse1obs(&observed, &imputed),
            Some((4.0 + 1.0 + 0.25 + 0.25) / 4.0)
        );
        // Positions do not matter.
        observed.reverse();
        imputed.reverse();
        assert_eq!(match1(&observed, &imputed), Some(0.5));
        // AUROC: bins 0 and 1 beat all 198 negatives' mean; the other two tie with those at 0.5.
        // Pairs {0,1}: 1. {0,x} ×4 (with 1 among the negatives): (198 + (0 + 197/2)) / 396, or for {1,x}
        // (197 + 197/2) / 396. {x,y}: (196/2 · 2) / 396.
        let pair = |w: f64| w / 396.0;
        let expected =
            (pair(396.0) + 2.0 * pair(198.0 + 98.5) + 2.0 * pair(197.0 + 98.5) + pair(196.0)) / 6.0;
        assert!((aucobs1(&observed, &imputed).unwrap() - expected).abs() < 1e-12);
    }

    /// 200 bins of which two are the top 1 % and ten the top 5 %. Observed: 9 at bin 0, 8 at bin
    /// 1, 7 at bins 2 to 9, else 0. Imputed: 6 at bin 1, 5 at bin 50, 4 at bins 2 to 9, else 1.
    fn worked() -> (Vec<f32>, Vec<f32>) {
        let (mut observed, mut imputed) = (vec![0.0; 200], vec![1.0; 200]);
        observed[2..10].fill(7.0);
        imputed[2..10].fill(4.0);
        (observed[0], observed[1]) = (9.0, 8.0);
        (imputed[1], imputed[50]) = (6.0, 5.0);
        (observed, imputed)
    }

    #[test]
    fn the_error_of_the_top_1_percent_follows_who_ranks() {
        let (observed, imputed) = worked();
        // Top observed: bins 0 and 1, errors 8 and 2. Top imputed: bins 1 and 50, errors 2 and −5.
        assert_eq!(mse1obs(&observed, &imputed), Some((64.0 + 4.0) / 2.0));
        assert_eq!(mse1imp(&observed, &imputed), Some((4.0 + 25.0) / 2.0));
    }

    #[test]
    fn match_and_catch_are_shares_of_the_top_1_percent() {
        let (observed, imputed) = worked();
        // {0, 1} and {1, 50} share bin 1.
        assert_eq!(match1(&observed, &imputed), Some(0.5));
        // Top 5 % imputed: 1, 50 and 2 to 9; bin 0 is not in it.
        assert_eq!(catch1obs(&observed, &imputed), Some(0.5));
        // Top 5 % observed: 0 to 9; bin 50 is not in it.
        assert_eq!(catch1imp(&observed, &imputed), Some(0.5));
        assert_eq!(match1(&observed, &observed), Some(1.0));
    }

    #[test]
    fn areas_tell_the_top_1_percent_by_the_other_track() {
        let (observed, imputed) = worked();
        // By imputed: bin 1 beats all 198 others; bin 0 (at 1) loses to nine (50, 2 to 9) and ties
        // with 189.
        let expected = (198.0 + 189.0 / 2.0) / (2.0 * 198.0);
        assert_eq!(aucobs1(&observed, &imputed), Some(expected));
        // By observed: bin 1 (at 8) loses to bin 0 only; bin 50 (at 0) loses to nine, ties with 189.
        let expected = (197.0 + 189.0 / 2.0) / (2.0 * 198.0);
        assert_eq!(aucimp1(&observed, &imputed), Some(expected));
    }

    #[test]
    fn a_track_too_short_has_no_top_1_percent() {
        let short = vec![1.0f32; 50];
        for measure in [
            mse1obs, mse1imp, match1, catch1obs, catch1imp, aucobs1, aucimp1,
        ] {
            assert_eq!(measure(&short, &short), None);
            assert_eq!(measure(&short, &short[1..]), None);
        }
        assert_eq!(mse1obs(&[1.0f32; 51], &[3.0; 51]), Some(4.0));
    }

    proptest! {
        #[test]
        fn counting_finds_what_sorting_finds(
            values in proptest::collection::vec(-3i8..4, 1..60), k in 1usize..60, scale in 0.001..1e6f64,
        ) {
            let wide: Vec<f64> = values.iter().map(|v| f64::from(*v) * scale).collect();
            let narrow: Vec<f32> = wide.iter().map(|v| *v as f32).collect();
            let k = k.min(wide.len());
            let mut order: Vec<usize> = (0..wide.len()).collect();
            order.sort_by(|a, b| wide[*b].partial_cmp(&wide[*a]).unwrap());
            let last = wide[order[k - 1]];
            let (top, narrow_top) = (TopBins::new(&wide, k).unwrap(), TopBins::new(&narrow, k).unwrap());
            for i in order {
                prop_assert_eq!(top.reaches(wide[i]), wide[i] >= last);
                prop_assert_eq!(narrow_top.reaches(narrow[i]), wide[i] >= last);
                prop_assert_eq!(top.weight(wide[i]), narrow_top.weight(narrow[i]));
            }
            let sum: f64 = wide.iter().map(|v| top.weight(*v)).sum();
            prop_assert!((sum - k as f64).abs() < 1e-9, "{}", sum);
        }
    }
}
