//! One fold: everything is learned from the training rows, then the fold's own are predicted.

use std::sync::Arc;

use super::features::{Computed, Features};
use super::importance::permuted;
use super::learners::{
    Calibration, Calibrator, Fitted, Parameters, Preparation, Prepared, Training, fit,
};
use super::score::measure;
use super::{Learner, Target, TaskError};

/// With so many folds the inner one is a small loss: what it stopped is the model, as in the
/// paper's own comparison. With fewer, the learner learns again from all training rows.
const FEW_FOLDS: usize = 10;
/// Inner folds that tuning looks at.
const INNER_FOLDS: usize = 3;
/// Rounds of boosting where nothing is left to stop on.
const BLIND_ROUNDS: usize = 100;

/// What all folds of one feature set share.
pub(crate) struct Job<'a> {
    pub features: &'a Computed,
    pub labels: &'a [f64],
    /// Each row's fold and unit.
    pub fold: &'a [usize],
    pub unit: &'a [usize],
    pub n_folds: usize,
    pub train: &'a [bool],
    pub test: &'a [bool],
    pub target: Target,
    pub learner: Learner,
    /// Settings that are not the learner's defaults.
    pub parameters: Option<Parameters>,
    pub tune: bool,
    pub select: Option<usize>,
    pub calibrate: Calibration,
    pub importance: bool,
    pub seed: u64,
}

/// What one fold came to.
pub(crate) struct FoldOutcome {
    pub fold: usize,
    pub rows: Vec<usize>,
    pub predictions: Vec<f64>,
    pub parameters: Option<Parameters>,
    pub rounds: Option<usize>,
    /// For each group of features, predictions with that group shuffled, several times over.
    pub shuffled: Vec<(String, Vec<Vec<f64>>)>,
}

/// A model with the preparation of its features.
struct Model {
    prepared: Prepared,
    fitted: Fitted,
}

impl Job<'_> {
    /// Trains outside a fold and predicts it; `None` where it has nothing to predict.
    pub(crate) fn run(&self, fold: usize) -> Result<Option<FoldOutcome>, TaskError> {
        let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..self.labels.len()).filter(|i| wanted(*i)).collect()
        };
        let test = of(&|i| self.test[i] && self.fold[i] == fold);
        if test.is_empty() {
            return Ok(None);
        }
        let train = of(&|i| self.train[i] && self.fold[i] != fold);
        self.check(fold, &train)?;
        let inner = self.inner_splits(fold, &train);
        let parameters = match self.parameters {
            Some(parameters) => parameters,
            None if self.tune => self.tuned(&inner)?,
            None => self.learner.defaults(),
        };
        let first = inner.first();
        let mut stopped = None;
        if self.learner.stops_early() || self.calibrate != Calibration::None {
            stopped = match first {
                Some((rest, held)) => Some(self.fit(rest, Some(held), &parameters, None)?),
                None => None,
            };
        }
        let calibrator = match (&stopped, first) {
            (Some(model), Some((_, held))) => {
                let scores = self.predict(model, held)?;
                Calibrator::learn(self.calibrate, &scores, &self.labels_of(held))
            }
            _ => None,
        };
        let rounds = stopped.as_ref().and_then(|m| m.fitted.rounds);
        let keep = self.learner.stops_early() && self.n_folds >= FEW_FOLDS;
        let model = match stopped {
            Some(model) if keep => model,
            _ => {
                let rounds = rounds.or(self.learner.stops_early().then_some(BLIND_ROUNDS));
                self.fit(&train, None, &parameters, rounds)?
            }
        };
        let calibrated = |scores: Vec<f64>| match &calibrator {
            Some(c) => scores.into_iter().map(|s| c.apply(s)).collect(),
            None => scores,
        };
        let mut shuffled = Vec::new();
        if self.importance {
            let rows = subset(self.features, &test);
            let all: Vec<usize> = (0..test.len()).collect();
            for (group, variants) in permuted(&rows, self.seed, fold) {
                let mut predictions = Vec::new();
                for variant in variants {
                    let x = model.prepared.apply(&variant, &all);
                    predictions.push(calibrated((model.fitted.predict)(&x)?));
                }
                shuffled.push((group, predictions));
            }
        }
        Ok(Some(FoldOutcome {
            fold,
            predictions: calibrated(self.predict(&model, &test)?),
            rows: test,
            parameters: Some(parameters),
            rounds: model.fitted.rounds,
            shuffled,
        }))
    }

    fn check(&self, fold: usize, train: &[usize]) -> Result<(), TaskError> {
        let n_positive = train.iter().filter(|i| self.labels[**i] > 0.5).count();
        if train.len() < 2 {
            return Err(TaskError::Folds(format!(
                "{} examples are left to learn from outside fold {fold}",
                train.len()
            )));
        }
        if self.target == Target::Classification && (n_positive == 0 || n_positive == train.len()) {
            return Err(TaskError::Folds(format!(
                "the {} examples outside fold {fold} are of one class: all of the other lie in \
                 that fold; choose fewer or other folds",
                train.len()
            )));
        }
        Ok(())
    }

    fn labels_of(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|i| self.labels[*i]).collect()
    }

    /// Divisions of the training rows: the next folds held out one after another; of two folds,
    /// thirds of the units. Those are left out where a part would have one class.
    fn inner_splits(&self, fold: usize, train: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut splits = Vec::new();
        let part = |i: usize| match self.n_folds {
            2 => self.unit[i] % 3,
            n => (self.fold[i] + n - fold - 1) % n,
        };
        let n_parts = match self.n_folds {
            2 => 3,
            n => n - 1,
        };
        for held_part in 0..n_parts {
            let (held, rest): (Vec<usize>, Vec<usize>) =
                train.iter().partition(|i| part(**i) == held_part);
            let mixed = |rows: &[usize]| {
                let n = rows.iter().filter(|i| self.labels[**i] > 0.5).count();
                self.target == Target::Regression || (n > 0 && n < rows.len())
            };
            if held.len() > 1 && rest.len() > 1 && mixed(&held) && mixed(&rest) {
                splits.push((rest, held));
            }
            if splits.len() == INNER_FOLDS {
                break;
            }
        }
        splits
    }

    /// The settings of the grid that predict the inner folds best.
    fn tuned(&self, inner: &[(Vec<usize>, Vec<usize>)]) -> Result<Parameters, TaskError> {
        let mut best: Option<(f64, Parameters)> = None;
        for parameters in self.learner.grid() {
            let mut scores = Vec::new();
            for (rest, held) in inner {
                let model = self.fit(rest, Some(held), &parameters, None)?;
                let predictions = self.predict(&model, held)?;
                let measured = measure(self.target, &self.labels_of(held), &predictions);
                scores.extend(measured[0]);
            }
            let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
            if !scores.is_empty() && best.is_none_or(|(score, _)| mean > score) {
                best = Some((mean, parameters));
            }
        }
        Ok(best.map_or_else(|| self.learner.defaults(), |(_, parameters)| parameters))
    }

    fn fit(
        &self,
        rows: &[usize],
        stop_on: Option<&Vec<usize>>,
        parameters: &Parameters,
        rounds: Option<usize>,
    ) -> Result<Model, TaskError> {
        let y = self.labels_of(rows);
        let preparation = Preparation {
            raw: self.learner.takes_raw(),
            select: self.select,
        };
        let prepared = Prepared::learn(self.features, rows, &y, preparation)?;
        let x = prepared.apply(self.features, rows);
        let held = stop_on
            .filter(|_| self.learner.stops_early())
            .map(|held| (prepared.apply(self.features, held), self.labels_of(held)));
        let training = Training {
            x: &x,
            y: &y,
            stop_on: held.as_ref().map(|(x, y)| (x, y.as_slice())),
            rounds,
            seed: self.seed,
        };
        let fitted = fit(self.learner, parameters, self.target, &training)?;
        Ok(Model { prepared, fitted })
    }

    fn predict(&self, model: &Model, rows: &[usize]) -> Result<Vec<f64>, TaskError> {
        let predictions = (model.fitted.predict)(&model.prepared.apply(self.features, rows))?;
        match predictions.iter().all(|p| p.is_finite()) {
            true => Ok(predictions),
            false => Err(TaskError::Learner {
                learner: self.learner.name(),
                message: "its predictions are not finite: it did not converge".into(),
            }),
        }
    }
}

/// Some rows of features.
fn subset(features: &Computed, rows: &[usize]) -> Computed {
    let of = |term: &Arc<Features>| {
        Arc::new(Features {
            columns: term.columns.clone(),
            values: rows.iter().flat_map(|i| term.row(*i)).copied().collect(),
            reduce_to: term.reduce_to,
            counted: None,
        })
    };
    Computed {
        terms: features.terms.iter().map(of).collect(),
    }
}
