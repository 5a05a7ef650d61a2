//! Random numbers that depend on the seed and on what they are for, and on nothing else.
//!
//! Every purpose (the domains of a chromosome, the reads of a track on it …) has a stream of its
//! own, so that neither the order of work nor the number of threads changes a byte, and one
//! biosample more leaves the others as they were.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers and the distributions that the simulation draws from.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of a purpose and its numbers (chromosome, biosample, assay …).
    pub(crate) fn new(seed: u64, purpose: &str, ids: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("persea simulation, streams, 1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(purpose.len() as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        for id in ids {
            hasher.update(&id.to_le_bytes());
        }
        Draws(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// Continues with the `n`th uniform number of the stream (a normal one takes two).
    pub(crate) fn skip_to(&mut self, n: u64) {
        // A uniform number takes 64 bits, the generator counts words of 32.
        self.0.set_word_pos(u128::from(n) * 2);
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// A whole number below `n`, which must not be 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Log-normal with the given median and standard deviation of the logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A run length of at least 1 with the given mean: geometric, as a Markov chain's.
    pub(crate) fn run_length(&mut self, mean: f64) -> u64 {
        if mean <= 1.0 {
            return 1;
        }
        let stay = 1.0 - 1.0 / mean;
        1 + ((1.0 - self.uniform()).ln() / stay.ln()) as u64
    }

    /// An index with probability proportional to its weight; the last where all weights are 0.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.uniform() * weights.iter().sum::<f64>();
        for (i, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return i;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// Shuffles a list (Fisher–Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            let j = self.below(i + 1);
            list.swap(i, j);
        }
    }
}

/// Counts with a mean that varies and a constant ratio of variance to mean (the Fano factor):
/// negative binomial, Poisson at a ratio of 1. Sums of such counts are such counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    fano: f64,
    /// −ln P(0) of a count of mean 1.
    void: f64,
}

impl Counts {
    pub(crate) fn new(fano: f64) -> Self {
        let excess = fano - 1.0;
        let void = if excess < 1e-9 {
            1.0
        } else {
            fano.ln() / excess
        };
        Counts { fano, void }
    }

    /// P(n + 1) / P(n) of a count of the given mean.
    fn ratio(&self, mean: f64, n: f64) -> f64 {
        let excess = self.fano - 1.0;
        if excess < 1e-9 {
            mean / (n + 1.0)
        } else {
            (n + mean / excess) / (n + 1.0) * excess / self.fano
        }
    }

    /// The count of a given mean at a quantile in [0, 1): one uniform number, one count.
    pub(crate) fn quantile(&self, mean: f64, quantile: f64) -> u32 {
        // Beyond that P(0) is nothing in f64; no bin of any assay comes near.
        let mean = mean.clamp(0.0, 400.0);
        let mut p = (-mean * self.void).exp();
        let mut left = quantile - p;
        let mut n = 0;
        while left >= 0.0 && n < 10_000 {
            p *= self.ratio(mean, f64::from(n));
            left -= p;
            n += 1;
        }
        n
    }

    /// The first count with noticeable probability and the probabilities from there on.
    pub(crate) fn distribution(&self, mean: f64) -> (usize, Vec<f64>) {
        const NEGLIGIBLE: f64 = 1e-12;
        let mode = mean.floor().max(0.0);
        let mut below = Vec::new();
        let (mut p, mut n) = (1.0, mode);
        while n > 0.0 {
            p /= self.ratio(mean, n - 1.0);
            // The mean is not quite the mode: the probability may still rise at first.
            if p < NEGLIGIBLE || !p.is_finite() {
                break;
            }
            below.push(p);
            n -= 1.0;
        }
        let first = mode as usize - below.len();
        let mut list: Vec<f64> = below.into_iter().rev().collect();
        let (mut p, mut n) = (1.0, mode);
        while p >= NEGLIGIBLE {
            list.push(p);
            p *= self.ratio(mean, n);
            n += 1.0;
        }
        let total: f64 = list.iter().sum();
        list.iter_mut().for_each(|p| *p /= total);
        (first, list)
    }
}

/// A field along a chromosome: independent log-normal values (median 1) at evenly spaced knots,
/// straight lines between them. Any stretch of it can be had without the rest.
pub(crate) struct Field<'a> {
    pub(crate) seed: u64,
    pub(crate) purpose: &'a str,
    pub(crate) ids: &'a [u64],
    /// Bins from knot to knot.
    pub(crate) spacing: u64,
    pub(crate) sigma: f64,
}

impl Field<'_> {
    /// Multiplies the values of the bins from `first` on by the field.
    pub(crate) fn scale(&self, first: u64, values: &mut [f32]) {
        let mut draws = Draws::new(self.seed, self.purpose, self.ids);
        draws.skip_to(first / self.spacing * 2);
        let mut knot = || draws.log_normal(1.0, self.sigma) as f32;
        let (mut left, mut right) = (knot(), knot());
        let mut within = first % self.spacing;
        let step = 1.0 / self.spacing as f32;
        for value in values {
            if within == self.spacing {
                within = 0;
                left = right;
                right = knot();
            }
            *value *= left + (right - left) * within as f32 * step;
            within += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_number_and_repeat() {
        let first = |seed, purpose, ids: &[u64]| Draws::new(seed, purpose, ids).uniform();
        let one = first(1, "a", &[2]);
        assert_eq!(one, first(1, "a", &[2]));
        for other in [
            first(2, "a", &[2]),
            first(1, "b", &[2]),
            first(1, "a", &[3]),
        ] {
            assert_ne!(one, other);
        }
        let mut draws = Draws::new(1, "a", &[2]);
        let third = [draws.uniform(), draws.uniform(), draws.uniform()][2];
        draws.skip_to(2);
        assert_eq!(draws.uniform(), third);
    }

    #[test]
    fn run_lengths_have_the_mean_and_the_shape_of_a_markov_chain() {
        let mut draws = Draws::new(3, "runs", &[]);
        let runs: Vec<u64> = (0..20_000).map(|_| draws.run_length(8.0)).collect();
        let mean = runs.iter().sum::<u64>() as f64 / runs.len() as f64;
        assert!((mean - 8.0).abs() < 0.2, "{mean}");
        // P(run = 1) of a chain that leaves with probability 1/8.
        let ones = runs.iter().filter(|r| **r == 1).count() as f64 / runs.len() as f64;
        assert!((ones - 0.125).abs() < 0.01, "{ones}");
    }

    #[test]
    fn counts_have_the_mean_and_the_fano_factor_asked_for() {
        let mut draws = Draws::new(4, "counts", &[]);
        for (mean, fano) in [(0.2, 1.0), (0.2, 2.0), (15.0, 1.7)] {
            let counts = Counts::new(fano);
            let list: Vec<f64> = (0..40_000)
                .map(|_| f64::from(counts.quantile(mean, draws.uniform())))
                .collect();
            let n = list.len() as f64;
            let m = list.iter().sum::<f64>() / n;
            let variance = list.iter().map(|x| (x - m).powi(2)).sum::<f64>() / n;
            assert!((m / mean - 1.0).abs() < 0.05, "mean {m} for {mean}");
            assert!(
                (variance / m / fano - 1.0).abs() < 0.05,
                "{} for {fano}",
                variance / m
            );
        }
    }

    #[test]
    fn the_distribution_of_counts_agrees_with_their_quantiles() {
        // Poisson of mean 2: P(0), P(1), P(2) = e^-2 · (1, 2, 2).
        let (first, p) = Counts::new(1.0).distribution(2.0);
        assert_eq!(first, 0);
        let zero = (-2.0f64).exp();
        for (n, expected) in [zero, 2.0 * zero, 2.0 * zero].into_iter().enumerate() {
            assert!((p[n] - expected).abs() < 1e-9);
        }
        for (mean, fano) in [(0.01, 1.5), (3.3, 2.0), (250.0, 1.0), (900.0, 3.0)] {
            let (first, p) = Counts::new(fano).distribution(mean);
            let m: f64 = p
                .iter()
                .enumerate()
                .map(|(i, p)| (first + i) as f64 * p)
                .sum();
            assert!((m / mean - 1.0).abs() < 1e-6, "{m} for {mean}");
            let median = Counts::new(fano).quantile(mean.min(400.0), 0.5) as usize;
            let cumulated: f64 = p.iter().take(median + 1 - first.min(median)).sum();
            assert!(
                mean > 400.0 || cumulated >= 0.5,
                "{cumulated} at the median of {mean}"
            );
        }
    }

    #[test]
    fn a_stretch_of_a_field_is_the_same_alone_and_in_the_whole() {
        let field = Field {
            seed: 5,
            purpose: "f",
            ids: &[1],
            spacing: 7,
            sigma: 0.5,
        };
        let mut whole = vec![1.0; 100];
        field.scale(0, &mut whole);
        let mut part = vec![1.0; 30];
        field.scale(45, &mut part);
        assert_eq!(part, whole[45..75]);
        assert!(whole.iter().any(|v| (v - 1.0).abs() > 0.2));
    }
}
