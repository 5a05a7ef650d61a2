//! Least squares of targets on regressors, and the principal axes of what they predict.

use ndarray::{Array2, ArrayView1};

use crate::linear::{eigen, solve_columns};
use crate::nn::product::{Matrix, Threads, multiply};

/// Added to the diagonal of the least squares, as a share of its mean; the first with which they can be
/// solved. The smallest serves wherever there are more rows than regressors.
const RIDGES: [f64; 5] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// A mean variance of the regressors below this is rounding.
const LEAST_VARIANCE: f64 = 1e-3;

/// Sums of the least squares at one resolution.
#[derive(Clone)]
pub(super) struct LeastSquares {
    weight: f64,
    /// Of the regressors, and of the targets.
    regressors: Vec<f64>,
    targets: Vec<f64>,
    /// `[regressors, regressors]` and `[regressors, targets]`.
    gram: Vec<f64>,
    cross: Vec<f64>,
}

impl LeastSquares {
    pub fn new(regressors: usize, targets: usize) -> Self {
        LeastSquares {
            weight: 0.0,
            regressors: vec![0.0; regressors],
            targets: vec![0.0; targets],
            gram: vec![0.0; regressors * regressors],
            cross: vec![0.0; regressors * targets],
        }
    }

    pub fn add(&mut self, part: &Self) {
        self.weight += part.weight;
        let pairs = [
            (&mut self.regressors, &part.regressors),
            (&mut self.targets, &part.targets),
            (&mut self.gram, &part.gram),
            (&mut self.cross, &part.cross),
        ];
        for (sums, part) in pairs {
            sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
    }

    /// Of some rows and their weights.
    pub fn of(rows: &[f32], targets: &[f32], weights: &[f32], threads: Threads) -> Self {
        let n = weights.len().max(1);
        let (r, t) = (rows.len() / n, targets.len() / n);
        let mut sums = LeastSquares::new(r, t);
        let mut weighted = rows.to_vec();
        for (row, w) in weighted.chunks_exact_mut(r.max(1)).zip(weights) {
            row.iter_mut().for_each(|v| *v *= w);
        }
        let (mut gram, mut cross) = (vec![0f32; r * r], vec![0f32; r * t]);
        let left = Matrix::new(&weighted, r).t();
        multiply(&mut gram, left, Matrix::new(rows, r), false, threads);
        multiply(&mut cross, left, Matrix::new(targets, t), false, threads);
        sums.gram = gram.into_iter().map(f64::from).collect();
        sums.cross = cross.into_iter().map(f64::from).collect();
        for ((row, target), w) in weighted
            .chunks_exact(r.max(1))
            .zip(targets.chunks_exact(t.max(1)))
            .zip(weights)
        {
            sums.weight += f64::from(*w);
            sums.regressors
                .iter_mut()
                .zip(row)
                .for_each(|(s, v)| *s += f64::from(*v));
            sums.targets
                .iter_mut()
                .zip(target)
                .for_each(|(s, v)| *s += f64::from(v * w));
        }
        sums
    }

    fn mean(&self) -> Vec<f64> {
        self.regressors.iter().map(|v| v / self.weight).collect()
    }

    /// The regressors' covariance.
    fn covariance(&self) -> Array2<f64> {
        let (r, n, mean) = (self.regressors.len(), self.weight, self.mean());
        Array2::from_shape_fn((r, r), |(i, j)| {
            self.gram[i * r + j] / n - mean[i] * mean[j]
        })
    }

    /// Coefficients of each target, `[regressors, targets]`; `None` if they cannot be found.
    fn solve(&self) -> Option<Array2<f64>> {
        let (r, t, n) = (self.regressors.len(), self.targets.len(), self.weight);
        let (mean, gram) = (self.mean(), self.covariance());
        let cross = Array2::from_shape_fn((r, t), |(i, j)| {
            self.cross[i * t + j] / n - mean[i] * self.targets[j] / n
        });
        RIDGES.into_iter().find_map(|ridge| {
            let mut stiff = gram.clone();
            // Constant tracks leave nothing to regress on: their factors are 0.
            let ridge = ridge * (gram.diag().sum() / r as f64).max(LEAST_VARIANCE);
            stiff.diag_mut().iter_mut().for_each(|v| *v += ridge);
            solve_columns(stiff, cross.clone())
        })
    }

    /// The first `factors` principal axes, over these rows, of predictions whose coefficients `learned` gives;
    /// each target is weighed.
    pub fn axes(&self, learned: &Self, weights: &[f64], factors: usize) -> Option<PrincipalAxes> {
        let (r, mean, gram) = (self.regressors.len(), self.mean(), self.covariance());
        let mut solved = learned.solve()?;
        for (mut column, w) in solved.columns_mut().into_iter().zip(weights) {
            column *= w.sqrt();
        }
        let covariance = solved.t().dot(&gram.dot(&solved));
        let (_, vectors) = eigen((&covariance + &covariance.t()) / 2.0);
        let mut chosen = vectors.slice_move(ndarray::s![.., ..factors]);
        for mut axis in chosen.columns_mut() {
            if largest(axis.view()) < 0.0 {
                axis *= -1.0;
            }
        }
        let map = solved.dot(&chosen);
        let bias = (0..factors)
            .map(|c| -(0..r).map(|i| mean[i] * map[[i, c]]).sum::<f64>())
            .collect();
        Some(PrincipalAxes {
            map,
            bias,
            axes: chosen,
        })
    }
}

/// Principal axes of predictions.
pub(super) struct PrincipalAxes {
    /// From regressors to places along the axes, `[regressors, factors]`.
    pub map: Array2<f64>,
    /// `[factors]`.
    pub bias: Vec<f64>,
    /// The axes themselves, unit vectors `[targets, factors]` in the space of the weighed targets.
    pub axes: Array2<f64>,
}

/// The number that is largest without its sign, the first of equals.
fn largest(values: ArrayView1<'_, f64>) -> f64 {
    values.iter().fold(
        0.0,
        |most: f64, v| if v.abs() > most.abs() { *v } else { most },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_come_from_all_rows_and_axes_from_the_rows_as_they_are() {
        // Two rows at 1 and 3 with the targets 1 and 3; repeated with half of what was read, 0.5 and 1.5.
        let rows = LeastSquares::of(&[1.0, 3.0], &[1.0, 3.0], &[1.0, 1.0], Threads::One);
        let mut all = rows.clone();
        all.add(&LeastSquares::of(
            &[0.5, 1.5],
            &[1.0, 3.0],
            &[1.0, 1.0],
            Threads::One,
        ));
        let slope = |found: &PrincipalAxes| found.map[[0, 0]];
        let alone = rows.axes(&rows, &[1.0], 1).unwrap();
        assert!((slope(&alone) - 1.0).abs() < 1e-4);
        let repeated = rows.axes(&all, &[1.0], 1).unwrap();
        // Of the four rows: the covariance is 0.75 (mean of x·y 3.75, less 1.5 · 2), the variance 0.875 (3.125
        // less 2.25).
        assert!((slope(&repeated) - 0.75 / 0.875).abs() < 1e-4);
        // The rows as they are have the mean 0 all the same.
        assert!((repeated.bias[0] + 2.0 * slope(&repeated)).abs() < 1e-9);
    }
}
