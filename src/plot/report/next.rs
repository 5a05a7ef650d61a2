//! What to measure next.

use super::super::database::{selection_figure, stored_selection_figure};
use super::super::page::{Grid, Page};
use super::super::selection_curve;
use crate::model::TrainedModel;
use crate::selection::{Answer, Request, What, select, stored};
use crate::store::Database;
use persea_drawing::decimals;

/// Experiments that the report proposes when nobody has asked yet.
const PROPOSED: usize = 5;
/// Stored selections that are shown, the latest.
const SHOWN: usize = 3;

pub(super) fn next(
    page: &mut Page,
    database: &Database,
    model: &TrainedModel,
) -> crate::Result<()> {
    let all = database.selections()?;
    if all.is_empty() {
        let mut request = Request::new(What::Experiments, PROPOSED);
        request.model = Some(model.record().name.clone());
        match select(Some(database), &request) {
            Ok(answer) => {
                page.tag("p", "The experiments that would represent the others best, given what has been measured; `persea select` asks otherwise.");
                answered(page, &answer);
                page.figures(&[selection_curve(&selection_figure(&answer))]);
            }
            Err(why) => page.note(&format!("No proposal: {why}.")),
        }
        return Ok(());
    }
    for selection in all.iter().rev().take(SHOWN) {
        page.tag(
            "h3",
            &format!("Selection {}: {}", selection.id, selection.kind),
        );
        if selection.kind != "positions" {
            answered(page, &stored(selection)?.1);
        }
        page.figures(&[selection_curve(&stored_selection_figure(selection)?)]);
    }
    if all.len() > SHOWN {
        page.note(&format!(
            "The latest {SHOWN} of {}; `persea select list` has all.",
            all.len()
        ));
    }
    Ok(())
}

fn answered(page: &mut Page, answer: &Answer) {
    let mut grid = Grid::new(&[
        "rank",
        answer.what.one(),
        "gain",
        "coverage so far",
        "represents",
    ]);
    for chosen in &answer.chosen {
        let number = |v: Option<f64>| v.map_or(String::new(), |v| decimals(v, 3));
        let represents = match chosen.represents.len() {
            0..=6 => chosen.represents.join(", "),
            n => format!("{} and {} more", chosen.represents[..5].join(", "), n - 5),
        };
        grid.row(
            "",
            vec![
                chosen.rank.to_string(),
                chosen.name.clone(),
                decimals(chosen.gain, 3),
                number(chosen.coverage),
                represents,
            ],
        );
    }
    page.table(&grid);
    page.note(&format!(
        "Compared by {}. {}",
        answer.compared_by, answer.guarantee_text
    ));
    for note in &answer.notes {
        page.note(note);
    }
}
