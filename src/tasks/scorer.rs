//! The rows of a run's table: a feature set or baseline is learned in every fold, and its
//! predictions are scored, whole and in parts.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;

use super::baselines::Baseline;
use super::compare::FEW_UNITS;
use super::features::Computed;
use super::fold::{FoldOutcome, Job};
use super::folds::{FoldKind, Folds};
use super::importance::{Importance, groups};
use super::result::{FoldScore, RowKind, RowResult, Subset};
use super::rows::Rows;
use super::score::{Measured, Replicates, Weighted, interval, measure, measure_names};
use super::settings::RunSettings;
use super::{Learner, Target, TaskError};

/// A row of the table that is to be filled.
pub(crate) struct Spec {
    pub name: String,
    pub kind: RowKind,
    pub learner: Option<Learner>,
    pub features: Option<Computed>,
    pub parameters: Option<super::Parameters>,
}

impl From<Baseline> for Spec {
    fn from(b: Baseline) -> Self {
        Spec {
            name: b.name.to_string(),
            kind: RowKind::Baseline,
            learner: b.learner,
            features: b.features,
            parameters: b.parameters,
        }
    }
}

/// A row that has been filled.
pub(crate) struct Scored {
    pub row: RowResult,
    pub predictions: Vec<f64>,
    pub replicates: Vec<[Option<f64>; 4]>,
}

/// What all rows of the table share.
pub(crate) struct Scorer<'a> {
    rows: &'a Rows,
    settings: &'a RunSettings,
    n_folds: usize,
    kind: FoldKind,
    fold: Vec<usize>,
    unit: Vec<usize>,
    /// The rows that are predicted, and their labels.
    pub tested: Vec<usize>,
    pub labels: Vec<f64>,
    pub replicates: Replicates,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(rows: &'a Rows, folds: &Folds, settings: &'a RunSettings) -> Self {
        let of_row = |of_example: &[usize]| rows.example.iter().map(|e| of_example[*e]).collect();
        let (fold, unit): (Vec<usize>, Vec<usize>) = (of_row(&folds.fold), of_row(&folds.unit));
        let tested: Vec<usize> = (0..rows.label.len()).filter(|i| rows.test[*i]).collect();
        let labels = tested.iter().map(|i| rows.label[*i]).collect();
        let units = tested.iter().map(|i| unit[*i]).collect();
        Scorer {
            rows,
            settings,
            n_folds: folds.n_folds,
            kind: folds.kind,
            replicates: Replicates::new(units, settings.bootstrap, settings.seed),
            fold,
            unit,
            tested,
            labels,
        }
    }

    pub(crate) fn n_positive(&self, labels: &[f64]) -> Option<usize> {
        let count = || labels.iter().filter(|l| **l > 0.5).count();
        (self.rows.target == Target::Classification).then(count)
    }

    /// What every row of the run has, beside the predictions.
    pub(crate) fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let column = |name: &str, of: &dyn Fn(usize) -> f64| {
            let values = self.tested.iter().map(|i| of(*i)).collect();
            (name.to_string(), values)
        };
        vec![
            column("example", &|i| {
                f64::from(self.rows.ids[self.rows.example[i]])
            }),
            column("biosample", &|i| self.rows.biosample[i] as f64),
            column("label", &|i| self.rows.label[i]),
            column("fold", &|i| self.fold[i] as f64),
            column("unit", &|i| self.unit[i] as f64),
        ]
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let n_units = self.replicates.n_units();
        if n_units < FEW_UNITS {
            notes.push(format!(
                "intervals are drawn over {n_units} independent units only: take them for a lower \
                 bound of the uncertainty; no p is given"
            ));
        }
        if self.kind == FoldKind::Shuffled && self.rows.examples.iter().any(|e| e.place.is_some()) {
            notes.push(
                "shuffled folds tear neighbours apart: examples are predicted by a model that has \
                 seen their like, and intervals over single examples are too narrow"
                    .into(),
            );
        }
        if self.rows.target == Target::Classification {
            for fold in 0..self.n_folds {
                let of = |positive: bool| {
                    let mut rows = self.tested.iter().filter(|i| self.fold[**i] == fold);
                    rows.any(|i| (self.rows.label[*i] > 0.5) == positive)
                };
                match (of(true), of(false)) {
                    (false, true) => notes.push(format!(
                        "fold {fold} has no positive: its average precision and AUROC are undefined"
                    )),
                    (true, false) => notes.push(format!(
                        "fold {fold} has no negative: its average precision and AUROC are undefined"
                    )),
                    _ => {}
                }
            }
        }
        notes
    }

    pub(crate) fn score(&self, spec: &Spec) -> crate::Result<Scored> {
        let began = Instant::now();
        let outcomes = match (&spec.features, spec.learner) {
            (Some(features), Some(learner)) => self.learn(spec, features, learner)?,
            _ => self.constant(),
        };
        let mut at = vec![usize::MAX; self.rows.label.len()];
        for (place, row) in self.tested.iter().enumerate() {
            at[*row] = place;
        }
        let mut predictions = vec![f64::NAN; self.tested.len()];
        for outcome in &outcomes {
            for (row, p) in outcome.rows.iter().zip(&outcome.predictions) {
                predictions[at[*row]] = *p;
            }
        }
        let weighted = Weighted::new(self.rows.target, &self.labels, &predictions);
        let replicates = self.replicates.measure(&weighted);
        let names = measure_names(self.rows.target);
        let values = measure(self.rows.target, &self.labels, &predictions);
        let with_interval = |i: usize| {
            let (low, high) = interval(replicates.iter().map(|r| r[i]));
            Measured {
                value: values[i],
                low: low.filter(|_| values[i].is_some()),
                high: high.filter(|_| values[i].is_some()),
            }
        };
        let measures: BTreeMap<String, Measured> = (0..4)
            .map(|i| (names[i].to_string(), with_interval(i)))
            .collect();
        let folds: Vec<FoldScore> = outcomes.iter().map(|o| self.fold_score(o)).collect();
        let defined: Vec<f64> = folds
            .iter()
            .filter_map(|f| f.measures.get(names[0]).copied().flatten())
            .collect();
        let n = defined.len() as f64;
        let mean = defined.iter().sum::<f64>() / n;
        let deviation = (defined.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n).sqrt();
        let n_features = spec.features.as_ref().map_or(0, Computed::n_columns);
        Ok(Scored {
            row: RowResult {
                name: spec.name.clone(),
                kind: spec.kind,
                learner: spec.learner,
                n_features,
                measures,
                fold_mean: (n > 0.0).then_some(mean),
                fold_standard_error: (n > 1.0).then(|| deviation / n.sqrt()),
                folds,
                subsets: self.subsets(&predictions),
                importance: self.importance(spec, &outcomes, values[0], &at),
                seconds: began.elapsed().as_secs_f64(),
            },
            predictions,
            replicates,
        })
    }

    fn learn(
        &self,
        spec: &Spec,
        features: &Computed,
        learner: Learner,
    ) -> Result<Vec<FoldOutcome>, TaskError> {
        let settings = self.settings;
        let job = Job {
            features,
            labels: &self.rows.label,
            fold: &self.fold,
            unit: &self.unit,
            n_folds: self.n_folds,
            train: &self.rows.train,
            test: &self.rows.test,
            target: self.rows.target,
            learner,
            parameters: spec.parameters,
            tune: settings.tune,
            select: settings.select.filter(|_| spec.kind == RowKind::Features),
            calibrate: settings.calibrate,
            importance: settings.importance && spec.kind == RowKind::Features,
            seed: settings.seed,
        };
        let outcomes: Vec<Option<FoldOutcome>> = (0..self.n_folds)
            .into_par_iter()
            .map(|fold| job.run(fold))
            .collect::<Result<_, _>>()?;
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// One number for all: the mean over the folds of the training labels' mean. A number a fold
    /// would rank the folds against their own labels.
    fn constant(&self) -> Vec<FoldOutcome> {
        let mut means = Vec::new();
        let mut outcomes = Vec::new();
        for fold in 0..self.n_folds {
            let rows: Vec<usize> = self
                .tested
                .iter()
                .copied()
                .filter(|i| self.fold[*i] == fold)
                .collect();
            if rows.is_empty() {
                continue;
            }
            let train =
                (0..self.rows.label.len()).filter(|i| self.rows.train[*i] && self.fold[*i] != fold);
            let labels: Vec<f64> = train.map(|i| self.rows.label[i]).collect();
            means.push(labels.iter().sum::<f64>() / labels.len().max(1) as f64);
            outcomes.push(FoldOutcome {
                fold,
                rows,
                predictions: Vec::new(),
                parameters: None,
                rounds: None,
                shuffled: Vec::new(),
            });
        }
        let mean = means.iter().sum::<f64>() / means.len().max(1) as f64;
        for outcome in &mut outcomes {
            outcome.predictions = vec![mean; outcome.rows.len()];
        }
        outcomes
    }

    fn fold_score(&self, outcome: &FoldOutcome) -> FoldScore {
        let labels: Vec<f64> = outcome.rows.iter().map(|i| self.rows.label[*i]).collect();
        let values = measure(self.rows.target, &labels, &outcome.predictions);
        let names = measure_names(self.rows.target);
        FoldScore {
            fold: outcome.fold,
            n: labels.len(),
            n_positive: self.n_positive(&labels),
            measures: (0..4).map(|i| (names[i].to_string(), values[i])).collect(),
            parameters: outcome.parameters,
            rounds: outcome.rounds,
        }
    }

    /// Of a run of several biosamples: each, and the genes that vary between them.
    fn subsets(&self, predictions: &[f64]) -> Vec<Subset> {
        if self.rows.biosamples.len() < 2 {
            return Vec::new();
        }
        let variable = self.rows.variable();
        let mut parts: Vec<(String, Vec<usize>)> = Vec::new();
        let pick = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..self.tested.len())
                .filter(|p| wanted(self.tested[*p]))
                .collect()
        };
        parts.push(("variable".into(), pick(&|i| variable[i])));
        for (b, name) in self.rows.biosamples.iter().enumerate() {
            parts.push((name.clone(), pick(&|i| self.rows.biosample[i] == b)));
        }
        parts.retain(|(_, places)| !places.is_empty());
        let names = measure_names(self.rows.target);
        let subset = |(name, places): (String, Vec<usize>)| {
            let of = |values: &[f64]| -> Vec<f64> { places.iter().map(|p| values[*p]).collect() };
            let (labels, predictions) = (of(&self.labels), of(predictions));
            let units = places.iter().map(|p| self.unit[self.tested[*p]]).collect();
            let weighted = Weighted::new(self.rows.target, &labels, &predictions);
            let replicates = Replicates::new(units, self.settings.bootstrap, self.settings.seed)
                .measure(&weighted);
            let values = measure(self.rows.target, &labels, &predictions);
            let measured = |i: usize| {
                let (low, high) = interval(replicates.iter().map(|r| r[i]));
                let value = values[i];
                Measured { value, low, high }
            };
            Subset {
                name,
                n: places.len(),
                n_positive: self.n_positive(&labels),
                measures: (0..4)
                    .map(|i| (names[i].to_string(), measured(i)))
                    .collect(),
            }
        };
        parts.into_iter().map(subset).collect()
    }

    fn importance(
        &self,
        spec: &Spec,
        outcomes: &[FoldOutcome],
        base: Option<f64>,
        at: &[usize],
    ) -> Vec<Importance> {
        let Some(features) = &spec.features else {
            return Vec::new();
        };
        let n_repeats = outcomes
            .first()
            .and_then(|o| o.shuffled.first())
            .map_or(0, |(_, repeats)| repeats.len());
        if n_repeats == 0 {
            return Vec::new();
        }
        let of_group = |(g, (group, n_features)): (usize, (String, usize))| {
            let mut drops = Vec::new();
            for repeat in 0..n_repeats {
                let mut predictions = vec![f64::NAN; self.tested.len()];
                for outcome in outcomes {
                    for (row, p) in outcome.rows.iter().zip(&outcome.shuffled[g].1[repeat]) {
                        predictions[at[*row]] = *p;
                    }
                }
                let measured = measure(self.rows.target, &self.labels, &predictions);
                drops.extend(base.zip(measured[0]).map(|(base, now)| base - now));
            }
            let n = drops.len() as f64;
            let mean = drops.iter().sum::<f64>() / n;
            let spread = drops.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
            Importance {
                group,
                n_features,
                drop: (n > 0.0).then_some(mean),
                deviation: (n > 1.0).then(|| spread.sqrt()),
            }
        };
        groups(features)
            .into_iter()
            .enumerate()
            .map(of_group)
            .collect()
    }
}
