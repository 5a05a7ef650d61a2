//! `persea task run` on tables whose columns are the features.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::formats::write_text;
use persea::tasks::{
    RunSettings, TableOutcome, TablePredictor, TablePreset, TableSettings, TableTest, run_table,
};
use persea::vocabulary::Vocabulary;
use serde_json::json;

use super::result::{print_result, with_bar};
use crate::cli::output::{Format, Table, measure, print_json, print_line};
use crate::cli::{Common, Misuse};

/// Options of tasks on tables.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options for tables")]
pub struct Tables {
    /// Table of labelled examples to learn from (TSV or CSV, also gzipped)
    #[arg(long, value_name = "FILE", conflicts_with = "predictor")]
    train: Option<PathBuf>,
    /// Table of other examples: the predictor is scored on it if it has labels
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Use this predictor, which --save-predictor wrote, instead of learning one
    #[arg(long, value_name = "FILE", requires = "test")]
    predictor: Option<PathBuf>,
    /// Write the predictor to this file, as JSON
    #[arg(long, value_name = "FILE", requires = "train")]
    save_predictor: Option<PathBuf>,
    /// Write the predictions for --test to this file, as TSV
    #[arg(long, value_name = "FILE", requires = "test")]
    predictions: Option<PathBuf>,
}

impl Tables {
    /// Whether the run is one on tables.
    pub fn given(&self) -> bool {
        self.train.is_some() || self.predictor.is_some() || self.test.is_some()
    }

    /// Refuses what a run on tables has no use for, and finds the preset.
    fn preset(&self, settings: &RunSettings) -> Result<TablePreset, Misuse> {
        let preset = TablePreset::from_name(&settings.task).ok_or_else(|| {
            Misuse(format!(
                "`{}` is no preset of tables; with --train, --predictor or --test the task is one of {}",
                settings.task,
                names::<TablePreset>()
            ))
        })?;
        let plain = RunSettings {
            task: settings.task.clone(),
            folds: settings.folds.clone(),
            bootstrap: settings.bootstrap,
            partitions: settings.partitions,
            seed: settings.seed,
            ..RunSettings::default()
        };
        if plain != *settings {
            return Err(Misuse(
                "of the other options, a run on tables takes --n-folds, --partitions, --bootstrap, \
                 --seed and --no-store only"
                    .into(),
            ));
        }
        Ok(preset)
    }
}

fn names<T: Vocabulary>() -> String {
    let names: Vec<&str> = T::ENTRIES.iter().map(|entry| entry.name).collect();
    names.join(", ")
}

/// Runs the command.
pub fn run(
    tables: &Tables,
    settings: &RunSettings,
    store: bool,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let preset = tables.preset(settings)?;
    let (trained, test) = match (&tables.train, &tables.predictor, &tables.test) {
        (Some(train), ..) => {
            let table = TableSettings {
                preset,
                train: train.clone(),
                test: tables.test.clone(),
            };
            // Before the work, so that a wrong path does not cost it.
            let database = match store && common.db.is_some() {
                true => Some(common.open()?),
                false => None,
            };
            let mut outcome = with_bar(|on_event| run_table(settings, &table, on_event))?;
            let id = database.map(|d| outcome.store(&d)).transpose()?;
            let test = outcome.test.take();
            (Some((outcome, id)), test)
        }
        (None, Some(path), Some(test)) => {
            let predictor = TablePredictor::read(path)?;
            if predictor.preset != preset {
                anyhow::bail!(
                    "{} is a predictor of the preset {}, not {}",
                    path.display(),
                    predictor.preset.name(),
                    preset.name()
                );
            }
            (None, Some(predictor.test(test, settings)?))
        }
        _ => {
            return Err(Misuse(
                "--test needs --train FILE to learn from, or --predictor FILE".into(),
            )
            .into());
        }
    };
    if let (Some(path), Some((outcome, _))) = (&tables.save_predictor, &trained) {
        outcome.predictor.write(path)?;
    }
    if let (Some(path), Some(test)) = (&tables.predictions, &test) {
        write_text(path, &predictions(test).to_tsv()?)?;
    }
    print(trained.as_ref(), test.as_ref(), common)?;
    if store && tables.train.is_some() && common.db.is_none() {
        eprintln!("note: not stored, as no database was given (--db)");
    }
    Ok(ExitCode::SUCCESS)
}

fn print(
    trained: Option<&(TableOutcome, Option<i64>)>,
    test: Option<&TableTest>,
    common: &Common,
) -> anyhow::Result<()> {
    let id = trained.and_then(|(_, id)| *id);
    if common.format == Format::Json {
        return Ok(print_json(&json!({
            "run": id,
            "result": trained.map(|(o, _)| &o.outcome.result),
            "predictor": trained.map(|(o, _)| &o.predictor),
            "test": test.map(|t| json!({
                "result": t.result,
                "n": t.predictions.len(),
                "notes": t.notes,
            })),
        }))?);
    }
    if let Some((outcome, _)) = trained {
        print_result(id, &outcome.outcome.result, common.format)?;
    }
    let Some(test) = test else {
        return Ok(());
    };
    match &test.result {
        Some(result) => {
            if common.format == Format::Table {
                let (name, n) = (&result.primary, result.n);
                print_line(format_args!(
                    "\nthe predictor on the test table ({n} examples; {name})"
                ))?;
            }
            print_result(None, result, common.format)
        }
        None => {
            eprintln!(
                "the test table has no labels: its {} predictions are not scored",
                test.predictions.len()
            );
            test.notes.iter().for_each(|note| eprintln!("note: {note}"));
            Ok(())
        }
    }
}

fn predictions(test: &TableTest) -> Table {
    let mut table = Table::new(&["line", "example", "cell_type", "label", "probability"]);
    for p in &test.predictions {
        table.row(vec![
            json!(p.line),
            json!(p.example),
            json!(p.cell_type),
            measure(p.label),
            json!(p.probability),
        ]);
    }
    table
}
