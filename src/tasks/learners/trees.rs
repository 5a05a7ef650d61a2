//! Forests (smartcore), grown on all cores.
//!
//! smartcore's regressor of 0 and 1 gives probabilities, and is faster than its classifier. It has
//! no threads: the forest is grown in groves of a fixed size, each from its own seeds, so that it
//! is the same on any number of cores.

use rayon::prelude::*;
use smartcore::ensemble::extra_trees_regressor::{
    ExtraTreesRegressor, ExtraTreesRegressorParameters,
};
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::{Matrix, Predictor, Training};

/// Trees of a grove: smartcore sorts every feature once for each.
const GROVE: usize = 25;
/// Rows that are predicted at once.
const ROWS: usize = 512;

/// A matrix as smartcore takes it, column by column.
pub(super) fn dense(x: &Matrix) -> Result<DenseMatrix<f64>, String> {
    let values = x.t().iter().copied().collect();
    DenseMatrix::new(x.nrows(), x.ncols(), values, true).map_err(|e| e.to_string())
}

/// Predicts rows in parallel, in pieces, with whatever predicts a piece.
pub(super) fn predict_pieces(
    x: &Matrix,
    of_piece: impl Fn(&DenseMatrix<f64>) -> Result<Vec<f64>, String> + Sync,
) -> Result<Vec<f64>, String> {
    let n = x.nrows();
    let pieces: Vec<Vec<f64>> = (0..n.div_ceil(ROWS))
        .into_par_iter()
        .map(|i| {
            let rows = ndarray::s![i * ROWS..((i + 1) * ROWS).min(n), ..];
            of_piece(&dense(&x.slice(rows).to_owned())?)
        })
        .collect::<Result<_, _>>()?;
    Ok(pieces.concat())
}

type Grown<T> = Vec<(usize, T)>;

fn grow<T: Send>(
    n_trees: usize,
    seed: u64,
    grove: impl Fn(usize, u64) -> Result<T, String> + Sync,
) -> Result<Grown<T>, String> {
    (0..n_trees.div_ceil(GROVE))
        .into_par_iter()
        .map(|i| {
            let n = GROVE.min(n_trees - i * GROVE);
            let seed = seed.wrapping_mul(1 << 20).wrapping_add((i * GROVE) as u64);
            Ok((n, grove(n, seed)?))
        })
        .collect()
}

/// The mean over all trees.
fn mean<T>(
    groves: &Grown<T>,
    n_rows: usize,
    predict: impl Fn(&T) -> Result<Vec<f64>, String>,
) -> Result<Vec<f64>, String> {
    let mut sums = vec![0.0; n_rows];
    let mut n_trees = 0;
    for (n, grove) in groves {
        for (sum, p) in sums.iter_mut().zip(predict(grove)?) {
            *sum += p * *n as f64;
        }
        n_trees += n;
    }
    Ok(sums
        .into_iter()
        .map(|s| s / n_trees.max(1) as f64)
        .collect())
}

fn features_of_a_split(n_columns: usize, share: Option<f64>) -> usize {
    let n = match share {
        Some(share) => share * n_columns as f64,
        None => (n_columns as f64).sqrt(),
    };
    (n.round() as usize).clamp(1, n_columns.max(1))
}

/// A random forest.
pub(super) fn forest(
    training: &Training<'_>,
    n_trees: usize,
    min_leaf: usize,
    share: Option<f64>,
) -> Result<Predictor, String> {
    groves(training, n_trees, share, "forest", |x, y, grove| {
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(grove.n_trees)
            .with_m(grove.features_of_a_split)
            .with_min_samples_leaf(min_leaf)
            .with_seed(grove.seed);
        RandomForestRegressor::fit(x, y, parameters)
    })
}

/// Extremely randomised trees: all examples, thresholds at random.
pub(super) fn extra_trees(
    training: &Training<'_>,
    n_trees: usize,
    min_leaf: usize,
    share: Option<f64>,
) -> Result<Predictor, String> {
    groves(training, n_trees, share, "extra-trees", |x, y, grove| {
        let parameters = ExtraTreesRegressorParameters::default()
            .with_n_trees(grove.n_trees)
            .with_m(grove.features_of_a_split)
            .with_min_samples_leaf(min_leaf)
            .with_seed(grove.seed);
        ExtraTreesRegressor::fit(x, y, parameters)
    })
}

/// What tells one grove from another.
struct Grove {
    n_trees: usize,
    features_of_a_split: usize,
    seed: u64,
}

/// Grows groves, and predicts by the mean over all their trees.
fn groves<M>(
    training: &Training<'_>,
    n_trees: usize,
    share: Option<f64>,
    learner: &'static str,
    fit: impl Fn(&DenseMatrix<f64>, &Vec<f64>, Grove) -> Result<M, Failed> + Sync,
) -> Result<Predictor, String>
where
    M: smartcore::api::Predictor<DenseMatrix<f64>, Vec<f64>> + Send + Sync + 'static,
{
    let (x, y) = (dense(training.x)?, training.y.to_vec());
    let features_of_a_split = features_of_a_split(training.x.ncols(), share);
    let groves = grow(n_trees, training.seed, |n_trees, seed| {
        let grove = Grove {
            n_trees,
            features_of_a_split,
            seed,
        };
        fit(&x, &y, grove).map_err(|e| e.to_string())
    })?;
    Ok(predictor(
        move |piece, n| {
            mean(&groves, n, |grove| {
                grove.predict(piece).map_err(|e| e.to_string())
            })
        },
        learner,
    ))
}

/// Predicts pieces of rows; an error names the learner.
pub(super) fn predictor(
    of_piece: impl Fn(&DenseMatrix<f64>, usize) -> Result<Vec<f64>, String> + Send + Sync + 'static,
    learner: &'static str,
) -> Predictor {
    use smartcore::linalg::basic::arrays::Array;
    Box::new(move |x| {
        predict_pieces(x, |piece| of_piece(piece, piece.shape().0))
            .map_err(|message| crate::tasks::TaskError::Learner { learner, message })
    })
}
