//! What predictions need of the numbers: sums and products of rows, computed once. A prediction from any
//! choice and its error then cost as much as the choice is long, squared, and not as the genome is long.

use rayon::prelude::*;

use super::Predictor;
use crate::linear::solve_positive_definite;
use crate::selection::SelectionError;
use crate::selection::similarity::SimilarityMatrix;

/// Sums of items' values and of their products, about a common origin.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// Of how many items.
    n_items: usize,
    /// At how many positions.
    n: f64,
    /// Which items have values.
    has: Vec<bool>,
    sums: Vec<f64>,
    /// `[n_items, n_items]`.
    products: Vec<f64>,
}

impl Moments {
    /// Of the items at some places, by their values, `[places, width]`. Positions at which one of them has
    /// no value (NaN) do not count.
    pub(super) fn new(n_items: usize, places: &[usize], values: &[f32]) -> Self {
        let width = values.len() / places.len().max(1);
        let complete: Vec<usize> = (0..width)
            .filter(|i| {
                values
                    .iter()
                    .skip(*i)
                    .step_by(width.max(1))
                    .all(|v| !v.is_nan())
            })
            .collect();
        let n = complete.len();
        let values: Vec<f32> = (0..places.len())
            .flat_map(|row| complete.iter().map(move |i| values[row * width + i]))
            .collect();
        let rows: Vec<&[f32]> = values.chunks_exact(n.max(1)).collect();
        let mut moments = Moments {
            n_items,
            n: n as f64,
            has: vec![false; n_items],
            sums: vec![0.0; n_items],
            products: vec![0.0; n_items * n_items],
        };
        let product = |a: &[f32], b: &[f32]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
        };
        let of_row =
            |i: usize| -> Vec<f64> { (0..=i).map(|j| product(rows[i], rows[j])).collect() };
        let found: Vec<Vec<f64>> = (0..rows.len()).into_par_iter().map(of_row).collect();
        for (i, a) in places.iter().enumerate().take(rows.len()) {
            moments.has[*a] = true;
            moments.sums[*a] = rows[i].iter().map(|v| f64::from(*v)).sum();
            for (j, b) in places.iter().enumerate().take(i + 1) {
                moments.products[a * n_items + b] = found[i][j];
                moments.products[b * n_items + a] = found[i][j];
            }
        }
        moments
    }

    /// The items that have values.
    pub(super) fn items(&self) -> Vec<usize> {
        (0..self.n_items).filter(|i| self.has[*i]).collect()
    }

    /// Those of some items, in that order.
    pub(super) fn select(&self, items: &[usize]) -> Self {
        let pairs = items
            .iter()
            .flat_map(|a| items.iter().map(|b| self.product(*a, *b)));
        Moments {
            n_items: items.len(),
            n: self.n,
            has: items.iter().map(|i| self.has[*i]).collect(),
            sums: items.iter().map(|i| self.sums[*i]).collect(),
            products: pairs.collect(),
        }
    }

    fn product(&self, a: usize, b: usize) -> f64 {
        self.products[a * self.n_items + b]
    }

    fn have(&self, items: &[usize]) -> bool {
        items.iter().all(|i| self.has[*i])
    }
}

/// A prediction: a weight for each of the chosen, and a constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    of: Vec<f64>,
    constant: f64,
}

impl Weights {
    /// How item `b` is predicted from the chosen. Ridge regression learns from the moments that `b` and
    /// all of the chosen have, one after another as one long row.
    pub(super) fn new(
        predictor: Predictor,
        b: usize,
        chosen: &[usize],
        similarity: &SimilarityMatrix,
        seen: &[Moments],
    ) -> Self {
        let k = chosen.len();
        match predictor {
            Predictor::Nearest => {
                let mut best = 0;
                for (i, c) in chosen.iter().enumerate() {
                    if similarity.get(b, *c) > similarity.get(b, chosen[best]) {
                        best = i;
                    }
                }
                let one = |i: usize| f64::from(u8::from(i == best));
                Weights {
                    of: (0..k).map(one).collect(),
                    constant: 0.0,
                }
            }
            Predictor::Mean => Self::mean(k),
            Predictor::Ridge => Self::ridge(b, chosen, seen),
        }
    }

    fn mean(k: usize) -> Self {
        Weights {
            of: vec![1.0 / k as f64; k],
            constant: 0.0,
        }
    }

    /// Ridge regression with a constant that is not shrunk; the penalty is a hundredth of the predictors'
    /// mean variance. Where there is nothing to learn from: their mean.
    fn ridge(b: usize, chosen: &[usize], seen: &[Moments]) -> Self {
        let k = chosen.len();
        let group: Vec<usize> = chosen.iter().copied().chain([b]).collect();
        let shared: Vec<&Moments> = seen.iter().filter(|m| m.have(&group)).collect();
        let n: f64 = shared.iter().map(|m| m.n).sum();
        if n == 0.0 {
            return Self::mean(k);
        }
        let mean = |i: usize| shared.iter().map(|m| m.sums[i]).sum::<f64>() / n;
        let covariance = |i: usize, j: usize| {
            let products: f64 = shared.iter().map(|m| m.product(i, j)).sum();
            products - n * mean(i) * mean(j)
        };
        let mut matrix = vec![0.0; k * k];
        for (i, a) in chosen.iter().enumerate() {
            for (j, c) in chosen.iter().enumerate().take(i + 1) {
                matrix[i * k + j] = covariance(*a, *c);
                matrix[j * k + i] = matrix[i * k + j];
            }
        }
        let trace: f64 = (0..k).map(|i| matrix[i * k + i]).sum();
        let penalty = 0.01 * (trace / k as f64).max(1e-9);
        for i in 0..k {
            matrix[i * k + i] += penalty;
        }
        let mut of: Vec<f64> = chosen.iter().map(|c| covariance(*c, b)).collect();
        solve_positive_definite(&mut matrix, &mut of);
        let from_means: f64 = of.iter().zip(chosen).map(|(w, c)| w * mean(*c)).sum();
        Weights {
            constant: mean(b) - from_means,
            of,
        }
    }

    /// The mean squared error of item `b` at the positions of some moments.
    fn error(&self, scored: &Moments, b: usize, chosen: &[usize]) -> f64 {
        let parts = || self.of.iter().zip(chosen);
        let own = scored.product(b, b);
        let cross: f64 = parts().map(|(w, c)| w * scored.product(b, *c)).sum();
        let among: f64 = (parts())
            .map(|(w, c)| {
                w * parts()
                    .map(|(v, d)| v * scored.product(*c, *d))
                    .sum::<f64>()
            })
            .sum();
        let left: f64 = scored.sums[b] - parts().map(|(w, c)| w * scored.sums[*c]).sum::<f64>();
        let n = scored.n.max(1.0);
        // Rounding must not make a perfect prediction better than that.
        ((own - 2.0 * cross + among - 2.0 * self.constant * left) / n + self.constant.powi(2))
            .max(0.0)
    }
}

/// The mean error over the items that were not chosen.
pub(super) fn mean_error(
    scored: &Moments,
    chosen: &[usize],
    weights: &dyn Fn(usize) -> Weights,
) -> Result<f64, SelectionError> {
    let rest = (0..scored.n_items).filter(|b| scored.has[*b] && !chosen.contains(b));
    let errors: Vec<f64> = rest.map(|b| weights(b).error(scored, b, chosen)).collect();
    match errors.len() {
        0 => Err(SelectionError::question(
            "everything was chosen: nothing is left to predict",
        )),
        n => Ok(errors.iter().sum::<f64>() / n as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows, and a mixture of both.
    fn rows(n: usize) -> Vec<f32> {
        let a: Vec<f32> = (0..n).map(|t| (t * 3 % 17) as f32).collect();
        let b: Vec<f32> = (0..n)
            .map(|t| ((t * 4 % 17) as f32).powi(2) / 9.0)
            .collect();
        let c = a.iter().zip(&b).map(|(a, b)| 0.7 * a + 0.2 * b + 3.0);
        a.iter().chain(&b).copied().chain(c).collect()
    }

    #[test]
    fn ridge_finds_the_weights_of_a_mixture() {
        let moments = Moments::new(3, &[0, 1, 2], &rows(400));
        let weights = Weights::ridge(2, &[0, 1], &[moments]);
        assert!((weights.of[0] - 0.7).abs() < 0.02 && (weights.of[1] - 0.2).abs() < 0.02);
        assert!((weights.constant - 3.0).abs() < 0.3);
        // Nothing to learn from: no moments, or none that all three have.
        let some = Moments::new(3, &[0, 1], &rows(400)[..800]);
        for seen in [&[][..], &[some]] {
            assert_eq!(Weights::ridge(2, &[0, 1], seen), Weights::mean(2));
        }
    }

    #[test]
    fn rows_that_lie_in_two_moments_are_one_long_row() {
        let values = rows(400);
        let part = |from: usize, to: usize| -> Vec<f32> {
            (0..3)
                .flat_map(|i| values[i * 400 + from..i * 400 + to].to_vec())
                .collect()
        };
        let places = [0, 1, 2];
        let whole = Moments::new(3, &places, &values);
        let parts = [(0, 150), (150, 400)].map(|(a, b)| Moments::new(3, &places, &part(a, b)));
        let (one, two) = (
            Weights::ridge(2, &[0, 1], &[whole]),
            Weights::ridge(2, &[0, 1], &parts),
        );
        assert!((one.of[0] - two.of[0]).abs() < 1e-9 && (one.constant - two.constant).abs() < 1e-9);
    }

    #[test]
    fn positions_without_a_value_do_not_count() {
        let nan = f32::NAN;
        let with = Moments::new(2, &[0, 1], &[1.0, nan, 3.0, 4.0, 2.0, 5.0, nan, 7.0]);
        let without = Moments::new(2, &[0, 1], &[1.0, 4.0, 2.0, 7.0]);
        assert_eq!((with.n, &with.sums), (2.0, &without.sums));
        assert_eq!(with.products, without.products);
        // Of items that share no position nothing is known.
        assert!(
            Moments::new(2, &[0, 1], &[1.0, nan, nan, 2.0])
                .items()
                .is_empty()
        );
    }

    #[test]
    fn the_error_by_moments_is_the_error_by_positions() {
        let values = rows(300);
        let moments = Moments::new(3, &[0, 1, 2], &values);
        let weights = Weights {
            of: vec![0.4, -0.3],
            constant: 1.5,
        };
        let expected: f64 = (0..300)
            .map(|t| {
                let at = |i: usize| f64::from(values[i * 300 + t]);
                (at(2) - 0.4 * at(0) + 0.3 * at(1) - 1.5).powi(2)
            })
            .sum::<f64>()
            / 300.0;
        assert!((weights.error(&moments, 2, &[0, 1]) - expected).abs() < 1e-9 * expected);
        // The mean of one is that one.
        let itself = mean_error(&moments, &[0, 1], &|_| Weights::mean(2)).unwrap();
        let half = Weights {
            of: vec![0.5, 0.5],
            constant: 0.0,
        };
        assert_eq!(itself, half.error(&moments, 2, &[0, 1]));
        assert!(mean_error(&moments, &[0, 1, 2], &|_| Weights::mean(3)).is_err());
    }
}
