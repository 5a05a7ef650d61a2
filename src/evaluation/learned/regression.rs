//! The regressions themselves.

use std::sync::Arc;

use forust_ml::Matrix;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;

use super::LearnedSettings;
use crate::evaluation::EvaluationError;
use crate::linear::solve_positive_definite;

/// How much each tree of a booster counts.
const RATE: f32 = 0.1;
/// Samples of a leaf at least: ChromImpute's default.
const LEAF: f32 = 20.0;

/// A fitted regression.
pub(super) enum Regression {
    /// A constant, and a weight for each input.
    Linear(f64, Vec<f64>),
    /// The first trees of a booster, and how many.
    Trees(Arc<GradientBooster>, usize),
}

impl Regression {
    /// Fits `wanted` from inputs given column by column, once with each of some settings, in their order.
    /// What they share is computed once: the normal equations of all penalties, and the trees of boosters
    /// that differ in their number alone.
    pub fn fit(
        settings: &[LearnedSettings],
        inputs: &[f64],
        wanted: &[f64],
        seed: u64,
    ) -> Result<Vec<Self>, EvaluationError> {
        let mut equations = None;
        let mut boosters: Vec<(usize, Arc<GradientBooster>)> = Vec::new();
        let mut fitted = Vec::with_capacity(settings.len());
        for setting in settings {
            fitted.push(match *setting {
                LearnedSettings::Ridge { penalty } => equations
                    .get_or_insert_with(|| NormalEquations::new(inputs, wanted))
                    .solve(penalty),
                LearnedSettings::Boosted { depth, trees } => {
                    let known = boosters.iter().position(|(d, _)| *d == depth);
                    let place = match known {
                        Some(place) => place,
                        None => {
                            let most = settings.iter().filter_map(|s| s.trees_of_depth(depth));
                            let most = most.max().unwrap_or(trees);
                            let booster = boosted(inputs, wanted, (depth, most), seed)?;
                            boosters.push((depth, Arc::new(booster)));
                            boosters.len() - 1
                        }
                    };
                    Regression::Trees(Arc::clone(&boosters[place].1), trees)
                }
            });
        }
        Ok(fitted)
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
            Regression::Trees(booster, trees) => {
                let inputs = Matrix::new(inputs, n, inputs.len() / n.max(1));
                let mut predicted = vec![booster.base_score; n];
                for tree in booster.trees.iter().take(*trees) {
                    let of_tree = tree.predict(&inputs, false, &booster.missing);
                    let each = predicted.iter_mut().zip(of_tree);
                    each.for_each(|(p, value)| *p += value);
                }
                predicted
            }
        }
    }
}

fn boosted(
    inputs: &[f64],
    wanted: &[f64],
    (depth, trees): (usize, usize),
    seed: u64,
) -> Result<GradientBooster, EvaluationError> {
    let (n, width) = (wanted.len(), inputs.len() / wanted.len().max(1));
    let mut booster = GradientBooster::default()
        .set_objective_type(ObjectiveType::SquaredLoss)
        .set_iterations(trees)
        .set_learning_rate(RATE)
        .set_max_depth(depth)
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
    Ok(booster)
}

/// The normal equations of a regression on standardised inputs.
struct NormalEquations {
    /// The mean of each input and one over its standard deviation, 0 of a constant one.
    inputs: Vec<(f64, f64)>,
    middle: f64,
    normal: Vec<f64>,
    right: Vec<f64>,
}

impl NormalEquations {
    fn new(inputs: &[f64], wanted: &[f64]) -> Self {
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
        let dot =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64;
        let mut normal = vec![0.0; width * width];
        for i in 0..width {
            for j in 0..=i {
                let value = dot(&columns[i].2, &columns[j].2);
                normal[i * width + j] = value;
                normal[j * width + i] = value;
            }
        }
        NormalEquations {
            right: columns.iter().map(|c| dot(&c.2, wanted)).collect(),
            middle: mean(wanted),
            inputs: columns.iter().map(|c| (c.0, c.1)).collect(),
            normal,
        }
    }

    /// The weights with a penalty on their squares, beside the mean squared error.
    fn solve(&self, penalty: f64) -> Regression {
        let (mut normal, mut weights) = (self.normal.clone(), self.right.clone());
        let width = weights.len();
        (0..width).for_each(|i| normal[i * width + i] += penalty);
        solve_positive_definite(&mut normal, &mut weights);
        let mut constant = self.middle;
        for (weight, (middle, scale)) in weights.iter_mut().zip(&self.inputs) {
            *weight *= scale;
            constant -= *weight * middle;
        }
        Regression::Linear(constant, weights)
    }
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
        let settings = [1e-3, 1.0].map(|penalty| LearnedSettings::Ridge { penalty });
        let fitted = Regression::fit(&settings, &inputs, &wanted, 0).unwrap();
        for (regression, penalty) in fitted.iter().zip([1e-3, 1.0]) {
            let Regression::Linear(constant, weights) = regression else {
                panic!("not linear");
            };
            // Uncorrelated inputs of variance 8.25: each weight is 1 / (1 + penalty) of the plane's.
            let shrunk = 1.0 / (1.0 + penalty);
            assert!((weights[0] - 2.0 * shrunk).abs() < 1e-9, "{weights:?}");
            assert!((weights[1] + 0.5 * shrunk).abs() < 1e-9, "{weights:?}");
            assert_eq!(weights[2], 0.0);
            let mean = 7.0 + (2.0 - 0.5) * 4.5 * (1.0 - shrunk);
            assert!((constant - mean).abs() < 1e-9, "{constant}");
        }
    }

    #[test]
    fn boosters_of_fewer_trees_are_the_first_trees_of_one() {
        let inputs: Vec<f64> = (0..400).map(|i| f64::from(i % 40)).collect();
        let wanted: Vec<f64> = inputs.iter().map(|x| (x / 6.0).sin()).collect();
        let few = LearnedSettings::Boosted { depth: 3, trees: 5 };
        let many = LearnedSettings::Boosted {
            depth: 3,
            trees: 50,
        };
        let both = Regression::fit(&[few, many], &inputs, &wanted, 0).unwrap();
        let alone = Regression::fit(&[few], &inputs, &wanted, 0).unwrap();
        let predicted = |r: &Regression| r.predict(&inputs, 400);
        assert_eq!(predicted(&both[0]), predicted(&alone[0]));
        let error = |r: &Regression| -> f64 {
            let each = predicted(r).into_iter().zip(&wanted);
            each.map(|(p, w)| (p - w).powi(2)).sum()
        };
        assert!(error(&both[1]) < 0.1 * error(&both[0]));
    }
}
