//! `persea select list`, `show`, `repeat` and `remove`.

use std::path::Path;
use std::process::ExitCode;

use persea::selection::{select, stored};
use serde_json::{Value, json};

use super::super::Common;
use super::super::output::{Format, Table, print_json};
use super::print;

/// All that are stored.
pub fn list(common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let mut table = Table::new(&["selection", "created", "kind", "objective", "n_chosen", "model"]);
    for selection in database.selections()? {
        let result = &selection.result;
        let n_chosen = result["chosen"].as_array().map_or(0, Vec::len);
        table.row(vec![
            json!(selection.id),
            json!(selection.created),
            json!(selection.kind),
            result["objective"].clone(),
            json!(n_chosen),
            result["model"].clone(),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// One of them.
pub fn show(id: i64, plot: Option<&Path>, common: &Common) -> anyhow::Result<ExitCode> {
    if let Some(path) = plot {
        print::check_figure(path)?;
    }
    let database = common.open()?;
    let (_, answer) = stored(&database.selection(id)?)?;
    if let Some(path) = plot {
        print::draw(&answer, path)?;
    }
    print::answer(&answer, Some(id), common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Chooses again. The exit status is 1 when something else comes out.
pub fn repeat(id: i64, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let (request, before) = stored(&database.selection(id)?)?;
    let now = select(Some(&database), &request)?;
    let is_same = now == before;
    let names = |answer: &persea::selection::Answer| -> Vec<Value> {
        answer.chosen.iter().map(|c| json!(c.name)).collect()
    };
    let why = match () {
        () if is_same => "the same numbers, to the bit",
        () if now.rests_on != before.rests_on => {
            "something else: the model or file that it rests on has changed since"
        }
        () if names(&now) == names(&before) => "the same choices, with other numbers",
        () => "something else: tracks have come or gone since, or another Persea chose",
    };
    if common.format == Format::Json {
        print_json(&json!({
            "selection": id,
            "same": is_same,
            "why": why,
            "chosen_before": names(&before),
            "chosen_now": names(&now),
        }))?;
    } else {
        print::answer(&now, None, common.format)?;
        eprintln!("selection {id} again: {why}");
    }
    Ok(match is_same {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Removes one.
pub fn remove(id: i64, common: &Common) -> anyhow::Result<ExitCode> {
    common.open()?.delete_selection(id)?;
    eprintln!("selection {id} removed");
    Ok(ExitCode::SUCCESS)
}
