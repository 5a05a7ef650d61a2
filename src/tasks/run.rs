//! A run: features, folds, learners, scores; stored, and repeated.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::baselines::{baselines, by_row};
use super::compare::{self, compare, family_size};
use super::features::{Computed, CpgIslands, Features, Maker, Request, Term, UserMatrix};
use super::folds::Folds;
use super::leakage::{check_model, check_tracks};
use super::outcome::{Outcome, Progress, family_note};
use super::result::{RowKind, RunResult};
use super::rows::Rows;
use super::score::within_name;
use super::scorer::{Scored, Scorer, Spec};
use super::settings::RunSettings;
use super::table_task::{checksums, run_table};
use super::{Target, TaskError};
use crate::model::TrainedModel;
use crate::store::{Database, Run, Track};

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
            true => Some(TrainedModel::open_embedding(
                database,
                settings.model.as_deref(),
            )?),
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

/// Runs a benchmark; nothing is stored. `progress` receives how far it is.
///
/// ```
/// use persea::tasks::{ImportOptions, Learner, RunSettings, TaskKind, import, run};
/// # use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
/// # use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
/// # use persea::store::{Database, NewDatabase};
/// # let folder = tempfile::tempdir()?;
/// # let simulation = Simulation::new(SimulationConfig::default())?;
/// # let files = folder.path().join("simulated");
/// # simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
/// # let parts = NewDatabase {
/// #     axis: simulation.axis().clone(),
/// #     mask: simulation.mask(),
/// #     genes: simulation.genes(),
/// #     enhancers: simulation.enhancers(),
/// # };
/// # let database = Database::create(&folder.path().join("example.persea"), &parts)?;
/// # let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
/// # ingest(&database, &manifest, &IngestOptions::default())?;
///
/// let labels = [files.join("expression.tsv")];
/// import(&database, TaskKind::Expression, &labels, &ImportOptions::default())?;
/// let settings = RunSettings {
///     task: "expression".into(),
///     train_biosamples: vec!["S1".into()],
///     test_biosamples: vec!["S1".into()],
///     features: vec!["signal".parse()?],
///     learner: Learner::Logistic,
///     bootstrap: 100,
///     ..RunSettings::default()
/// };
/// let outcome = run(&database, &settings, &mut |_| {})?;
/// let signal = outcome.result.rows.iter().find(|row| row.name == "signal");
/// let measured = signal.ok_or("asked for above")?.measures[&outcome.result.primary];
/// assert!(measured.value.is_some_and(|v| (0.0..=1.0).contains(&v)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When settings contradict themselves, features would leak the label or cannot be made, labels
/// cannot be learned, or folds cannot be made of them.
pub fn run(
    database: &Database,
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<Outcome> {
    run_sharing(database, settings, &mut Made::new(), progress)
}

/// Features that have been made, by term.
pub(crate) type Made = HashMap<Term, Arc<Features>>;

/// A run that takes those features that are made already and leaves behind those that it makes:
/// for runs that differ in nothing but learner, folds, seed and replicates.
pub(crate) fn run_sharing(
    database: &Database,
    settings: &RunSettings,
    made: &mut Made,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<Outcome> {
    if let Some(table) = &settings.table {
        return Ok(run_table(settings, table, progress)?.outcome);
    }
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
    make_terms(database, &settings, &inputs, &rows, made, progress)?;
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
                terms: set.terms.iter().map(|t| Arc::clone(&made[t])).collect(),
            }),
            parameters: None,
            fixed: None,
        })
        .collect();
    let basis = baselines(
        &rows,
        &genes,
        inputs.islands.as_ref(),
        settings.learner,
        settings.promoter_frequency,
    );
    specs.extend(basis.into_iter().map(Spec::from));
    let n_specs = specs.len();
    let reference = reference(&settings);
    let n_tests = family_size(settings.features.len(), reference.is_some());
    let scorer = Scorer::new(&rows, &folds, &settings, classes, n_tests);
    let (mut scored, mut notes) = (Vec::new(), scorer.notes());
    notes.extend(specs.iter().filter_map(missing_note));
    for (i, spec) in specs.iter().enumerate() {
        progress(Progress::Row(spec.name.clone(), i, n_specs));
        match scorer.score(spec) {
            Ok(row) => scored.push(row),
            // Such as labels elsewhere that are all equal: the feature sets are still worth a run.
            Err(e) if spec.kind == RowKind::Baseline => {
                notes.push(format!("baseline {} is left out: {e}", spec.name));
            }
            Err(e) => return Err(e),
        }
    }
    let primary = rows.target.primary();
    let compared: Vec<compare::Row<'_>> = scored.iter().map(Scored::to_compare).collect();
    let tested = [(primary, 0), (within_name(rows.target), 4)];
    let n_units = scorer.replicates.n_units();
    let n_informative = scorer.n_informative;
    let (comparisons, family) = compare(&compared, tested, n_informative, reference.as_deref());
    notes.extend(family_note(&family));
    notes.extend(reach_note(&settings));
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
        n_units,
        n_partitions: scorer.n_partitions(),
        primary: primary.to_string(),
        model: model.map(|m| (m.record().name.clone(), m.stored().checksum.clone())),
        left_out: rows.left_out.clone(),
        rows: scored.into_iter().map(|s| s.row).collect(),
        comparisons,
        family: Some(family),
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

/// The feature set that the others are compared with: the one that was named, else own signal, with
/// the embedding's reach where the run has it.
fn reference(settings: &RunSettings) -> Option<String> {
    let names: Vec<String> = settings.features.iter().map(|f| f.to_string()).collect();
    let own = || ["signal-scales", "signal"].into_iter().map(str::to_string);
    match &settings.reference {
        Some(set) => Some(set.to_string()),
        None => own().find(|name| names.contains(name)),
    }
}

/// How many examples of a feature set lack a feature, because a track has no data in their window.
fn missing_note(spec: &Spec) -> Option<String> {
    let features = spec
        .features
        .as_ref()
        .filter(|_| spec.kind == RowKind::Features)?;
    let n_rows = features.terms.iter().map(|t| t.n_rows()).max()?;
    let lacks = |row: &usize| {
        let mut values = features.terms.iter().flat_map(|t| t.row(*row));
        values.any(|v| v.is_nan())
    };
    let n = (0..n_rows).filter(lacks).count();
    (n > 0).then(|| {
        format!(
            "{}: {n} of {n_rows} examples lack a feature, where a track has no data; it counts as its mean \
             over the fold's training examples, or as missing to learners that know what that is",
            spec.name
        )
    })
}

/// A comparison of an embedding with signal that reaches less far is one of windows, too.
fn reach_note(settings: &RunSettings) -> Option<String> {
    let has = |wanted: &dyn Fn(&Term) -> bool| {
        let mut terms = settings.features.iter().flat_map(|f| &f.terms);
        terms.any(wanted)
    };
    let like = |t: &Term| {
        matches!(
            t,
            Term::SignalScales | Term::AllSignalScales | Term::SignalComponents
        )
    };
    (has(&Term::reaches_beyond) && !has(&like)).then(|| {
        "embedding and hidden know the 250 bp and 5 kbp around each bin, signal only the window: \
         compare them with signal-scales and signal-components"
            .into()
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
    let settings: RunSettings =
        serde_json::from_value(run_stored.settings.clone()).map_err(|e| TaskError::Stored {
            run: run_stored.id,
            why: format!("its settings: {e}"),
        })?;
    let now = match &settings.table {
        Some(table) => checksums(table)?,
        None => Inputs::open(database, &settings)?.checksums,
    };
    let before: Vec<(String, String)> = serde_json::from_value(run_stored.result["inputs"].clone())
        .map_err(|e| TaskError::Stored {
            run: run_stored.id,
            why: format!(
                "it does not name the labels, model and tracks that it read ({e}). They may have changed \
                 since, so it is not repeated"
            ),
        })?;
    if before.is_empty() {
        return Err(TaskError::Stored {
            run: run_stored.id,
            why:
                "it names nothing that it read, not even its task: it is damaged, and not repeated"
                    .into(),
        }
        .into());
    }
    for (name, checksum) in &before {
        match now.iter().find(|(n, _)| n == name) {
            Some((_, now)) if now == checksum => {}
            other => {
                return Err(TaskError::Changed {
                    run: run_stored.id,
                    what: name.clone(),
                    change: match other {
                        Some(_) => "has changed",
                        None => "has been removed",
                    },
                }
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
                "task {} has labels of {}; name one by option `biosample`",
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
    made: &mut Made,
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<()> {
    let request = Request {
        biosamples: rows.biosamples.clone(),
        assays: settings.assays.clone(),
        poolings: settings.pooling.clone(),
        reach: settings.reach(),
    };
    let mut maker = None;
    for term in settings.features.iter().flat_map(|f| &f.terms) {
        if made.contains_key(term) {
            continue;
        }
        progress(Progress::Features(term.to_string()));
        let features = if let Term::Published(name) = term {
            of_matrix(name, settings, inputs, rows)?
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
    Ok(())
}

fn of_matrix(
    name: &str,
    settings: &RunSettings,
    inputs: &Inputs,
    rows: &Rows,
) -> crate::Result<Features> {
    let Some(matrix) = inputs.matrices.iter().find(|m| m.name == name) else {
        let known: Vec<&str> = inputs.matrices.iter().map(|m| m.name.as_str()).collect();
        return Err(TaskError::Settings(match known.is_empty() {
            true => "feature set `published` needs a matrix (option `matrix`)".into(),
            false => format!(
                "there is no matrix `{name}`; those given are {}",
                known.join(", ")
            ),
        })
        .into());
    };
    if matrix.n_rows != rows.all.len() {
        let source = settings.matrices.iter().find(|m| m.name == name);
        return Err(TaskError::Features(format!(
            "{} has {} rows, the task {} examples: they must agree row by row (of labels in an \
             array, option `rows` of the import takes the first of them)",
            source.map_or(name.to_string(), |m| m.path.display().to_string()),
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
        counted: None,
    })
}
