//! The predictions that a stored run keeps, with the names of what was predicted.

use super::{RunResult, TaskError};
use crate::store::{Database, Run};

/// What was predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedRow {
    /// The example's name.
    pub example: String,
    /// The biosample.
    pub biosample: String,
    /// 0 or 1, or a number.
    pub label: f64,
    /// The fold.
    pub fold: usize,
    /// The independent unit.
    pub unit: usize,
}

/// All predictions of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// What was predicted.
    pub rows: Vec<PredictedRow>,
    /// The feature sets and baselines.
    pub names: Vec<String>,
    /// One list a feature set, a number a row.
    pub values: Vec<Vec<f64>>,
}

/// The predictions of a run. Where its task has been replaced since, examples are numbered, not
/// named.
///
/// # Errors
/// When they are damaged.
pub fn predictions(database: &Database, run: &Run) -> crate::Result<Predictions> {
    let columns = database.run_columns(run)?;
    let find = |name: &str| {
        let found = columns.iter().find(|(n, _)| n == name);
        found
            .map(|(_, values)| values)
            .ok_or_else(|| TaskError::Settings(format!("run {} has no column `{name}`", run.id)))
    };
    let (example, biosample) = (find("example")?, find("biosample")?);
    let (label, fold, unit) = (find("label")?, find("fold")?, find("unit")?);
    let names = names_of(database, run)?;
    let list = |key: &str| {
        let names = run.settings[key].as_array().into_iter().flatten();
        let names: Vec<String> = names
            .filter_map(|n| Some(n.as_str()?.to_string()))
            .collect();
        names
    };
    let mut biosamples = list("train_biosamples");
    for name in list("test_biosamples") {
        if !biosamples.contains(&name) {
            biosamples.push(name);
        }
    }
    let row = |i: usize| PredictedRow {
        example: match names.as_ref().and_then(|n| n.get(example[i] as usize)) {
            Some(name) => name.clone(),
            None => format!("example {}", example[i]),
        },
        biosample: biosamples[biosample[i] as usize].clone(),
        label: label[i],
        fold: fold[i] as usize,
        unit: unit[i] as usize,
    };
    let lengths = [biosample.len(), label.len(), fold.len(), unit.len()];
    if lengths.iter().any(|n| *n != example.len()) {
        return Err(stored(run, "its columns differ in length").into());
    }
    if biosample
        .iter()
        .any(|b| !(0.0..biosamples.len() as f64).contains(b))
    {
        let why = "it has predictions of a biosample that it does not name";
        return Err(stored(run, why).into());
    }
    let rows = (0..example.len()).map(row).collect();
    let predicted = columns.iter().filter(|(name, _)| {
        !["example", "biosample", "label", "fold", "unit"].contains(&name.as_str())
    });
    let (names, values) = predicted.cloned().unzip();
    Ok(Predictions {
        rows,
        names,
        values,
    })
}

fn stored(run: &Run, why: impl Into<String>) -> TaskError {
    TaskError::Stored {
        run: run.id,
        why: why.into(),
    }
}

/// The names of the task's examples, if it is still the one that was run.
fn names_of(database: &Database, run: &Run) -> crate::Result<Option<Vec<String>>> {
    let result: RunResult = serde_json::from_value(run.result.clone())
        .map_err(|e| stored(run, format!("its result: {e}")))?;
    let known = database.list_tasks()?;
    let same = known.iter().find(|t| {
        let checksum = result
            .inputs
            .iter()
            .find(|(n, _)| *n == format!("task {}", t.name));
        t.name == run.task && checksum.is_some_and(|(_, c)| *c == t.checksum)
    });
    Ok(match same {
        Some(task) => Some(
            database
                .task_examples(task)?
                .into_iter()
                .map(|e| e.name)
                .collect(),
        ),
        None => None,
    })
}
