//! `persea select list`, `show`, `repeat` and `remove`.

use std::path::Path;
use std::process::ExitCode;

use persea::selection::{PositionAnswer, PositionRequest, select, select_positions, stored};
use persea::store::StoredSelection;
use serde_json::{Value, json};

use super::super::Common;
use super::super::names::Known;
use super::super::output::{Format, Table, print_json};
use super::{positions, print};

/// Lists stored selections.
pub fn list(common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let mut table = Table::new(&[
        "selection",
        "created",
        "kind",
        "objective",
        "n_chosen",
        "model",
    ]);
    for selection in database.selections()? {
        let result = &selection.result;
        let objective = match result["objective"].is_null() {
            true => json!("facility-location"),
            false => result["objective"].clone(),
        };
        let n_chosen = result["chosen"].as_array().map(Vec::len);
        table.row(vec![
            json!(selection.id),
            json!(selection.created),
            json!(selection.kind),
            objective,
            json!(n_chosen),
            result["model"].clone(),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a stored selection.
pub fn show(id: i64, plot: Option<&Path>, common: &Common) -> anyhow::Result<ExitCode> {
    if let Some(path) = plot {
        print::check_figure(path)?;
    }
    let database = common.open()?;
    let selection = database.selection(id)?;
    if selection.kind == "positions" {
        let (_, answer) = stored_positions(&selection)?;
        if let Some(path) = plot {
            positions::draw(&answer, path)?;
        }
        positions::answer(&answer, Some(id), common.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (_, answer) = stored(&selection)?;
    if let Some(path) = plot {
        print::draw(&answer, path)?;
    }
    let known = Known::of(&database)?;
    print::answer(&answer, Some(id), Some(&known), common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Chooses again. The exit status is 1 if the result differs.
pub fn repeat(id: i64, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let selection = database.selection(id)?;
    let report_repeat = |is_same: bool,
                         rests_on_same: bool,
                         before: Vec<Value>,
                         now: Vec<Value>| {
        let why = match () {
            () if is_same => "the same numbers, to the bit",
            () if !rests_on_same => {
                "a different result: the model or file that it used has changed"
            }
            () if now == before => "the same choices with different numbers",
            () => {
                "a different result: tracks or files have changed, or another version of Persea made the choice"
            }
        };
        eprintln!("selection {id} again: {why}");
        match common.format {
            Format::Json => print_json(&json!({
                "selection": id,
                "same": is_same,
                "why": why,
                "chosen_before": before,
                "chosen_now": now,
            })),
            _ => Ok(()),
        }
    };
    let is_same;
    if selection.kind == "positions" {
        let (request, before) = stored_positions(&selection)?;
        let now = select_positions(&database, &request)?;
        is_same = now == before;
        let names = |answer: &PositionAnswer| -> Vec<Value> {
            let chosen = answer.chosen.iter();
            chosen
                .map(|c| json!(format!("{}:{}-{}", c.chrom, c.start, c.end)))
                .collect()
        };
        if common.format != Format::Json {
            positions::answer(&now, None, common.format)?;
        }
        let rests_on_same = now.model_checksum == before.model_checksum;
        report_repeat(is_same, rests_on_same, names(&before), names(&now))?;
    } else {
        let (request, before) = stored(&selection)?;
        let now = select(Some(&database), &request)?;
        is_same = now == before;
        let names = |answer: &persea::selection::Answer| -> Vec<Value> {
            answer.chosen.iter().map(|c| json!(c.name)).collect()
        };
        if common.format != Format::Json {
            print::answer(&now, None, Some(&Known::of(&database)?), common.format)?;
        }
        report_repeat(
            is_same,
            now.rests_on == before.rests_on,
            names(&before),
            names(&now),
        )?;
    }
    Ok(match is_same {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn stored_positions(
    selection: &StoredSelection,
) -> anyhow::Result<(PositionRequest, PositionAnswer)> {
    Ok((
        serde_json::from_value(selection.settings.clone())?,
        serde_json::from_value(selection.result.clone())?,
    ))
}

/// Removes a stored selection.
pub fn remove(id: i64, common: &Common) -> anyhow::Result<ExitCode> {
    common.open()?.delete_selection(id)?;
    eprintln!("selection {id} removed");
    Ok(ExitCode::SUCCESS)
}
