//! Learners and scores of a table's examples, on folds of chromosomes.

use std::time::Instant;

use super::examples::Examples;
use super::preset::layout;
use crate::tasks::compare::{compare, family_size};
use crate::tasks::folds::Folds;
use crate::tasks::outcome::{Outcome, Progress, family_note};
use crate::tasks::result::{RowKind, RunResult};
use crate::tasks::rows::Rows;
use crate::tasks::score::within_name;
use crate::tasks::scorer::{Scored, Scorer, Spec};
use crate::tasks::settings::RunSettings;
use crate::tasks::table_settings::TablePreset;
use crate::tasks::{FoldKind, Target, TaskKind};

/// Folds of chromosomes, unless other settings are given.
const N_FOLDS: usize = 10;

/// What has to be beaten: the scores for which nothing is learned, and the prior.
pub(super) fn baselines(examples: &Examples) -> Vec<Spec> {
    let spec = |name: &str, fixed: Option<Vec<f64>>| Spec {
        name: name.into(),
        kind: RowKind::Baseline,
        learner: None,
        features: None,
        parameters: None,
        fixed,
    };
    let mut all = vec![spec("prior", None)];
    let scores = examples.scores.iter();
    all.extend(scores.map(|(name, values)| spec(name, Some(values.clone()))));
    all
}

/// Scores rows on folds of chromosomes.
pub(super) fn score(
    preset: TablePreset,
    settings: &RunSettings,
    examples: &Examples,
    labels: &[f64],
    specs: &[Spec],
    progress: &mut dyn FnMut(Progress),
) -> crate::Result<Outcome> {
    let n = examples.examples.len();
    let began = Instant::now();
    let rows = Rows {
        kind: TaskKind::Custom,
        target: Target::Classification,
        unit: layout(preset).unit.into(),
        threshold: None,
        examples: examples.examples.clone(),
        ids: (0..n as u32).collect(),
        biosamples: examples.cell_types.clone(),
        example: (0..n).collect(),
        biosample: examples.cell_type.clone(),
        label: labels.to_vec(),
        train: vec![true; n],
        test: vec![true; n],
        left_out: examples.left_out.clone(),
        elsewhere: None,
        all: examples.examples.clone(),
        labelled: vec![true; n],
    };
    let mut chromosomes: Vec<&str> = Vec::new();
    let mut unit = Vec::with_capacity(n);
    for example in &examples.examples {
        let chrom = example.place.as_ref().map_or("", |p| p.chrom.as_str());
        let known = chromosomes.iter().position(|c| *c == chrom);
        unit.push(known.unwrap_or(chromosomes.len()));
        if known.is_none() {
            chromosomes.push(chrom);
        }
    }
    let positive: Vec<bool> = labels.iter().map(|l| *l > 0.5).collect();
    let n_folds = settings.folds.n.unwrap_or(N_FOLDS.min(chromosomes.len()));
    let folds = Folds::of_units(FoldKind::Chromosomes, unit, Some(n_folds), Some(&positive))?;
    let n_sets = specs.iter().filter(|s| s.kind == RowKind::Features).count();
    let n_tests = family_size(n_sets, false);
    let scorer = Scorer::new(&rows, &folds, settings, Some(&positive), n_tests);
    let mut scored: Vec<Scored> = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        progress(Progress::Row(spec.name.clone(), i, specs.len()));
        scored.push(scorer.score(spec)?);
    }
    let compared: Vec<_> = scored.iter().map(Scored::to_compare).collect();
    let primary = rows.target.primary();
    let tested = [(primary, 0), (within_name(rows.target), 4)];
    let (comparisons, family) = compare(&compared, tested, scorer.n_informative, None);
    let mut notes = scorer.notes();
    notes.extend(family_note(&family));
    let mut columns = scorer.columns();
    let predictions = scored.iter();
    columns.extend(predictions.map(|s| (s.row.name.clone(), s.predictions.clone())));
    Ok(Outcome {
        settings: settings.clone(),
        result: RunResult {
            task: settings.task.clone(),
            kind: rows.kind,
            target: rows.target,
            unit: rows.unit.clone(),
            threshold: None,
            n,
            n_positive: scorer.n_positive(labels),
            fold_kind: folds.kind,
            n_folds: folds.n_folds,
            n_units: scorer.replicates.n_units(),
            n_partitions: scorer.n_partitions(),
            primary: primary.to_string(),
            model: None,
            left_out: rows.left_out.clone(),
            rows: scored.into_iter().map(|s| s.row).collect(),
            comparisons,
            family: Some(family),
            notes,
            inputs: Vec::new(),
            persea: env!("CARGO_PKG_VERSION").into(),
            seconds: began.elapsed().as_secs_f64(),
        },
        columns,
    })
}
