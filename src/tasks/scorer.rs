//! The rows of a run's table: a feature set or baseline is learned in every fold, and its
//! predictions are scored, whole and in parts.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use rayon::prelude::*;

use super::baselines::Baseline;
use super::compare::{self, FEW_UNITS, replicates_needed};
use super::features::Computed;
use super::fold::{FoldOutcome, Job};
use super::folds::{FoldKind, Folds};
use super::importance::{Importance, groups};
use super::result::{FoldScore, RowKind, RowResult, Subset};
use super::rows::Rows;
use super::score::{
    Measured, Replicates, Spread, Weighted, Within, fold_standard_error, interval, mean, measure,
    measure_names, within_name,
};
use super::settings::RunSettings;
use super::{Learner, Target, TaskError};

/// A row of the table that is to be filled.
pub(crate) struct Spec {
    pub name: String,
    pub kind: RowKind,
    pub learner: Option<Learner>,
    pub features: Option<Computed>,
    pub parameters: Option<super::Parameters>,
    /// Predictions of all rows that nothing is learned for: a score, or a finished predictor's.
    pub fixed: Option<Vec<f64>>,
}

impl From<Baseline> for Spec {
    fn from(b: Baseline) -> Self {
        Spec {
            name: b.name.to_string(),
            kind: RowKind::Baseline,
            learner: b.learner,
            features: b.features,
            parameters: b.parameters,
            fixed: None,
        }
    }
}

/// A row that has been filled.
pub(crate) struct Scored {
    pub row: RowResult,
    /// Of the first division into folds.
    pub predictions: Vec<f64>,
    /// The measures of each division, and of each bootstrap replicate.
    pub values: Vec<[Option<f64>; 5]>,
    pub replicates: Vec<[Option<f64>; 5]>,
}

impl Scored {
    /// What it is compared with other rows by.
    pub(crate) fn to_compare(&self) -> compare::Row<'_> {
        compare::Row {
            name: &self.row.name,
            kind: self.row.kind,
            values: &self.values,
            replicates: &self.replicates,
        }
    }
}

/// A division of the rows into folds, and the seed that is learned with there.
struct Partition {
    fold: Vec<usize>,
    seed: u64,
}

/// What came out of a division.
struct Learned {
    outcomes: Vec<FoldOutcome>,
    /// Of the rows that are predicted.
    predictions: Vec<f64>,
}

/// Divisions that are tried to find one whose training parts can be learned from.
const TRIES: u64 = 20;

/// What all rows of the table share.
pub(crate) struct Scorer<'a> {
    rows: &'a Rows,
    settings: &'a RunSettings,
    n_folds: usize,
    kind: FoldKind,
    partitions: Vec<Partition>,
    unit: Vec<usize>,
    notes: Vec<String>,
    /// The rows that are predicted, and their labels.
    pub tested: Vec<usize>,
    pub labels: Vec<f64>,
    pub replicates: Replicates,
    /// Units that hold both what is to be distinguished: those with a positive or those with a negative,
    /// whichever are fewer; of numbers, all.
    pub n_informative: usize,
}

impl<'a> Scorer<'a> {
    /// `positive`, of classification, are the examples that are positive somewhere; `n_tests` is the
    /// size of the declared family ([`family_size`](super::compare::family_size)).
    pub(crate) fn new(
        rows: &'a Rows,
        folds: &Folds,
        settings: &'a RunSettings,
        positive: Option<&[bool]>,
        n_tests: usize,
    ) -> Self {
        let of_row = |of_example: &[usize]| -> Vec<usize> {
            rows.example.iter().map(|e| of_example[*e]).collect()
        };
        let unit = of_row(&folds.unit);
        let tested: Vec<usize> = (0..rows.label.len()).filter(|i| rows.test[*i]).collect();
        let labels: Vec<f64> = tested.iter().map(|i| rows.label[*i]).collect();
        let units: Vec<usize> = tested.iter().map(|i| unit[*i]).collect();
        let mut notes = Vec::new();
        let n_units = Replicates::new(units.clone(), 0, 0).n_units();
        let units_with = |positive: bool| {
            let of = (units.iter().zip(&labels)).filter(|(_, l)| (**l > 0.5) == positive);
            of.map(|(u, _)| *u).collect::<HashSet<usize>>().len()
        };
        let n_informative = match rows.target {
            Target::Classification => units_with(true).min(units_with(false)),
            Target::Regression => n_units,
        };
        if n_informative < FEW_UNITS && n_units >= FEW_UNITS {
            notes.push(format!(
                "one class lies in {n_informative} independent units only: no p is given, and \
                 intervals are a lower bound of the uncertainty"
            ));
        }
        let needed = replicates_needed(n_tests);
        let n_replicates = match settings.bootstrap {
            0 => {
                notes.push("no interval and no p: no bootstrap replicate was asked for".into());
                0
            }
            asked if n_informative >= FEW_UNITS && needed > asked => {
                notes.push(format!(
                    "{needed} bootstrap replicates and not {asked}: the least p must lie well below \
                     0.05 / {n_tests} to survive the correction of {n_tests} comparisons"
                ));
                needed
            }
            asked => asked,
        };
        let wanted = settings.n_partitions(tested.len());
        let mut partitions = vec![Partition {
            fold: of_row(&folds.fold),
            seed: settings.seed,
        }];
        let mut tried = 0;
        while partitions.len() < wanted && tried < wanted as u64 * TRIES {
            tried += 1;
            let fold = of_row(&folds.divided_anew(&settings.folds, positive, tried));
            if learnable(rows, &fold, folds.n_folds) || !folds.can_be_divided_anew() {
                partitions.push(Partition {
                    fold,
                    seed: settings.seed ^ (tried << 32),
                });
            }
        }
        if partitions.len() < wanted {
            notes.push(format!(
                "{} divisions into folds and not {wanted}: others leave a training part of one class",
                partitions.len()
            ));
        }
        if partitions.len() > 1 && !folds.can_be_divided_anew() {
            notes.push(format!(
                "folds by {} are as they are: the {} repetitions differ in the learner's seed alone",
                folds.kind.name(),
                partitions.len()
            ));
        }
        Scorer {
            rows,
            settings,
            n_folds: folds.n_folds,
            kind: folds.kind,
            replicates: Replicates::new(units, n_replicates, settings.seed),
            n_informative,
            partitions,
            unit,
            tested,
            labels,
            notes,
        }
    }

    /// How often the examples are divided into folds.
    pub(crate) fn n_partitions(&self) -> usize {
        self.partitions.len()
    }

    fn first_fold(&self) -> &[usize] {
        self.partitions.first().map_or(&[], |p| p.fold.as_slice())
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
        let fold = self.first_fold();
        vec![
            column("example", &|i| {
                f64::from(self.rows.ids[self.rows.example[i]])
            }),
            column("biosample", &|i| self.rows.biosample[i] as f64),
            column("label", &|i| self.rows.label[i]),
            column("fold", &|i| fold[i] as f64),
            column("unit", &|i| self.unit[i] as f64),
        ]
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let fold_of = self.first_fold();
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
                    let mut rows = self.tested.iter().filter(|i| fold_of[**i] == fold);
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
        let mut at = vec![usize::MAX; self.rows.label.len()];
        for (place, row) in self.tested.iter().enumerate() {
            at[*row] = place;
        }
        let learn = |partition: usize| -> Result<Learned, TaskError> {
            let outcomes = match (&spec.features, spec.learner) {
                (Some(features), Some(learner)) => {
                    self.learn(spec, features, learner, partition)?
                }
                _ => {
                    let fold = &self.partitions[partition].fold;
                    match &spec.fixed {
                        Some(values) => self.fixed(fold, values),
                        None => self.constant(fold),
                    }
                }
            };
            let mut predictions = vec![f64::NAN; self.tested.len()];
            for outcome in &outcomes {
                for (row, p) in outcome.rows.iter().zip(&outcome.predictions) {
                    predictions[at[*row]] = *p;
                }
            }
            Ok(Learned {
                outcomes,
                predictions,
            })
        };
        let learned: Vec<Learned> = (0..self.partitions.len())
            .into_par_iter()
            .map(learn)
            .collect::<Result<_, _>>()?;
        let all: Vec<usize> = (0..self.tested.len()).collect();
        let (values, replicates) = self.judge(&all, &learned, &self.replicates);
        let folds: Vec<Vec<FoldScore>> = (learned.iter())
            .map(|l| l.outcomes.iter().map(|o| self.fold_score(o)).collect())
            .collect();
        let first_name = measure_names(self.rows.target)[0];
        let of_folds: Vec<f64> = (folds.iter().flatten())
            .filter_map(|f| f.measures.get(first_name).copied().flatten())
            .collect();
        let of_partitions: Vec<f64> = values.iter().filter_map(|v| v[0]).collect();
        let n_features = spec.features.as_ref().map_or(0, Computed::n_columns);
        let subsets = self.subsets(&learned);
        let Some(first) = learned.into_iter().next() else {
            return Err(TaskError::Folds("there is no division into folds".into()).into());
        };
        Ok(Scored {
            row: RowResult {
                name: spec.name.clone(),
                kind: spec.kind,
                learner: spec.learner,
                n_features,
                measures: self.measured(&values, &replicates),
                partitions: Spread::of(&of_partitions),
                fold_mean: mean(&of_folds),
                fold_standard_error: fold_standard_error(&of_folds, self.test_share()),
                // There is one division at least; `RunSettings::check` refuses 0.
                folds: folds.into_iter().next().unwrap_or_default(),
                subsets,
                importance: self.importance(spec, &first.outcomes, values[0][0], &at),
                seconds: began.elapsed().as_secs_f64(),
            },
            predictions: first.predictions,
            values,
            replicates,
        })
    }

    /// The measures of some predictions (their places among all), in each division into folds and in
    /// each bootstrap replicate. Replicates take the divisions in turn, so that their spread is that
    /// of units and of divisions.
    #[allow(clippy::type_complexity)]
    fn judge(
        &self,
        places: &[usize],
        learned: &[Learned],
        replicates: &Replicates,
    ) -> (Vec<[Option<f64>; 5]>, Vec<[Option<f64>; 5]>) {
        let target = self.rows.target;
        let labels: Vec<f64> = places.iter().map(|p| self.labels[*p]).collect();
        // Labels of several biosamples have a level each in a unit.
        let n_biosamples = self.rows.biosamples.len();
        let unit: Vec<usize> = (places.iter().map(|p| self.tested[*p]))
            .map(|i| self.unit[i] * n_biosamples + self.rows.biosample[i])
            .collect();
        let predictions: Vec<Vec<f64>> = (learned.iter())
            .map(|l| places.iter().map(|p| l.predictions[*p]).collect())
            .collect();
        let ready: Vec<(Weighted<'_>, Within<'_>)> = (predictions.iter().zip(&self.partitions))
            .map(|(predictions, partition)| {
                let of = |p: &usize| partition.fold[self.tested[*p]];
                let fold: Vec<usize> = places.iter().map(of).collect();
                (
                    Weighted::new(target, &labels, predictions),
                    Within::new(target, &labels, predictions, &fold, &unit),
                )
            })
            .collect();
        let with = |[a, b, c, d]: [Option<f64>; 4], e: Option<f64>| [a, b, c, d, e];
        let once = vec![1u32; places.len()];
        let values = (ready.iter().zip(&predictions)).map(|((_, within), predictions)| {
            let pooled = measure(target, &labels, predictions);
            with(pooled, within.measure(&once))
        });
        let values = values.collect();
        let replicates = replicates.map(|b, weights| {
            let (weighted, within) = &ready[b % ready.len()];
            with(weighted.measure(weights), within.measure(weights))
        });
        (values, replicates)
    }

    /// The means over divisions, with intervals over replicates.
    fn measured(
        &self,
        values: &[[Option<f64>; 5]],
        replicates: &[[Option<f64>; 5]],
    ) -> BTreeMap<String, Measured> {
        let [a, b, c, d] = measure_names(self.rows.target);
        let names = [a, b, c, d, within_name(self.rows.target)];
        let of = |(i, name): (usize, &str)| {
            let defined: Vec<f64> = values.iter().filter_map(|v| v[i]).collect();
            let value = mean(&defined);
            let (low, high) = interval(replicates.iter().map(|r| r[i]));
            let measured = Measured {
                value,
                low: low.filter(|_| value.is_some()),
                high: high.filter(|_| value.is_some()),
            };
            (name.to_string(), measured)
        };
        names.into_iter().enumerate().map(of).collect()
    }

    /// The mean over folds of how many are predicted for each that is trained on; `None` where
    /// training parts share nothing, as those of two folds that are divided once.
    fn test_share(&self) -> Option<f64> {
        if self.n_folds == 2 && self.partitions.len() == 1 {
            return None;
        }
        let mut shares = Vec::new();
        for partition in &self.partitions {
            for fold in 0..self.n_folds {
                let n_test = (self.tested.iter()).filter(|i| partition.fold[**i] == fold);
                let n_train = (0..self.rows.label.len())
                    .filter(|i| self.rows.train[*i] && partition.fold[*i] != fold);
                let (n_test, n_train) = (n_test.count(), n_train.count());
                if n_test > 0 && n_train > 0 {
                    shares.push(n_test as f64 / n_train as f64);
                }
            }
        }
        mean(&shares)
    }

    fn learn(
        &self,
        spec: &Spec,
        features: &Computed,
        learner: Learner,
        partition: usize,
    ) -> Result<Vec<FoldOutcome>, TaskError> {
        let settings = self.settings;
        let Partition { fold, seed } = &self.partitions[partition];
        let importance = settings.importance && partition == 0;
        let job = Job {
            features,
            labels: &self.rows.label,
            fold,
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
            importance: importance && spec.kind == RowKind::Features,
            seed: *seed,
        };
        let outcomes: Vec<Option<FoldOutcome>> = (0..self.n_folds)
            .into_par_iter()
            .map(|fold| job.run(fold))
            .collect::<Result<_, _>>()?;
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// The rows of each fold that have any, without predictions.
    fn unpredicted(&self, fold_of: &[usize]) -> Vec<FoldOutcome> {
        let of_fold = |fold: usize| -> FoldOutcome {
            let rows = self.tested.iter().copied();
            FoldOutcome {
                fold,
                rows: rows.filter(|i| fold_of[*i] == fold).collect(),
                predictions: Vec::new(),
                parameters: None,
                rounds: None,
                shuffled: Vec::new(),
            }
        };
        let outcomes = (0..self.n_folds).map(of_fold);
        outcomes.filter(|o| !o.rows.is_empty()).collect()
    }

    /// Predictions as they were given.
    fn fixed(&self, fold_of: &[usize], values: &[f64]) -> Vec<FoldOutcome> {
        let mut outcomes = self.unpredicted(fold_of);
        for outcome in &mut outcomes {
            outcome.predictions = outcome.rows.iter().map(|i| values[*i]).collect();
        }
        outcomes
    }

    /// One number for all: the mean over the folds of the training labels' mean. A number a fold
    /// would rank the folds against their own labels.
    fn constant(&self, fold_of: &[usize]) -> Vec<FoldOutcome> {
        let mut outcomes = self.unpredicted(fold_of);
        let of_training = |outcome: &FoldOutcome| {
            let train = (0..self.rows.label.len())
                .filter(|i| self.rows.train[*i] && fold_of[*i] != outcome.fold);
            let labels: Vec<f64> = train.map(|i| self.rows.label[i]).collect();
            labels.iter().sum::<f64>() / labels.len().max(1) as f64
        };
        let means: Vec<f64> = outcomes.iter().map(of_training).collect();
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
    fn subsets(&self, learned: &[Learned]) -> Vec<Subset> {
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
        let subset = |(name, places): (String, Vec<usize>)| {
            let labels: Vec<f64> = places.iter().map(|p| self.labels[*p]).collect();
            let units = places.iter().map(|p| self.unit[self.tested[*p]]).collect();
            let (n, seed) = (self.settings.bootstrap, self.settings.seed);
            let (values, replicates) =
                self.judge(&places, learned, &Replicates::new(units, n, seed));
            Subset {
                name,
                n: places.len(),
                n_positive: self.n_positive(&labels),
                measures: self.measured(&values, &replicates),
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

/// Whether every training part has something to learn from: two rows, of both classes.
fn learnable(rows: &Rows, fold: &[usize], n_folds: usize) -> bool {
    (0..n_folds).all(|held| {
        let train = (0..fold.len()).filter(|i| rows.train[*i] && fold[*i] != held);
        let (mut n, mut n_positive) = (0, 0);
        for i in train {
            n += 1;
            n_positive += usize::from(rows.label[i] > 0.5);
        }
        n > 1 && (rows.target == Target::Regression || (n_positive > 0 && n_positive < n))
    })
}
