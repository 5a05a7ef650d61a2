//! Support vector machines (linfa).

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_svm::Svm;
use ndarray::Array1;

use super::{Predictor, Training};
use crate::tasks::Target;

/// Examples at most: linfa keeps the kernel of all pairs, here 1.2 GB.
const MOST: usize = 12_000;

/// A machine with a Gaussian kernel; its score is the signed distance from the boundary.
pub(super) fn svm(
    training: &Training<'_>,
    target: Target,
    c: f64,
    width: f64,
) -> Result<Predictor, String> {
    let n = training.y.len();
    if n > MOST {
        return Err(format!(
            "its kernel of {n} × {n} examples would take {:.0} GB; it learns from {MOST} at most: \
             choose another learner",
            (n * n * 8) as f64 / 1e9
        ));
    }
    // linfa's kernel is exp(−d²/eps); d² grows with the number of standardised features.
    let eps = 2.0 * width * training.x.ncols() as f64;
    let x = training.x.clone();
    match target {
        Target::Classification => {
            let classes: Vec<bool> = training.y.iter().map(|y| *y > 0.5).collect();
            let n_positive = classes.iter().filter(|c| **c).count().max(1) as f64;
            // The rarer class weighs as much as the other.
            let weight = ((n as f64 - n_positive) / n_positive).clamp(0.1, 100.0);
            let model = Svm::<f64, bool>::params()
                .pos_neg_weights(c * weight, c)
                .gaussian_kernel(eps)
                .eps(1e-3)
                .fit(&Dataset::new(x, Array1::from_vec(classes)))
                .map_err(|e| e.to_string())?;
            Ok(Box::new(move |x| {
                let score =
                    |row: ndarray::ArrayView1<'_, f64>| model.weighted_sum(&row) - model.rho;
                Ok(x.outer_iter().map(score).collect())
            }))
        }
        Target::Regression => {
            let model = Svm::<f64, f64>::params()
                .c_svr(c, Some(0.1))
                .gaussian_kernel(eps)
                .eps(1e-3)
                .fit(&Dataset::new(x, Array1::from_vec(training.y.to_vec())))
                .map_err(|e| e.to_string())?;
            Ok(Box::new(move |x| {
                let score =
                    |row: ndarray::ArrayView1<'_, f64>| model.weighted_sum(&row) - model.rho;
                Ok(x.outer_iter().map(score).collect())
            }))
        }
    }
}
