//! Linear models (linfa).

use linfa::Dataset;
use linfa::traits::{Fit, Predict};
use linfa_elasticnet::ElasticNet;
use linfa_logistic::LogisticRegression;
use ndarray::Array1;

use super::{Matrix, Predictor, Training};

/// Logistic regression. linfa's penalty stands beside the sum of losses, ours beside their mean.
pub(super) fn logistic(training: &Training<'_>, penalty: f64) -> Result<Predictor, String> {
    let (weights, intercept) = logistic_weights(training.x, training.y, penalty)?;
    Ok(Box::new(move |x| {
        let scores = x.dot(&weights) + intercept;
        Ok(scores.mapv(|s| 1.0 / (1.0 + (-s).exp())).to_vec())
    }))
}

/// The weights and the intercept of a logistic regression: the log-odds of label 1.
pub(crate) fn logistic_weights(
    x: &Matrix,
    y: &[f64],
    penalty: f64,
) -> Result<(Array1<f64>, f64), String> {
    let classes: Vec<bool> = y.iter().map(|y| *y > 0.5).collect();
    let n = classes.len() as f64;
    let dataset = Dataset::new(x.clone(), Array1::from_vec(classes));
    let model = LogisticRegression::default()
        .alpha(penalty * n)
        .max_iterations(200)
        .gradient_tolerance(1e-5 * n.max(1.0))
        .fit(&dataset)
        .map_err(|e| e.to_string())?;
    // Its log-odds are of the class that was more frequent in training.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    Ok((model.params() * sign, model.intercept() * sign))
}

/// Linear regression with penalties.
pub(super) fn linear(
    training: &Training<'_>,
    penalty: f64,
    l1_share: f64,
) -> Result<Predictor, String> {
    // Coordinate descent goes column by column: they must lie together.
    let x = training.x.t().as_standard_layout().into_owned();
    let dataset = Dataset::new(x.reversed_axes(), Array1::from_vec(training.y.to_vec()));
    let model = ElasticNet::params()
        .penalty(penalty)
        .l1_ratio(l1_share)
        .max_iterations(1_000)
        .tolerance(1e-5)
        .fit(&dataset)
        .map_err(|e| e.to_string())?;
    Ok(Box::new(move |x| Ok(model.predict(x).to_vec())))
}
