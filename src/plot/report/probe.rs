//! What a model's embedding knows of tracks that it was not learned from.

use super::super::page::{Grid, Page};
use crate::evaluation::{Representation, kept_probe};
use crate::model::TrainedModel;
use crate::store::Database;
use persea_drawing::{decimals, grouped};

/// The newest stored probe that still holds; a report makes none.
pub(super) fn probe(
    page: &mut Page,
    database: &Database,
    model: &TrainedModel,
) -> crate::Result<()> {
    page.heading("probe", "What the embedding knows");
    let Some((created, found)) = kept_probe(database, model.stored())? else {
        page.note("Not probed: `persea evaluate` does so with the option `probe`.");
        return Ok(());
    };
    page.tag(
        "p",
        "How well a bin's description predicts tracks that the model never read. Linear: ridge regression from other regions. \
         Neighbours: the mean over the 50 nearest positions in other regions, at random bins and at bins with high signal. Pearson's \
         r, means over tracks.",
    );
    let mut grid = Grid::new(&[
        "described by",
        "numbers",
        "linear",
        "neighbours, random",
        "neighbours, active",
    ]);
    let r = |value: Option<f64>| value.map_or("undefined".to_string(), |v| decimals(v, 3));
    for of in &found.representations {
        let (class, name) = match of.representation {
            Representation::Model => ("best", format!("factors of {}", found.model)),
            Representation::SignalResolutions => ("baseline", "signal at three resolutions".into()),
            Representation::SignalWindows => ("baseline", "signal, six windows".into()),
            Representation::SignalComponents => (
                "baseline",
                "signal, principal components of the windows".into(),
            ),
        };
        grid.row(
            class,
            vec![
                name,
                of.numbers.to_string(),
                r(of.linear),
                r(of.neighbours_random),
                r(of.neighbours_active),
            ],
        );
    }
    page.table(&grid);
    page.note("Bold: the model's factors. Grey: the signal that they were learned from.");
    for other in &found.agreement {
        page.tag(
            "p",
            &format!(
                "{} and {} share {} (random) and {} (active) of their ten nearest 5 kbp rows.",
                found.model,
                other.model,
                r(other.random),
                r(other.active)
            ),
        );
    }
    let tracks = found
        .representations
        .first()
        .map_or(0, |of| of.tracks.len());
    page.note(&format!(
        "{tracks} held-out tracks, {} bins, {} random and {} active queries, seed {}; {created}.",
        grouped(&found.n_bins.to_string()),
        grouped(&found.n_random.to_string()),
        grouped(&found.n_active.to_string()),
        found.seed
    ));
    Ok(())
}
