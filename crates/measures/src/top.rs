//! The bins with the highest values, and what is measured on them.

use rayon::prelude::*;

use super::chunks::{all_finite, by_chunks};
use super::errors::squared;
use super::rank::auroc_of_ranks;
use super::{Ranks, Value, common_length, finite};

/// How many bins a percentage of n is, rounded to the nearest and halves to even, as Python
/// rounds: 1 % of 50 is 0, of 150 is 2.
pub fn n_of_percent(n: usize, percent: usize) -> usize {
    let (whole, rest) = (n / 100 * percent, n % 100 * percent);
    let (floor, rest) = (whole + rest / 100, rest % 100);
    floor + usize::from(rest > 50 || (rest == 50 && floor % 2 == 1))
}

/// Which bins have the k highest values; of equal ones the first by position.
///
/// Found by counting digits from the highest: two passes over f32, no copy, half a megabyte.
/// What it keeps is a threshold, so it must be asked with the values that it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopBins {
    n: usize,
    k: usize,
    threshold: u64,
    /// The last position whose value equals the threshold and is still among the top.
    last_tie: usize,
}

impl TopBins {
    /// The top k bins. `None` when k is 0 or above the number of values, or one is not finite.
    pub fn new<T: Value>(values: &[T], k: usize) -> Option<Self> {
        if k == 0 || k > values.len() || !all_finite(values) {
            return None;
        }
        // How many of those that share the digits found so far are still to be taken.
        let mut wanted = k;
        let (mut prefix, mut shift) = (0u64, T::KEY_BITS);
        while shift > 0 {
            shift -= DIGIT_BITS;
            let counts = digit_counts(values, prefix, shift);
            let mut digit = counts.len() - 1;
            while digit > 0 && counts[digit] < wanted {
                wanted -= counts[digit];
                digit -= 1;
            }
            prefix = prefix << DIGIT_BITS | digit as u64;
        }
        let last_tie = values
            .iter()
            .enumerate()
            .filter(|(_, v)| v.key() == prefix)
            .nth(wanted - 1)
            .map(|(position, _)| position)?;
        Some(TopBins {
            n: values.len(),
            k,
            threshold: prefix,
            last_tie,
        })
    }

    /// The top share of the values in percent, rounded as [`n_of_percent`] does.
    ///
    /// `None` also when that is no bin at all.
    pub fn percent<T: Value>(values: &[T], percent: usize) -> Option<Self> {
        Self::new(values, n_of_percent(values.len(), percent))
    }

    /// How many bins are among the top.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Whether the bin at a position, which has this value, is among the top.
    pub fn contains<T: Value>(&self, position: usize, value: T) -> bool {
        let key = value.key();
        key > self.threshold || (key == self.threshold && position <= self.last_tie)
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

/// Mean squared error over the top bins of `ranked`, which is the observed or the imputed series.
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
    let sum: f64 = by_chunks(n, |bins| {
        bins.filter(|i| top.contains(*i, ranked[*i]))
            .map(|i| squared(observed[i], imputed[i]))
            .sum::<f64>()
    })
    .into_iter()
    .sum();
    finite(sum / top.k as f64)
}

/// The share of the top bins of `caught` that are also among the top bins of `net`.
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
    let common: usize = by_chunks(n, |bins| {
        bins.filter(|i| caught_top.contains(*i, caught[*i]) && net_top.contains(*i, net[*i]))
            .count()
    })
    .into_iter()
    .sum();
    Some(common as f64 / caught_top.k as f64)
}

/// Mean squared error over the 1 % of bins with the highest observed signal (PREDICTD's MSE1obs).
///
/// The Challenge's scorer takes ⌊0.01 n⌋ bins and all that tie with the last; here it is the
/// nearest whole number of bins, ties by position. `None` also below 51 bins, which have no 1 %.
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
    auroc_of_ranks(&Ranks::of(imputed)?, |i| top.contains(i, observed[i]))
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
    fn of_equal_values_the_first_by_position_are_taken() {
        let values = [1.0f32, 3.0, 2.0, 2.0, 0.0, 2.0];
        let top = TopBins::new(&values, 3).unwrap();
        let taken: Vec<usize> = (0..6).filter(|i| top.contains(*i, values[*i])).collect();
        assert_eq!(taken, [1, 2, 3]);
        assert_eq!(TopBins::new(&values, 0), None);
        assert_eq!(TopBins::new(&values, 7), None);
        assert_eq!(TopBins::new(&[1.0, f32::NAN], 1), None);
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
            order.sort_by(|a, b| wide[*b].partial_cmp(&wide[*a]).unwrap().then(a.cmp(b)));
            let (top, narrow_top) = (TopBins::new(&wide, k).unwrap(), TopBins::new(&narrow, k).unwrap());
            for (place, i) in order.into_iter().enumerate() {
                prop_assert_eq!(top.contains(i, wide[i]), place < k);
                prop_assert_eq!(narrow_top.contains(i, narrow[i]), place < k);
            }
        }
    }
}
