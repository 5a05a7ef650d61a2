//! How alike a model's biosamples or assays are.

use super::{cannot, classes};
use crate::model::{NamedAxis, TrainedModel};
use crate::plot::SimilarityFigure;
use crate::store::Database;

/// Biosamples or assays that a matrix shows at most.
const MOST: usize = 1_000;

/// Cosines between factors, in the order of a tree; classes by a column of metadata.
///
/// # Errors
/// When metadata has no such column, or there are too many to show.
pub fn similarity_figure(
    database: &Database,
    model: &TrainedModel,
    axis: NamedAxis,
    column: Option<&str>,
) -> crate::Result<SimilarityFigure> {
    let (names, factors, what) = match axis {
        NamedAxis::Biosamples => (
            &model.record().biosamples,
            &model.network().biosamples,
            "Biosamples",
        ),
        NamedAxis::Assays => (&model.record().assays, &model.network().assays, "Assays"),
    };
    let n = names.len();
    if n > MOST {
        return Err(cannot(
            "similarity",
            format!("{n} are too many to tell apart; {MOST} are the most"),
        )
        .into());
    }
    let rows = factors.mapv(f64::from);
    let length: Vec<f64> = rows.rows().into_iter().map(|r| r.dot(&r).sqrt()).collect();
    let cosine = |(i, j): (usize, usize)| match length[i] * length[j] {
        _ if i == j => 1.0,
        product if product > 0.0 => rows.row(i).dot(&rows.row(j)) / product,
        _ => f64::NAN,
    };
    let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let values = pairs.map(cosine).collect();
    let (class_title, classes) = classes(database, axis, names, column)?;
    Ok(SimilarityFigure {
        title: format!("{what} of the model {}", model.record().name),
        names: names.clone(),
        values,
        measure: "cosine of factors".into(),
        classes,
        class_title,
        notes: vec!["Ordered by average linkage of one minus the cosine; the tree's joints lie as far to the left as what they join is apart.".into()],
    })
}
