//! Linear models (linfa).

use linfa::Dataset;
use linfa::traits::{Fit, Predict};
use linfa_elasticnet::ElasticNet;
use linfa_logistic::LogisticRegression;
use ndarray::Array1;

use super::{Predictor, Training};

/// Logistic regression. linfa's penalty stands beside the sum of losses, ours beside their mean.
pub(super) fn logistic(training: &Training<'_>, penalty: f64) -> Result<Predictor, String> {
    let classes: Vec<bool> = training.y.iter().map(|y| *y > 0.5).collect();
    let n = classes.len() as f64;
    let dataset = Dataset::new(training.x.clone(), Array1::from_vec(classes));
    let model = LogisticRegression::default()
        .alpha(penalty * n)
        .max_iterations(200)
        .gradient_tolerance(1e-5 * n.max(1.0))
        .fit(&dataset)
        .map_err(|e| e.to_string())?;
    // Its probabilities are of the class that was more frequent in training.
    let of_true = model.labels().pos.class;
    let weights = model.params().clone();
    let intercept = model.intercept();
    Ok(Box::new(move |x| {
        let scores = x.dot(&weights) + intercept;
        let probability = scores.mapv(|s| {
            let s = if of_true { s } else { -s };
            1.0 / (1.0 + (-s).exp())
        });
        Ok(probability.to_vec())
    }))
}

/// Linear regression with penalties.
pub(super) fn linear(
    training: &Training<'_>,
    penalty: f64,
    l1_share: f64,
) -> Result<Predictor, String> {
    let dataset = Dataset::new(training.x.clone(), Array1::from_vec(training.y.to_vec()));
    let model = ElasticNet::params()
        .penalty(penalty)
        .l1_ratio(l1_share)
        .max_iterations(1_000)
        .tolerance(1e-5)
        .fit(&dataset)
        .map_err(|e| e.to_string())?;
    Ok(Box::new(move |x| Ok(model.predict(x).to_vec())))
}
