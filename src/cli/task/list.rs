//! `persea task list`, `show`, `runs`.

use std::process::ExitCode;

use persea::tasks::RunResult;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::cli::output::{Format, Table, measure, print_json, print_line};

/// Lists all tasks.
pub fn list(common: &Common) -> anyhow::Result<ExitCode> {
    let mut table = Table::new(&["task", "kind", "examples", "biosamples", "imported"]);
    for task in common.open()?.list_tasks()? {
        let names: Vec<&str> = task.labels.iter().map(|l| l.biosample.as_str()).collect();
        table.row(vec![
            json!(task.name),
            json!(task.kind),
            json!(task.n_examples),
            match common.format {
                Format::Json => json!(names),
                _ => json!(names.join(", ")),
            },
            json!(task.imported),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a task.
pub fn show(name: &str, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let task = database.read_task(name)?;
    let label = |l: &persea::store::LabelInfo| json!({"biosample": l.biosample, "unit": l.unit, "labels": l.n});
    if common.format == Format::Json {
        print_json(&json!({
            "task": task.name, "kind": task.kind, "examples": task.n_examples,
            "labels": task.labels.iter().map(label).collect::<Vec<_>>(),
            "sources": task.sources, "checksum": task.checksum, "imported": task.imported,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if common.format == Format::Table {
        print_line(format_args!(
            "{}: {}, {} examples, imported {}",
            task.name, task.kind, task.n_examples, task.imported
        ))?;
        for source in task.sources.as_array().into_iter().flatten() {
            let text = |key: &str| source[key].as_str().unwrap_or("unknown").to_string();
            print_line(format_args!(
                "from {} (BLAKE3 {})",
                text("file"),
                text("checksum")
            ))?;
        }
    }
    let mut table = Table::new(&["biosample", "unit", "labels"]);
    for l in &task.labels {
        table.row(vec![json!(l.biosample), json!(l.unit), json!(l.n)]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists all runs.
pub fn runs(common: &Common) -> anyhow::Result<ExitCode> {
    let mut table = Table::new(&[
        "run", "task", "train", "test", "learner", "folds", "best", "measure", "value", "created",
    ]);
    for run in common.open()?.list_runs()? {
        let result = match serde_json::from_value::<RunResult>(run.result.clone()) {
            Ok(result) => Some(result),
            Err(e) => {
                eprintln!("run {}: its result cannot be read: {e}", run.id);
                None
            }
        };
        let list = |key: &str| {
            let names = run.settings[key].as_array().into_iter().flatten();
            let names: Vec<&str> = names.filter_map(Value::as_str).collect();
            names.join(", ")
        };
        let best = result.as_ref().and_then(|r| {
            let of = |row: &persea::tasks::RowResult| row.measures.get(&r.primary)?.value;
            let rows = r.rows.iter().filter_map(|row| Some((of(row)?, row)));
            rows.max_by(|a, b| a.0.total_cmp(&b.0))
        });
        table.row(vec![
            json!(run.id),
            json!(run.task),
            json!(list("train_biosamples")),
            json!(list("test_biosamples")),
            run.settings["learner"].clone(),
            json!(result.as_ref().map(|r| r.fold_kind.name())),
            json!(best.as_ref().map(|b| b.1.name.as_str())),
            json!(result.as_ref().map(|r| r.primary.as_str())),
            measure(best.map(|b| b.0)),
            json!(run.created),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
