//! Gradient-boosted trees (forust).

use forust_ml::gradientbooster::GradientBooster;
use forust_ml::metric::Metric;
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::{Matrix as Columns, gradientbooster};

use super::{Fitted, Matrix, Parameters, Training};
use crate::tasks::{Target, TaskError};

/// Rounds without a better score on the inner fold that end the training.
const PATIENCE: usize = 20;

/// Boosted trees; of two classes, probabilities.
pub(super) fn gbm(
    training: &Training<'_>,
    target: Target,
    parameters: &Parameters,
) -> Result<Fitted, String> {
    let Parameters::Boosted {
        rate,
        depth,
        rounds,
        min_leaf_weight,
        columns,
        rows,
    } = *parameters
    else {
        return Err("settings of another learner".into());
    };
    let by_columns = |x: &Matrix| -> Vec<f64> { x.t().iter().copied().collect() };
    let (objective, metric) = match target {
        Target::Classification => (ObjectiveType::LogLoss, Metric::LogLoss),
        Target::Regression => (ObjectiveType::SquaredLoss, Metric::RootMeanSquaredError),
    };
    let sampling = if rows < 1.0 {
        SampleMethod::Random
    } else {
        SampleMethod::None
    };
    let mut booster = GradientBooster::default()
        .set_objective_type(objective)
        .set_iterations(training.rounds.unwrap_or(rounds))
        .set_learning_rate(rate)
        .set_max_depth(depth)
        .set_min_leaf_weight(min_leaf_weight)
        .set_colsample_bytree(columns)
        .set_subsample(rows)
        .set_sample_method(sampling)
        .set_initialize_base_score(true)
        .set_evaluation_metric(Some(metric))
        .set_missing(f64::NAN)
        // Folds run side by side: each boosts on one thread, and the result depends on none.
        .set_parallel(false)
        .set_seed(training.seed);
    let x = by_columns(training.x);
    let data = Columns::new(&x, training.x.nrows(), training.x.ncols());
    let weights = vec![1.0; training.y.len()];
    let inner = training.stop_on.map(|(x, y)| (by_columns(x), x.dim(), y));
    let inner_weights = vec![1.0; inner.as_ref().map_or(0, |(_, _, y)| y.len())];
    let evaluation: Option<Vec<gradientbooster::EvaluationData<'_>>> =
        inner.as_ref().map(|(values, (n, m), y)| {
            vec![(Columns::new(values, *n, *m), *y, inner_weights.as_slice())]
        });
    if evaluation.is_some() {
        booster = booster.set_early_stopping_rounds(Some(PATIENCE));
    }
    booster
        .fit(&data, training.y, &weights, evaluation)
        .map_err(|e| e.to_string())?;
    let rounds = booster.prediction_iteration.unwrap_or(booster.trees.len());
    Ok(Fitted {
        rounds: Some(rounds),
        predict: Box::new(move |x| {
            let values = by_columns(x);
            let scores = booster.predict(&Columns::new(&values, x.nrows(), x.ncols()), false);
            if scores.iter().any(|s| !s.is_finite()) {
                return Err(TaskError::Learner {
                    learner: "gbm",
                    message: "its predictions are not finite".into(),
                });
            }
            Ok(match target {
                Target::Regression => scores,
                Target::Classification => scores
                    .into_iter()
                    .map(|s| 1.0 / (1.0 + (-s).exp()))
                    .collect(),
            })
        }),
    })
}
