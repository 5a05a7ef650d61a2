//! Which bins the neighbours are searched of.

use std::collections::BTreeMap;
use std::ops::Range;

use rand_chacha::rand_core::RngCore;

use super::blocks::Block;
use crate::genome::Resolution;
use crate::random::{Purpose, generator};

/// Share of bins below those with the highest signal.
const BELOW: f64 = 0.95;

/// Bins whose neighbours are searched, of which the first are random ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queries {
    /// Axis bins: the random ones, then the active ones, each in ascending order.
    pub bins: Vec<u64>,
    /// How many are random ones.
    pub n_random: usize,
}

impl Queries {
    /// Draws up to `n` of all unmasked bins, and up to `n` of those in the 5 % with the highest signal
    /// (the sum over tracks of the mean over the bin's 250 bp row; none where there is no track).
    pub fn draw(
        blocks: &[Block],
        masked: &[bool],
        activity: Option<&[f32]>,
        n: usize,
        seed: u64,
    ) -> Self {
        let stretches: Vec<Range<u64>> = (blocks.iter())
            .flat_map(|block| {
                let rows = block.rows(Resolution::Bp250).into_iter();
                rows.map(|r| block.bins.start + r.start as u64..block.bins.start + r.end as u64)
            })
            .collect();
        let everywhere: Vec<Range<u64>> = blocks.iter().map(|b| b.bins.clone()).collect();
        let mut bins = sample(&everywhere, masked, n, seed, 0);
        let n_random = bins.len();
        if let Some(activity) = activity {
            bins.extend(sample(
                &highest(&stretches, masked, activity),
                masked,
                n,
                seed,
                1,
            ));
        }
        Queries { bins, n_random }
    }

    /// The places of the random and of the active queries.
    pub fn kinds(&self) -> [Range<usize>; 2] {
        [0..self.n_random, self.n_random..self.bins.len()]
    }
}

/// The stretches whose activity is at least the 95 % quantile over unmasked bins (interpolated
/// linearly between the two bins around it).
fn highest(stretches: &[Range<u64>], masked: &[bool], activity: &[f32]) -> Vec<Range<u64>> {
    let mut counted: Vec<(f32, u64)> = (stretches.iter().zip(activity))
        .map(|(bins, activity)| (*activity, unmasked(bins, masked).count() as u64))
        .filter(|(_, n)| *n > 0)
        .collect();
    counted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n: u64 = counted.iter().map(|(_, n)| n).sum();
    if n == 0 {
        return Vec::new();
    }
    let ranked = |rank: u64| {
        let mut before = 0;
        let found = counted.iter().find(|(_, n)| {
            before += n;
            before > rank
        });
        found.or(counted.last()).map_or(0.0, |(a, _)| f64::from(*a))
    };
    let place = BELOW * (n - 1) as f64;
    let (low, high) = (ranked(place as u64), ranked(place as u64 + 1));
    let threshold = low + (high - low) * place.fract();
    (stretches.iter().zip(activity))
        .filter(|(_, activity)| f64::from(**activity) >= threshold)
        .map(|(bins, _)| bins.clone())
        .collect()
}

fn unmasked<'a>(bins: &Range<u64>, masked: &'a [bool]) -> impl Iterator<Item = u64> + use<'a> {
    bins.clone().filter(|bin| !masked[*bin as usize])
}

/// Up to `n` different unmasked bins of some stretches, in ascending order.
fn sample(stretches: &[Range<u64>], masked: &[bool], n: usize, seed: u64, index: u64) -> Vec<u64> {
    let total: u64 = stretches
        .iter()
        .map(|s| unmasked(s, masked).count() as u64)
        .sum();
    // The first places of a shuffle, of which only what is moved is kept.
    let mut random = generator(seed, Purpose::Probe, index);
    let mut moved: BTreeMap<u64, u64> = BTreeMap::new();
    let mut places: Vec<u64> = (0..total.min(n as u64))
        .map(|i| {
            let left = u128::from(total - i);
            let j = i + ((u128::from(random.next_u64()) * left) >> 64) as u64;
            let chosen = moved.get(&j).copied().unwrap_or(j);
            let here = moved.get(&i).copied().unwrap_or(i);
            moved.insert(j, here);
            chosen
        })
        .collect();
    places.sort_unstable();
    let mut bins = Vec::with_capacity(places.len());
    let (mut wanted, mut at) = (places.into_iter().peekable(), 0);
    for stretch in stretches {
        for bin in unmasked(stretch, masked) {
            if wanted.next_if_eq(&at).is_some() {
                bins.push(bin);
            }
            at += 1;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(bins: Range<u64>) -> Block {
        Block {
            region: 0,
            first_bin: bins.start,
            bins,
        }
    }

    #[test]
    fn queries_are_different_unmasked_bins_and_every_bin_may_be_one() {
        let blocks = [block(0..30), block(30..55)];
        let masked: Vec<bool> = (0..55).map(|b| b % 5 == 2).collect();
        let mut seen = [0; 55];
        for seed in 0..200 {
            let queries = Queries::draw(&blocks, &masked, None, 10, seed);
            assert_eq!((queries.bins.len(), queries.n_random), (10, 10));
            assert!(queries.bins.windows(2).all(|w| w[0] < w[1]));
            queries.bins.iter().for_each(|b| seen[*b as usize] += 1);
        }
        for (bin, n) in seen.iter().enumerate() {
            // 200 · 10 / 44 = 45, with a standard deviation of 6.
            assert!(
                if masked[bin] {
                    *n == 0
                } else {
                    (20..75).contains(n)
                },
                "{bin}: {n}"
            );
        }
        let all = Queries::draw(&blocks, &masked, None, 100, 0);
        assert_eq!(all.bins.len(), 44);
    }

    #[test]
    fn active_queries_lie_in_the_rows_with_the_highest_signal() {
        // 40 rows of 250 bp with activities 0 to 39. The quantile lies at rank 0.95 · 399 = 379.05: 0.05 of
        // the way from 37 to 38.
        let blocks = [block(0..400)];
        let masked = vec![false; 400];
        let activity: Vec<f32> = (0..40).map(|row| ((row * 7) % 40) as f32).collect();
        let queries = Queries::draw(&blocks, &masked, Some(&activity), 50, 3);
        let active = &queries.bins[queries.kinds()[1].clone()];
        let rows: Vec<u64> = active.iter().map(|b| b / 10).collect();
        // 7 · 17 = 119 and 7 · 34 = 238 leave 39 and 38.
        assert_eq!(active.len(), 20);
        assert!(rows.iter().all(|row| [17, 34].contains(row)), "{rows:?}");
    }
}
