//! A run: features, folds, learners, scores; stored, and repeated.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::baselines::{Baseline, baselines, by_row};
use super::compare::{self, FEW_UNITS, compare};
use super::features::{Computed, CpgIslands, Features, Maker, Request, Term, UserMatrix};
use super::fold::{FoldOutcome, Job};
use super::folds::{FoldKind, Folds};
use super::importance::{Importance, groups};
use super::leakage::{check_model, check_tracks};
use super::result::{FoldScore, RowKind, RowResult, RunResult, Subset};
use super::rows::Rows;
use super::score::{Measured, Replicates, Weighted, interval, measure, measure_names};
use super::settings::RunSettings;
use super::{Learner, Target, TaskError};
use crate::model::TrainedModel;
use crate::store::{Database, NewRun, Run, Track};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It makes the features of a term.
    Features(String),
    /// It learns and predicts with a feature set or baseline: which, of how many.
    Row(String, usize, usize),
}

/// A run that has not been stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The settings.
    pub settings: RunSettings,
    /// What came out.
    pub result: RunResult,
    /// A number for each prediction: `example` (its place in the task), `biosample` (its place
    /// among the biosamples of the run), `label`, `fold`, `unit`, and one column a row of the
    /// table, named like it.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl Outcome {
    /// Stores it; the run's number.
    ///
    /// # Errors
    /// When the database can only be read.
    pub fn store(&self, database: &Database) -> crate::Result<i64> {
        Ok(database.save_run(&NewRun {
            key: self.settings.key(&self.result.inputs),
            task: self.settings.task.clone(),
            settings: json!(self.settings),
            result: json!(self.result),
            columns: self.columns.clone(),
        })?)
    }
}

/// What a run reads, opened and checked.
pub(crate) struct Inputs {
    pub model: Option<TrainedModel>,
    pub matrices: Vec<UserMatrix>,
    pub islands: Option<CpgIslands>,
    /// Names and checksums of all that the numbers depend on.
    pub checksums: Vec<(String, String)>,
}

impl Inputs {
    pub(crate) fn open(database: &Database, settings: &RunSettings) -> crate::Result<Self> {
        let terms = || settings.features.iter().flat_map(|f| &f.terms);
        let task = database.read_task(&settings.task)?;
        let mut checksums = vec![(format!("task {}", task.name), task.checksum.clone())];
        let model = match terms().any(Term::needs_model) {
            true => Some(TrainedModel::open(database, settings.model.as_deref())?),
            false => None,
        };
        if let Some(model) = &model {
            let stored = model.stored();
            checksums.push((
                format!("model {}", stored.record.name),
                stored.checksum.clone(),
            ));
        }
        let matrices: Vec<UserMatrix> = settings
            .matrices
            .iter()
            .map(UserMatrix::read)
            .collect::<Result<_, _>>()?;
        for matrix in &matrices {
            checksums.push((format!("matrix {}", matrix.name), matrix.checksum.clone()));
        }
        let islands = CpgIslands::maybe(settings.cpg.as_deref(), database.axis().assembly())?;
        if let Some(islands) = &islands {
            checksums.push(("CpG islands".into(), islands.checksum.clone()));
        }
        let reads_tracks = |t: &Term| {
            !matches!(
                t,
                Term::Embedding | Term::BiosampleFactors | Term::Hidden | Term::Published(_)
            )
        };
        if terms().any(reads_tracks) {
            let used = |t: &Track| settings.assays.is_empty() || settings.assays.contains(&t.assay);
            for track in database.tracks()?.into_iter().filter(used) {
                checksums.push((
                    format!("{}:{}", track.biosample, track.assay),
                    track.checksum,
                ));
            }
        }
        Ok(Inputs {
            model,
            matrices,
            islands,
            checksums,
        })
    }
}

/// Runs a benchmark; nothing is stored. `progress` hears how far it is.
///
/// # Errors
/// When settings contradict themselves, features would leak the label or cannot be made, labels
/// cannot be learned, or folds cannot be made of them.
pub fn run(
    database: &Database,
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<Outcome> {
    let began = Instant::now();
    let settings = with_biosamples(database, settings)?;
    settings.check()?;
    let task = database.read_task(&settings.task)?;
    let inputs = Inputs::open(database, &settings)?;
    let model = inputs.model.as_ref();
    let rows = Rows::new(database, &task, &settings, model)?;
    if let Some(model) = model {
        check_model(rows.kind, model.record())?;
    }
    check_tracks(
        rows.kind,
        &settings.features,
        &settings.assays,
        &database.tracks()?,
    )?;
    let positive: Vec<bool> = rows.examples_positive();
    let classes = (rows.target == Target::Classification).then_some(positive.as_slice());
    let folds = Folds::new(&settings.folds, database.axis(), &rows.examples, classes)?;
    let terms = make_terms(database, &settings, &inputs, &rows, progress)?;
    let genes = database.genes()?;
    let placed = rows.examples.iter().all(|e| e.place.is_some());
    let genes = if placed { genes } else { Vec::new() };
    let mut specs: Vec<Spec> = settings
        .features
        .iter()
        .map(|set| Spec {
            name: set.to_string(),
            kind: RowKind::Features,
            learner: Some(settings.learner),
            features: Some(Computed {
                terms: set.terms.iter().map(|t| Arc::clone(&terms[t])).collect(),
            }),
            parameters: None,
        })
        .collect();
    let basis = baselines(&rows, &genes, inputs.islands.as_ref(), settings.learner);
    specs.extend(basis.into_iter().map(Spec::from));
    let n_specs = specs.len();
    let scorer = Scorer::new(&rows, &folds, &settings);
    let mut scored = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        progress(Progress::Row(spec.name.clone(), i, n_specs));
        scored.push(scorer.score(spec)?);
    }
    let primary = rows.target.primary();
    let compared: Vec<compare::Row<'_>> = scored
        .iter()
        .map(|s| compare::Row {
            name: &s.row.name,
            value: s.row.measures.get(primary).and_then(|m| m.value),
            replicates: s.replicates.iter().map(|r| r[0]).collect(),
        })
        .collect();
    let comparisons = compare(&compared, primary, scorer.replicates.n_units());
    let mut notes = scorer.notes();
    if comparisons.iter().filter(|c| c.p.is_some()).count() > 1 {
        notes.push(format!(
            "p of {} comparisons, corrected by Holm's method: p_holm",
            comparisons.len()
        ));
    }
    let mut columns = scorer.columns();
    columns.extend(
        scored
            .iter()
            .map(|s| (s.row.name.clone(), s.predictions.clone())),
    );
    let result = RunResult {
        task: task.name.clone(),
        kind: rows.kind,
        target: rows.target,
        unit: rows.unit.clone(),
        threshold: rows.threshold,
        n: scorer.tested.len(),
        n_positive: scorer.n_positive(&scorer.labels),
        fold_kind: folds.kind,
        n_folds: folds.n_folds,
        n_units: scorer.replicates.n_units(),
        primary: primary.to_string(),
        model: model.map(|m| (m.record().name.clone(), m.stored().checksum.clone())),
        left_out: rows.left_out.clone(),
        rows: scored.into_iter().map(|s| s.row).collect(),
        comparisons,
        notes,
        inputs: inputs.checksums.clone(),
        persea: env!("CARGO_PKG_VERSION").into(),
        seconds: began.elapsed().as_secs_f64(),
    };
    Ok(Outcome {
        settings,
        result,
        columns,
    })
}

/// Repeats a stored run. What differs from it is said, row by row; nothing, where all predictions
/// are the same to the bit.
///
/// # Errors
/// When something that the run depends on has changed since (it is named), and as [`run`].
pub fn rerun(
    database: &Database,
    run_stored: &Run,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<(Outcome, Vec<String>)> {
    let settings: RunSettings = serde_json::from_value(run_stored.settings.clone())
        .map_err(|e| TaskError::Settings(format!("the settings of run {}: {e}", run_stored.id)))?;
    let inputs = Inputs::open(database, &settings)?;
    let before: Vec<(String, String)> =
        serde_json::from_value(run_stored.result["inputs"].clone()).unwrap_or_default();
    for (name, checksum) in &before {
        match inputs.checksums.iter().find(|(n, _)| n == name) {
            Some((_, now)) if now == checksum => {}
            Some(_) => {
                return Err(TaskError::Settings(format!(
                    "{name} has changed since run {}: its numbers cannot be repeated",
                    run_stored.id
                ))
                .into());
            }
            None => {
                return Err(TaskError::Settings(format!(
                    "{name}, which run {} depends on, is gone",
                    run_stored.id
                ))
                .into());
            }
        }
    }
    let outcome = run(database, &settings, progress)?;
    let stored = database.run_columns(run_stored)?;
    let mut different = Vec::new();
    for (name, values) in &stored {
        let now = outcome.columns.iter().find(|(n, _)| n == name);
        let same = now.is_some_and(|(_, now)| {
            now.len() == values.len()
                && now
                    .iter()
                    .zip(values)
                    .all(|(a, b)| a.to_bits() == b.to_bits())
        });
        if !same {
            different.push(name.clone());
        }
    }
    Ok((outcome, different))
}

/// The one biosample that has labels, where none was named.
fn with_biosamples(database: &Database, settings: &RunSettings) -> crate::Result<RunSettings> {
    let mut settings = settings.clone();
    if settings.train_biosamples.is_empty() && settings.test_biosamples.is_empty() {
        let task = database.read_task(&settings.task)?;
        let [only] = task.labels.as_slice() else {
            let names: Vec<&str> = task.labels.iter().map(|l| l.biosample.as_str()).collect();
            return Err(TaskError::Settings(format!(
                "task {} has labels of {}; name one by --biosample",
                task.name,
                names.join(", ")
            ))
            .into());
        };
        settings.train_biosamples = vec![only.biosample.clone()];
        settings.test_biosamples = vec![only.biosample.clone()];
    }
    Ok(settings)
}

/// Every term of the feature sets, once, as features of the run's rows.
fn make_terms(
    database: &Database,
    settings: &RunSettings,
    inputs: &Inputs,
    rows: &Rows,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<HashMap<Term, Arc<Features>>> {
    let request = Request {
        biosamples: rows.biosamples.clone(),
        assays: settings.assays.clone(),
        poolings: settings.pooling.clone(),
        upstream_bins: settings.upstream_bins,
    };
    let mut made: HashMap<Term, Arc<Features>> = HashMap::new();
    let mut maker = None;
    for term in settings.features.iter().flat_map(|f| &f.terms) {
        if made.contains_key(term) {
            continue;
        }
        progress(Progress::Features(term.to_string()));
        let features = if let Term::Published(name) = term {
            of_matrix(name, inputs, rows)?
        } else {
            let maker = match &maker {
                Some(maker) => maker,
                None => maker.insert(Maker::new(
                    database,
                    inputs.model.as_ref(),
                    &request,
                    &rows.examples,
                )?),
            };
            of_genome(maker, term, rows)?
        };
        made.insert(term.clone(), Arc::new(features));
    }
    Ok(made)
}

fn of_matrix(name: &str, inputs: &Inputs, rows: &Rows) -> crate::Result<Features> {
    let Some(matrix) = inputs.matrices.iter().find(|m| m.name == name) else {
        let known: Vec<&str> = inputs.matrices.iter().map(|m| m.name.as_str()).collect();
        return Err(TaskError::Settings(match known.is_empty() {
            true => "feature set `published` needs --matrix FILE".into(),
            false => format!(
                "there is no matrix `{name}`; those given are {}",
                known.join(", ")
            ),
        })
        .into());
    };
    if matrix.n_rows != rows.all.len() {
        return Err(TaskError::Features(format!(
            "matrix {} has {} rows, the task {} examples: they must agree row by row (of labels in \
             an array, `task import custom --rows N` takes the first N)",
            matrix.name,
            matrix.n_rows,
            rows.all.len()
        ))
        .into());
    }
    Ok(by_row(&matrix.features(&rows.ids), &rows.example))
}

/// Features of each biosample's rows.
fn of_genome(maker: &Maker<'_>, term: &Term, rows: &Rows) -> crate::Result<Features> {
    if !term.of_biosample() || rows.biosamples.len() == 1 {
        let features = maker.make(term, &rows.biosamples[0])?;
        return Ok(by_row(&features, &rows.example));
    }
    let of: Vec<Features> = rows
        .biosamples
        .iter()
        .map(|b| maker.make(term, b))
        .collect::<Result<_, _>>()?;
    let mut values = Vec::new();
    for (example, biosample) in rows.example.iter().zip(&rows.biosample) {
        values.extend_from_slice(of[*biosample].row(*example));
    }
    Ok(Features {
        columns: of[0].columns.clone(),
        values,
        reduce_to: of[0].reduce_to,
    })
}

/// A row of the table that is to be filled.
struct Spec {
    name: String,
    kind: RowKind,
    learner: Option<Learner>,
    features: Option<Computed>,
    parameters: Option<super::Parameters>,
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
struct Scored {
    row: RowResult,
    predictions: Vec<f64>,
    replicates: Vec<[Option<f64>; 4]>,
}

/// What all rows of the table share.
struct Scorer<'a> {
    rows: &'a Rows,
    settings: &'a RunSettings,
    n_folds: usize,
    kind: FoldKind,
    fold: Vec<usize>,
    unit: Vec<usize>,
    /// The rows that are predicted, and their labels.
    tested: Vec<usize>,
    labels: Vec<f64>,
    replicates: Replicates,
}

impl<'a> Scorer<'a> {
    fn new(rows: &'a Rows, folds: &Folds, settings: &'a RunSettings) -> Self {
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

    fn n_positive(&self, labels: &[f64]) -> Option<usize> {
        let count = || labels.iter().filter(|l| **l > 0.5).count();
        (self.rows.target == Target::Classification).then(count)
    }

    /// What every row of the run has, beside the predictions.
    fn columns(&self) -> Vec<(String, Vec<f64>)> {
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

    fn notes(&self) -> Vec<String> {
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

    fn score(&self, spec: &Spec) -> crate::Result<Scored> {
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

impl Rows {
    /// Whether each example is positive in one of the run's biosamples.
    fn examples_positive(&self) -> Vec<bool> {
        let mut positive = vec![false; self.examples.len()];
        for (row, example) in self.example.iter().enumerate() {
            positive[*example] |= self.label[row] > 0.5;
        }
        positive
    }
}
