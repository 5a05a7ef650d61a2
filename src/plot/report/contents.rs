//! What is in a database.

use super::super::Theme;
use super::super::database::coverage_figure;
use super::super::page::{Grid, Page};
use crate::model::TrainedModel;
use crate::store::{Database, TrackRole};
use persea_drawing::grouped;

/// Tables of facts and models, and the picture of what has been measured.
pub(super) fn contents(
    page: &mut Page,
    database: &Database,
    model: Option<&TrainedModel>,
) -> crate::Result<()> {
    let info = database.info()?;
    let axis = database.axis();
    let number = |n: u64| grouped(&n.to_string());
    page.heading("contents", "What is in it");
    let tracks = database.tracks()?;
    let (n_biosamples, n_assays) = (database.biosamples()?.len(), database.assays()?.len());
    let mut facts = Grid::new(&["", ""]);
    let mut fact = |name: &str, value: String| facts.row("", vec![name.to_string(), value]);
    fact("assembly", axis.assembly().name().to_string());
    fact(
        "covered",
        format!(
            "{} bins of 25 bp in {} region{} ({} masked)",
            number(axis.n_bins()),
            axis.regions().len(),
            if axis.regions().len() == 1 { "" } else { "s" },
            number(database.mask()?.n_masked() as u64)
        ),
    );
    fact(
        "tracks",
        format!(
            "{} of {} biosamples × {} assays",
            tracks.len(),
            n_biosamples,
            n_assays
        ),
    );
    fact(
        "genes, enhancers",
        format!(
            "{}, {}",
            number(database.genes()?.len() as u64),
            number(database.enhancers()?.len() as u64)
        ),
    );
    fact(
        "on disk",
        format!(
            "{:.0} MB of tracks, {:.0} MB of models and tables",
            info.signal_bytes as f64 / 1e6,
            info.sqlite_bytes as f64 / 1e6
        ),
    );
    fact(
        "made",
        format!("{} by Persea {}", info.created, info.made_by),
    );
    page.table(&facts);
    let figure = coverage_figure(database, model.map(TrainedModel::stored))?;
    if !figure.cells.is_empty() {
        page.figures(&[figure.svg(Theme::Light)]);
    }
    let models = database.list_models()?;
    if models.is_empty() {
        return Ok(());
    }
    page.tag("h3", "Models");
    let mut grid = Grid::new(&[
        "model",
        "kind",
        "default",
        "biosamples",
        "assays",
        "bins",
        "trained on",
        "held out",
        "checksum",
    ]);
    for m in &models {
        let n = |hold: bool| {
            m.record
                .tracks
                .iter()
                .filter(|t| (t.role == TrackRole::Hold) == hold)
                .count()
        };
        let bins = m.record.regions.iter().map(|r| r.n_bins).sum::<u64>();
        let class = if model.is_some_and(|shown| shown.record().name == m.record.name) {
            "best"
        } else {
            ""
        };
        grid.row(
            class,
            vec![
                m.record.name.clone(),
                m.record.kind.name().to_string(),
                if m.is_default {
                    "yes".into()
                } else {
                    String::new()
                },
                m.record.biosamples.len().to_string(),
                m.record.assays.len().to_string(),
                number(bins),
                n(false).to_string(),
                n(true).to_string(),
                m.checksum.chars().take(12).collect(),
            ],
        );
    }
    page.table(&grid);
    if models.len() > 1 {
        page.note("What follows is about the model in bold.");
    }
    Ok(())
}
