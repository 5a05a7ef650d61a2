//! The curve of a selection: what it covers against how many were chosen.

use crate::plot::{CurveFigure, CurveFigurePoint};
use crate::selection::{Answer, PositionAnswer, SelectionError, stored};
use crate::store::StoredSelection;
use persea_drawing::grouped;

/// Coverage (the value, where there is no coverage) of named items against their number.
pub fn selection_figure(answer: &Answer) -> CurveFigure {
    let scale = answer.everything.filter(|all| *all > 0.0);
    let scaled = |value: f64| value / scale.unwrap_or(1.0);
    // Of a budget there is one point, for all that it buys.
    let is_budget = answer.curve.len() == 1 && !answer.chosen.is_empty();
    let names = |k: usize| -> Vec<String> {
        let chosen = answer.chosen.iter().filter(|c| is_budget || c.rank == k);
        chosen.map(|c| c.name.clone()).collect()
    };
    CurveFigure {
        title: format!(
            "{} of {} {} by {}",
            answer.chosen.len(),
            grouped(&answer.n_items.to_string()),
            answer.what.many(),
            answer.objective.replace('-', " ")
        ),
        value_name: match scale {
            Some(_) => "coverage (1: everything chosen)".into(),
            None => answer.objective.replace('-', " "),
        },
        points: (answer.curve.iter())
            .map(|p| CurveFigurePoint {
                k: p.k,
                value: p.value.map(scaled),
                random_mean: p.random_mean.map(scaled),
                random_band: p.random_band.map(|band| band.map(scaled)),
                names: names(p.k),
            })
            .collect(),
        bound: answer.bound.map(scaled),
    }
}

/// Coverage of the ground set against the number of positions.
pub fn position_selection_figure(answer: &PositionAnswer) -> CurveFigure {
    let number = |n: usize| grouped(&n.to_string());
    CurveFigure {
        title: format!(
            "{} of {} positions by facility location",
            number(answer.chosen.len()),
            grouped(&answer.n_candidates.to_string())
        ),
        value_name: format!(
            "coverage of {} positions of the genome",
            grouped(&answer.n_ground.to_string())
        ),
        points: (answer.curve.iter())
            .map(|p| CurveFigurePoint {
                k: p.k,
                value: Some(p.coverage),
                random_mean: p.random_mean,
                random_band: p.random_band,
                names: Vec::new(),
            })
            .collect(),
        bound: Some(answer.bound),
    }
}

/// The curve of a stored selection, of whatever kind.
///
/// # Errors
/// When its record cannot be read.
pub fn stored_selection_figure(selection: &StoredSelection) -> Result<CurveFigure, SelectionError> {
    if selection.kind != "positions" {
        return Ok(selection_figure(&stored(selection)?.1));
    }
    let answer: PositionAnswer =
        serde_json::from_value(selection.result.clone()).map_err(|e| SelectionError::Stored {
            id: selection.id,
            why: format!("its record cannot be read: {e}"),
        })?;
    Ok(position_selection_figure(&answer))
}
