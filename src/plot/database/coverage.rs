//! What has been measured, and what of it a model has seen.

use std::collections::HashMap;

use super::classes;
use crate::model::NamedAxis;
use crate::plot::{CellKind, CoverageFigure};
use crate::store::{Database, Model, TrackRole};

/// Biosamples × assays: measured or not; with a model also what each track was to it. Biosamples stand by
/// group (as metadata have it) and then by how much is measured of them, assays by how often they are.
///
/// # Errors
/// When the tables cannot be read.
pub fn coverage_figure(
    database: &Database,
    model: Option<&Model>,
) -> crate::Result<CoverageFigure> {
    let tracks = database.tracks()?;
    let mut cell_of: HashMap<(String, String), CellKind> = HashMap::new();
    for track in &tracks {
        let key = (track.biosample.clone(), track.assay.clone());
        cell_of.insert(key, CellKind::Measured);
    }
    for track in model.iter().flat_map(|m| &m.record.tracks) {
        let key = (track.biosample.clone(), track.assay.clone());
        if let Some(cell) = cell_of.get_mut(&key) {
            *cell = match track.role {
                TrackRole::Hold => CellKind::Held,
                TrackRole::Extend => CellKind::Extended,
                TrackRole::Train | TrackRole::Validate => CellKind::Trained,
            };
        }
    }
    let mut rows: Vec<String> = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    let of_model = |of: fn(&Model) -> &Vec<String>| model.map(of).cloned().unwrap_or_default();
    let measured = tracks
        .iter()
        .map(|t| (t.biosample.clone(), t.assay.clone()));
    for (biosample, assay) in measured {
        if !rows.contains(&biosample) {
            rows.push(biosample);
        }
        if !columns.contains(&assay) {
            columns.push(assay);
        }
    }
    for name in of_model(|m| &m.record.biosamples) {
        if !rows.contains(&name) {
            rows.push(name);
        }
    }
    for name in of_model(|m| &m.record.assays) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let n_of = |row: &String| tracks.iter().filter(|t| t.biosample == *row).count();
    let n_at = |column: &String| tracks.iter().filter(|t| t.assay == *column).count();
    let (class_name, groups) = classes(database, NamedAxis::Biosamples, &rows, None)?;
    let group_of: HashMap<String, String> = rows
        .iter()
        .cloned()
        .zip(groups.iter().map(|g| g.0.clone()))
        .collect();
    rows.sort_by_cached_key(|r| {
        (
            group_of.get(r).cloned(),
            std::cmp::Reverse(n_of(r)),
            r.clone(),
        )
    });
    columns.sort_by_cached_key(|c| (std::cmp::Reverse(n_at(c)), c.clone()));
    let (_, groups) = classes(database, NamedAxis::Biosamples, &rows, None)?;
    let cells = rows
        .iter()
        .flat_map(|r| columns.iter().map(move |c| (r.clone(), c.clone())))
        .map(|key| cell_of.get(&key).copied().unwrap_or(CellKind::Missing))
        .collect();
    let mut notes = vec![format!(
        "{} of {} experiments ({} biosamples × {} assays) have been done.",
        tracks.len(),
        rows.len() * columns.len(),
        rows.len(),
        columns.len()
    )];
    let row_colours: Vec<_> = groups.into_iter().map(|g| g.1).collect();
    if row_colours.iter().any(Option::is_some) {
        notes.push(format!(
            "Beside the biosamples: the colour of their {class_name}."
        ));
    }
    Ok(CoverageFigure {
        title: match model {
            Some(model) => format!(
                "What is measured, and what model {} has seen",
                model.record.name
            ),
            None => "What is measured".into(),
        },
        rows,
        columns,
        cells,
        row_colours,
        notes,
    })
}
