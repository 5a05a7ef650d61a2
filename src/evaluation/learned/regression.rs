//! The regressions themselves.

use forust_ml::Matrix;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;

use super::LearnedBaseline;
use crate::evaluation::EvaluationError;
use crate::linear::solve_positive_definite;

/// The penalty of standardised inputs' weights, beside the mean squared error.
const PENALTY: f64 = 1e-3;
/// Trees of a booster, their depth, and how much each counts.
const TREES: usize = 100;
const DEPTH: usize = 6;
const RATE: f32 = 0.1;
/// Samples of a leaf at least.
const LEAF: f32 = 20.0;

/// A fitted regression.
pub(super) enum Regression {
    /// A constant, and a weight for each input.
    Linear(f64, Vec<f64>),
    /// Boosted trees.
    Trees(Box<GradientBooster>),
}

impl Regression {
    /// Fits `wanted` from inputs given column by column.
    pub fn fit(
        which: LearnedBaseline,
        inputs: &[f64],
        wanted: &[f64],
        seed: u64,
    ) -> Result<Self, EvaluationError> {
        match which {
            LearnedBaseline::Ridge => Ok(ridge(inputs, wanted)),
            LearnedBaseline::Boosted => {
                let (n, width) = (wanted.len(), inputs.len() / wanted.len().max(1));
                let mut booster = GradientBooster::default()
                    .set_objective_type(ObjectiveType::SquaredLoss)
                    .set_iterations(TREES)
                    .set_learning_rate(RATE)
                    .set_max_depth(DEPTH)
                    .set_min_leaf_weight(LEAF)
                    .set_initialize_base_score(true)
                    .set_missing(f64::NAN)
                    // References are learnt side by side.
                    .set_parallel(false)
                    .set_seed(seed);
                let weights = vec![1.0; n];
                booster
                    .fit(&Matrix::new(inputs, n, width), wanted, &weights, None)
                    .map_err(|e| EvaluationError::Learner(e.to_string()))?;
                Ok(Regression::Trees(Box::new(booster)))
            }
        }
    }

    /// Its prediction of each of n rows, given column by column.
    pub fn predict(&self, inputs: &[f64], n: usize) -> Vec<f64> {
        match self {
            Regression::Linear(constant, weights) => {
                let mut predicted = vec![*constant; n];
                for (column, weight) in inputs.chunks_exact(n.max(1)).zip(weights) {
                    let each = predicted.iter_mut().zip(column);
                    each.for_each(|(p, value)| *p += weight * value);
                }
                predicted
            }
            Regression::Trees(booster) => {
                let width = inputs.len() / n.max(1);
                booster.predict(&Matrix::new(inputs, n, width), false)
            }
        }
    }
}

/// Ridge regression on standardised inputs, by the normal equations.
fn ridge(inputs: &[f64], wanted: &[f64]) -> Regression {
    let n = wanted.len().max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let columns: Vec<(f64, f64, Vec<f64>)> = inputs
        .chunks_exact(n)
        .map(|column| {
            let middle = mean(column);
            let centred: Vec<f64> = column.iter().map(|v| v - middle).collect();
            let deviation = mean(&centred.iter().map(|v| v * v).collect::<Vec<_>>()).sqrt();
            // A constant input carries no information, and must not be divided by.
            let scale = if deviation > 0.0 {
                1.0 / deviation
            } else {
                0.0
            };
            (middle, scale, centred.iter().map(|v| v * scale).collect())
        })
        .collect();
    let width = columns.len();
    let middle = mean(wanted);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64;
    let mut normal = vec![0.0; width * width];
    for i in 0..width {
        for j in 0..=i {
            let value = dot(&columns[i].2, &columns[j].2);
            normal[i * width + j] = value;
            normal[j * width + i] = value;
        }
        normal[i * width + i] += PENALTY;
    }
    let mut weights: Vec<f64> = columns.iter().map(|c| dot(&c.2, wanted)).collect();
    solve_positive_definite(&mut normal, &mut weights);
    let each = weights.iter_mut().zip(&columns);
    let mut constant = middle;
    for (weight, (middle, scale, _)) in each {
        *weight *= scale;
        constant -= *weight * middle;
    }
    Regression::Linear(constant, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_but_for_the_penalty_and_constants_count_nothing() {
        let n = 200;
        let (a, b) = (|i: usize| (i % 10) as f64, |i: usize| (i / 20) as f64);
        let mut inputs: Vec<f64> = (0..n).map(a).collect();
        inputs.extend((0..n).map(b));
        inputs.extend(vec![3.0; n]);
        let wanted: Vec<f64> = (0..n).map(|i| 2.0 * a(i) - 0.5 * b(i) + 7.0).collect();
        let Regression::Linear(constant, weights) = ridge(&inputs, &wanted) else {
            panic!("not linear");
        };
        // Uncorrelated inputs of variance 8.25: each weight is 1 / (1 + penalty) of the plane's.
        let shrunk = 1.0 / (1.0 + PENALTY);
        assert!((weights[0] - 2.0 * shrunk).abs() < 1e-9, "{weights:?}");
        assert!((weights[1] + 0.5 * shrunk).abs() < 1e-9, "{weights:?}");
        assert_eq!(weights[2], 0.0);
        let mean = 7.0 + (2.0 - 0.5) * 4.5 * (1.0 - shrunk);
        assert!((constant - mean).abs() < 1e-9, "{constant}");
    }
}
