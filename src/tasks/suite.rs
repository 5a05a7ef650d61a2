//! Suites: tasks × biosamples × feature sets × learners × seeds from one small file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::{MatrixSource, Pooling};
use super::folds::FoldSettings;
use super::import::{ImportOptions, ImportReport, LabelColumns, file_checksum, import};
use super::run::{Inputs, Made, run_sharing};
use super::settings::{GeneWindow, RunSettings, Threshold};
use super::{Calibration, FeatureSet, Learner, RunResult, Target, TaskError, TaskKind};
use crate::files::read_text;
use crate::store::Database;

/// The suites that ship with Persea: their names, and their files.
pub const fn shipped_suites() -> [(&'static str, &'static str); 3] {
    [
        ("pilot", include_str!("suites/pilot.toml")),
        ("published", include_str!("suites/published.toml")),
        ("targetfinder", include_str!("suites/targetfinder.toml")),
    ]
}

/// A suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// What it is called.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub about: String,
    /// Labels to import first, unless they are in already.
    #[serde(default)]
    pub import: Vec<SuiteImport>,
    /// What to run.
    pub run: Vec<SuiteItem>,
}

/// Labels that a suite needs. Paths are relative to the suite's data folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteImport {
    /// What is labelled.
    pub kind: TaskKind,
    /// The files.
    pub files: Vec<PathBuf>,
    /// The task's name; the kind's by default.
    pub name: Option<String>,
    /// The biosample that all labels are of.
    pub biosample: Option<String>,
    /// Names in the files and in the database (`IMR90=E017`).
    #[serde(default)]
    pub rename: Vec<String>,
    /// The columns of labels.
    #[serde(default)]
    pub label_columns: Vec<String>,
    /// Other columns (`start=hg19_start`).
    #[serde(default)]
    pub columns: String,
    /// What the numbers are.
    pub unit: Option<String>,
    /// Of a `.npy`, as many rows.
    pub rows: Option<usize>,
}

/// Runs of one task: all combinations of what it lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteItem {
    /// The task.
    pub task: String,
    /// The biosamples, each by itself; all that have labels by default.
    #[serde(default)]
    pub biosamples: Vec<String>,
    /// Across biosamples: learn from these …
    #[serde(default)]
    pub train_biosamples: Vec<String>,
    /// … and predict these.
    #[serde(default)]
    pub test_biosamples: Vec<String>,
    /// The feature sets, compared within one run.
    pub features: Vec<FeatureSet>,
    /// The learners, a run each.
    #[serde(default = "gbm_alone")]
    pub learners: Vec<Learner>,
    /// The seeds, a run each.
    #[serde(default = "seed_0")]
    pub seeds: Vec<u64>,
    /// The folds, a run each; `auto` by default.
    #[serde(default = "auto_folds")]
    pub folds: Vec<FoldSettings>,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// As in a run.
    pub target: Option<Target>,
    /// As in a run.
    pub threshold: Option<Threshold>,
    /// As in a run.
    #[serde(default = "mean_alone")]
    pub pooling: Vec<Pooling>,
    /// As in a run.
    #[serde(default)]
    pub assays: Vec<String>,
    /// As in a run; paths are relative to the suite's data folder.
    #[serde(default)]
    pub matrices: Vec<MatrixSource>,
    /// As in a run; relative likewise.
    pub cpg: Option<PathBuf>,
    /// As in a run.
    #[serde(default)]
    pub tune: bool,
    /// As in a run.
    #[serde(default)]
    pub calibrate: Calibration,
    /// As in a run.
    pub select: Option<usize>,
    /// As in a run.
    #[serde(default)]
    pub importance: bool,
    /// As in a run.
    #[serde(default)]
    pub inductive: bool,
    /// A gene's window by its name; `symmetric` by default.
    pub window: Option<GeneWindow>,
    /// As in a run, instead of a named window.
    pub upstream_bins: Option<u64>,
    /// As in a run; as many as upstream by default.
    pub downstream_bins: Option<u64>,
    /// As in a run.
    pub partitions: Option<usize>,
    /// As in a run.
    pub reference: Option<FeatureSet>,
    /// As in a run.
    pub bootstrap: Option<usize>,
}

fn gbm_alone() -> Vec<Learner> {
    vec![Learner::Gbm]
}

fn seed_0() -> Vec<u64> {
    vec![0]
}

fn auto_folds() -> Vec<FoldSettings> {
    vec![FoldSettings::default()]
}

fn mean_alone() -> Vec<Pooling> {
    vec![Pooling::Mean]
}

/// A run of a suite, and what became of it.
#[derive(Debug, Clone)]
pub struct SuiteRun {
    /// Its settings.
    pub settings: RunSettings,
    /// The run's number and result, or why there is none.
    pub outcome: Result<(i64, RunResult), String>,
    /// Whether it had been done before.
    pub done_before: bool,
}

/// What a suite tells while it runs.
#[derive(Debug, Clone)]
pub enum SuiteEvent {
    /// Labels have been imported.
    Imported(Box<ImportReport>),
    /// So many runs are to be done.
    Begun(usize),
    /// One is done: how many are, of how many.
    Done(usize, usize),
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// When the text is not TOML, or has what a suite has not; the line is named.
    pub fn parse(text: &str, path: &Path) -> Result<Self, TaskError> {
        toml::from_str(text).map_err(|e| TaskError::file(path, e.to_string()))
    }

    /// The settings of every run.
    ///
    /// # Errors
    /// When a task does not exist.
    pub fn runs(
        &self,
        database: &Database,
        data: &Path,
        model: Option<&str>,
    ) -> crate::Result<Vec<RunSettings>> {
        let mut all = Vec::new();
        for item in &self.run {
            let across = !item.train_biosamples.is_empty() || !item.test_biosamples.is_empty();
            let biosamples: Vec<(Vec<String>, Vec<String>)> = if across {
                vec![(item.train_biosamples.clone(), item.test_biosamples.clone())]
            } else {
                let mut names = item.biosamples.clone();
                if names.is_empty() {
                    let task = database.read_task(&item.task)?;
                    names = task.labels.into_iter().map(|l| l.biosample).collect();
                }
                names
                    .into_iter()
                    .map(|b| (vec![b.clone()], vec![b]))
                    .collect()
            };
            for (train, test) in &biosamples {
                for learner in &item.learners {
                    for folds in &item.folds {
                        for seed in &item.seeds {
                            let settings = item.settings(data, model, train, test);
                            all.push(RunSettings {
                                learner: *learner,
                                folds: folds.clone(),
                                seed: *seed,
                                ..settings
                            });
                        }
                    }
                }
            }
        }
        for item in &self.run {
            if item.window.is_some() && (item.upstream_bins, item.downstream_bins) != (None, None) {
                return Err(TaskError::Settings(
                    "a run's window has a name or numbers of bins, not both".into(),
                )
                .into());
            }
        }
        for settings in &all {
            settings.check()?;
        }
        Ok(all)
    }
}

impl SuiteItem {
    fn settings(
        &self,
        data: &Path,
        model: Option<&str>,
        train: &[String],
        test: &[String],
    ) -> RunSettings {
        let matrix = |m: &MatrixSource| MatrixSource {
            path: data.join(&m.path),
            ..m.clone()
        };
        let defaults = RunSettings::default();
        let (upstream, downstream) = self.window.unwrap_or(GeneWindow::Symmetric).bins();
        let upstream_bins = self.upstream_bins.unwrap_or(upstream);
        let downstream_bins = match (self.downstream_bins, self.upstream_bins) {
            (Some(n), _) | (None, Some(n)) => n,
            (None, None) => downstream,
        };
        RunSettings {
            task: self.task.clone(),
            train_biosamples: train.to_vec(),
            test_biosamples: test.to_vec(),
            features: self.features.clone(),
            model: self.model.clone().or(model.map(str::to_string)),
            target: self.target,
            threshold: self.threshold,
            pooling: self.pooling.clone(),
            assays: self.assays.clone(),
            matrices: self.matrices.iter().map(matrix).collect(),
            cpg: self.cpg.as_ref().map(|p| data.join(p)),
            tune: self.tune,
            calibrate: self.calibrate,
            select: self.select,
            importance: self.importance,
            inductive: self.inductive,
            upstream_bins,
            downstream_bins,
            partitions: self.partitions,
            reference: self.reference.clone(),
            bootstrap: self.bootstrap.unwrap_or(defaults.bootstrap),
            ..defaults
        }
    }
}

/// Imports what a suite needs and carries out its runs, side by side; runs that need the same
/// features make them once. Those that are stored
/// already are not done again, so that a suite that was stopped goes on. A run that fails is reported
/// and does not end the suite.
///
/// # Errors
/// When labels cannot be imported, a task does not exist, or `stop` was set: what is done is stored.
pub fn run_suite(
    database: &Database,
    suite: &Suite,
    data: &Path,
    model: Option<&str>,
    stop: &AtomicBool,
    on_event: &(dyn Fn(SuiteEvent) + Sync),
) -> crate::Result<Vec<SuiteRun>> {
    for labels in &suite.import {
        if let Some(report) = import_once(database, labels, data)? {
            on_event(SuiteEvent::Imported(Box::new(report)));
        }
    }
    let runs = suite.runs(database, data, model)?;
    on_event(SuiteEvent::Begun(runs.len()));
    let done = std::sync::atomic::AtomicUsize::new(0);
    let n = runs.len();
    let outcomes: Vec<Option<SuiteRun>> = alike(runs)
        .into_par_iter()
        .with_max_len(1)
        .map(|group| {
            let mut made = Made::new();
            let mut of_group = Vec::new();
            for settings in group {
                if stop.load(Ordering::SeqCst) {
                    of_group.push(None);
                    continue;
                }
                of_group.push(Some(one(database, settings, &mut made)));
                on_event(SuiteEvent::Done(done.fetch_add(1, Ordering::SeqCst) + 1, n));
            }
            of_group
        })
        .flatten_iter()
        .collect();
    if outcomes.iter().any(Option::is_none) {
        return Err(TaskError::Stopped.into());
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// Runs in groups that need the same features, each in the order in which they came.
fn alike(runs: Vec<RunSettings>) -> Vec<Vec<RunSettings>> {
    let features_of = |settings: &RunSettings| RunSettings {
        learner: Learner::Gbm,
        folds: FoldSettings::default(),
        seed: 0,
        ..settings.clone()
    };
    let mut groups: Vec<(RunSettings, Vec<RunSettings>)> = Vec::new();
    for settings in runs {
        let of = features_of(&settings);
        match groups.iter_mut().find(|(group, _)| *group == of) {
            Some((_, group)) => group.push(settings),
            None => groups.push((of, vec![settings])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn one(database: &Database, settings: RunSettings, made: &mut Made) -> SuiteRun {
    let mut attempt = || -> crate::Result<(i64, RunResult, bool)> {
        let inputs = Inputs::open(database, &settings)?;
        let key = settings.key(&inputs.checksums).map_err(TaskError::from)?;
        // A result that another version wrote otherwise is made anew.
        if let Some(stored) = database.find_run(&key)?
            && let Ok(result) = serde_json::from_value(stored.result)
        {
            return Ok((stored.id, result, true));
        }
        let outcome = run_sharing(database, &settings, made, &mut |_| {})?;
        let id = outcome.store(database)?;
        Ok((id, outcome.result, false))
    };
    let (outcome, done_before) = match attempt() {
        Ok((id, result, before)) => (Ok((id, result)), before),
        Err(e) => (Err(e.to_string()), false),
    };
    SuiteRun {
        settings,
        outcome,
        done_before,
    }
}

/// Imports labels unless a task of that name was read from the same files.
fn import_once(
    database: &Database,
    labels: &SuiteImport,
    data: &Path,
) -> crate::Result<Option<ImportReport>> {
    let files: Vec<PathBuf> = labels.files.iter().map(|f| data.join(f)).collect();
    let name = labels
        .name
        .clone()
        .unwrap_or_else(|| labels.kind.name().to_string());
    let stored = database.list_tasks()?.into_iter().find(|t| t.name == name);
    if let Some(task) = &stored {
        let before: Vec<String> = task
            .sources
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|s| Some(s["checksum"].as_str()?.to_string()))
            .collect();
        let mut now = Vec::new();
        for file in &files {
            now.push(file_checksum(file)?);
        }
        if before == now {
            return Ok(None);
        }
    }
    let pair = |text: &String| {
        text.split_once('=')
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .ok_or_else(|| TaskError::Settings(format!("`{text}` renames nothing")))
    };
    let options = ImportOptions {
        name: Some(name),
        biosample: labels.biosample.clone(),
        rename: labels.rename.iter().map(pair).collect::<Result<_, _>>()?,
        label_columns: labels.label_columns.clone(),
        columns: LabelColumns::parse(&labels.columns)?,
        unit: labels.unit.clone(),
        rows: labels.rows,
        replace: stored.is_some(),
        ..ImportOptions::default()
    };
    import(database, labels.kind, &files, &options).map(Some)
}

impl Suite {
    /// Reads a suite by its path, or one that ships (`pilot`, `published`, `targetfinder`) by its name; the folder
    /// that its paths are relative to unless the user says otherwise.
    ///
    /// # Errors
    /// When there is neither, or it is not a suite.
    pub fn open(name: &Path) -> Result<(Self, PathBuf), TaskError> {
        let shipped = shipped_suites();
        if let Some((_, text)) = shipped.iter().find(|(n, _)| Path::new(n) == name) {
            return Ok((Suite::parse(text, name)?, PathBuf::from(".")));
        }
        let text = read_text(name)?;
        let folder = name
            .parent()
            .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Ok((Suite::parse(&text, name)?, folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suites_that_ship_are_suites() {
        for (name, text) in shipped_suites() {
            let suite = Suite::parse(text, Path::new(name)).unwrap();
            assert_eq!(suite.name, name);
            assert!(!suite.run.is_empty());
        }
        let wrong = Suite::parse("name = \"x\"\n[[run]]\ntasc = 1\n", Path::new("x.toml"));
        let message = wrong.unwrap_err().to_string();
        assert!(
            message.contains("tasc") && message.contains("x.toml"),
            "{message}"
        );
    }
}
