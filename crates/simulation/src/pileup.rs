//! From enrichment to signal: reads, fragments, and MACS's p-value.
//!
//! Roadmap's tracks are −log10 of the probability, under a Poisson of the local background λ, of
//! more fragments than were found over a base (`macs2 bdgcmp -m ppois`). The real pilot tracks
//! show it: their most common values are −log10 P(X > n | λ) for n = 0, 1, 2, 3. Here the same is
//! done to simulated fragments, so that the scale and the noise of a track follow from its depth
//! and its quality as they do in a sequencing machine's.

use super::random::Counts;

/// −log10 P(X > n | λ) for all counts and a grid of backgrounds.
pub(crate) struct PValues {
    /// One row a background, [`N_COUNTS`] long.
    table: Vec<f32>,
}

/// Counts beyond the last are taken for it; λ = 1 gives −log10 p = 1,600 there.
const N_COUNTS: usize = 768;
const LAMBDA_LOW: f64 = 0.02;
const LAMBDA_STEP: f64 = 1.08;
const N_LAMBDAS: usize = 140;

/// A background between two rows of the grid.
#[derive(Clone, Copy)]
pub(crate) struct Background {
    row: usize,
    /// The weight of the next row.
    towards_next: f32,
}

impl Background {
    /// The place of λ (fragments over a base) in the grid, which reaches from 0.02 to about 880.
    pub(crate) fn new(lambda: f64) -> Self {
        let place = (lambda / LAMBDA_LOW).max(1.0).ln() / LAMBDA_STEP.ln();
        let row = (place as usize).min(N_LAMBDAS - 2);
        Background {
            row,
            towards_next: (place - row as f64).min(1.0) as f32,
        }
    }
}

impl PValues {
    pub(crate) fn new() -> Self {
        let mut table = Vec::with_capacity(N_COUNTS * N_LAMBDAS);
        for row in 0..N_LAMBDAS {
            let lambda = LAMBDA_LOW * LAMBDA_STEP.powi(row as i32);
            table.extend(poisson_log10_tail(lambda, N_COUNTS));
        }
        PValues { table }
    }

    /// The signal of a count over a background.
    pub(crate) fn signal(&self, count: u32, background: Background) -> f32 {
        let n = (count as usize).min(N_COUNTS - 1);
        let low = self.table[background.row * N_COUNTS + n];
        let high = self.table[(background.row + 1) * N_COUNTS + n];
        low + (high - low) * background.towards_next
    }
}

/// −log10 P(X > n) of a Poisson, for n = 0, 1, … below `n_counts`.
fn poisson_log10_tail(lambda: f64, n_counts: usize) -> impl Iterator<Item = f32> {
    let mut ln_p = -lambda;
    let mut cumulated = 0.0f64;
    (0..n_counts).map(move |n| {
        let n = n as f64;
        cumulated += ln_p.exp();
        ln_p += (lambda / (n + 1.0)).ln();
        let ln_tail = if n < lambda {
            (1.0 - cumulated).max(f64::MIN_POSITIVE).ln()
        } else {
            // P(X > n) = P(n + 1) · (1 + λ/(n+2) + λ²/((n+2)(n+3)) + …), which converges fast.
            let (mut sum, mut term, mut k) = (1.0, 1.0, n + 2.0);
            while term > 1e-12 * sum {
                term *= lambda / k;
                sum += term;
                k += 1.0;
            }
            ln_p + sum.ln()
        };
        (-ln_tail / std::f64::consts::LN_10).max(0.0) as f32
    })
}

/// The expected arcsinh signal of a mean count over a background: what is left of a track when its
/// reads are drawn infinitely often. No prediction has a smaller expected squared error.
pub(crate) struct ExpectedSignal {
    /// One row a mean count, one column a background from `first_row` on.
    table: Vec<f32>,
    first_row: usize,
    n_rows: usize,
}

const MEAN_LOW: f64 = 0.01;
const MEAN_STEP: f64 = 1.06;
const N_MEANS: usize = 210;

impl ExpectedSignal {
    /// For counts of this dispersion and backgrounds from `lambda` on.
    pub(crate) fn new(p_values: &PValues, counts: &Counts, lambda: f64) -> Self {
        let first_row = Background::new(lambda).row;
        let n_rows = N_LAMBDAS - first_row;
        let rows = &p_values.table[first_row * N_COUNTS..];
        let arcsinh: Vec<f32> = rows.iter().map(|v| v.asinh()).collect();
        let mut table = Vec::with_capacity((N_MEANS + 1) * n_rows);
        for i in 0..=N_MEANS {
            let mean = match i {
                0 => 0.0,
                _ => MEAN_LOW * MEAN_STEP.powi(i as i32 - 1),
            };
            let (first, p) = counts.distribution(mean);
            for row in arcsinh.chunks_exact(N_COUNTS) {
                let expected: f64 = p
                    .iter()
                    .enumerate()
                    .map(|(k, p)| p * f64::from(row[(first + k).min(N_COUNTS - 1)]))
                    .sum();
                table.push(expected as f32);
            }
        }
        ExpectedSignal {
            table,
            first_row,
            n_rows,
        }
    }

    /// The expected arcsinh signal.
    pub(crate) fn arcsinh(&self, mean: f64, background: Background) -> f32 {
        let place = if mean <= MEAN_LOW {
            mean / MEAN_LOW
        } else {
            1.0 + (mean / MEAN_LOW).ln() / MEAN_STEP.ln()
        };
        let i = (place.max(0.0) as usize).min(N_MEANS - 1);
        let weight = ((place - i as f64) as f32).clamp(0.0, 1.0);
        let row = background
            .row
            .saturating_sub(self.first_row)
            .min(self.n_rows.saturating_sub(2));
        let at = |mean: usize, row: usize| self.table[mean * self.n_rows + row];
        let over = |mean: usize| {
            at(mean, row) + (at(mean, row + 1) - at(mean, row)) * background.towards_next
        };
        over(i) + (over(i + 1) - over(i)) * weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draws;

    #[test]
    fn p_values_are_those_of_the_real_tracks_most_common_values() {
        // E065 H3K27me3: 0.276 (a quarter of all bins) and 0.706 are n = 0 and 1 at λ = 0.744;
        // E117 H3K9me3: 0.098, 0.623 and 0.953 are n = 0, 2 and 3 at λ = 1.6.
        let p_values = PValues::new();
        for (lambda, count, arcsinh) in [
            (0.744, 0, 0.276),
            (0.744, 1, 0.706),
            (1.6, 0, 0.098),
            (1.6, 2, 0.623),
            (1.6, 3, 0.953),
        ] {
            let signal = p_values.signal(count, Background::new(lambda));
            assert!(
                (signal.asinh() - arcsinh).abs() < 0.005,
                "{lambda} {count}: {signal}"
            );
        }
    }

    #[test]
    fn the_tail_of_the_poisson_agrees_with_hand_worked_and_tabulated_values() {
        // λ = 1: P(X > 0) = 1 − 1/e, P(X > 1) = 1 − 2/e; scipy.stats.poisson.logsf(50, 1).
        let tail: Vec<f32> = poisson_log10_tail(1.0, 60).collect();
        assert!((tail[0] - 0.199_200_1).abs() < 1e-6);
        assert!((tail[1] - 0.577_999_6).abs() < 1e-5);
        assert!((tail[50] - 66.616_51).abs() < 1e-3, "{}", tail[50]);
        assert!(tail.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn the_expected_signal_is_the_mean_of_what_is_drawn() {
        let p_values = PValues::new();
        let counts = Counts::new(1.8);
        let expected = ExpectedSignal::new(&p_values, &counts, 1.1);
        let mut draws = Draws::new(1, "expected", &[]);
        for (mean, lambda) in [(0.0, 1.1), (0.3, 1.1), (2.5, 1.7), (60.0, 3.0)] {
            let background = Background::new(lambda);
            let n = 30_000;
            let drawn = (0..n)
                .map(|_| {
                    let count = counts.quantile(mean, draws.uniform());
                    f64::from(p_values.signal(count, background).asinh())
                })
                .sum::<f64>()
                / f64::from(n);
            let expected = f64::from(expected.arcsinh(mean, background));
            assert!(
                (drawn - expected).abs() < 0.015,
                "{mean}: {drawn} {expected}"
            );
        }
    }

    #[test]
    fn absurd_counts_and_backgrounds_give_finite_signal() {
        let p_values = PValues::new();
        for lambda in [0.0, 1e-9, 1e9, f64::NAN] {
            for count in [0, u32::MAX] {
                assert!(p_values.signal(count, Background::new(lambda)).is_finite());
            }
        }
    }
}
