//! Nearest neighbours (smartcore), by comparing with all: trees of space help nobody in a hundred
//! dimensions.

use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::neighbors::KNNWeightFunction;
use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};

use super::trees::{dense, predictor};
use super::{Predictor, Training};

/// The mean label of the nearest examples; of 0 and 1, a probability.
pub(super) fn knn(training: &Training<'_>, k: usize) -> Result<Predictor, String> {
    let (x, y) = (dense(training.x)?, training.y.to_vec());
    let k = k.min(y.len()).max(1);
    let parameters = KNNRegressorParameters::default()
        .with_k(k)
        .with_algorithm(KNNAlgorithmName::LinearSearch)
        .with_weight(KNNWeightFunction::Uniform);
    let model = KNNRegressor::fit(&x, &y, parameters).map_err(|e| e.to_string())?;
    Ok(predictor(
        move |piece, _| model.predict(piece).map_err(|e| e.to_string()),
        "knn",
    ))
}
