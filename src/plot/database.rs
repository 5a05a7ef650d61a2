//! Figures of a database: they read what is drawn and leave the drawing to the others.

mod coverage;
mod factors;
mod locus;
mod selection;
mod similarity;
mod tracks;
mod training;
mod unit;

pub use coverage::coverage_figure;
pub use factors::factor_figure;
pub use locus::some_locus;
pub use selection::{position_selection_figure, selection_figure, stored_selection_figure};
pub use similarity::similarity_figure;
pub use tracks::{TrackChoice, tracks_figure};
pub use training::training_chart;
pub use unit::{axis_unit, shared_unit};

use crate::genome::{GenomeAxis, Interval};
use crate::model::NamedAxis;
use crate::plot::Colour;
use crate::store::Database;

use persea_drawing::{DrawingError, whole_bins};

/// What cannot be drawn, and why.
fn cannot(figure: &str, why: impl Into<String>) -> DrawingError {
    DrawingError::Drawing {
        figure: figure.into(),
        why: why.into(),
    }
}

/// A region in whole bins, clipped to its chromosome.
fn clipped(axis: &GenomeAxis, region: &Interval) -> crate::Result<Interval> {
    let length = axis.assembly().chromosome(&region.chrom)?.length;
    let end = region.end.min(length);
    if region.start >= end {
        let why = format!(
            "{region} lies beyond the end of {} ({length} bp)",
            region.chrom
        );
        return Err(cannot("the region", why).into());
    }
    let mut whole = whole_bins(&Interval::new(&region.chrom, region.start, end));
    whole.end = whole.end.min(length);
    Ok(whole)
}

/// A class each, with its colour.
type Classes = Vec<(String, Option<Colour>)>;

/// What is known of biosamples or assays, by name: a class and its colour. The class is the first of the
/// columns `GROUP`, `ANATOMY`, whatever their case, that any has; the colour is the column `COLOR`.
fn classes(
    database: &Database,
    axis: NamedAxis,
    names: &[String],
    column: Option<&str>,
) -> crate::Result<(String, Classes)> {
    type Known = Vec<(String, serde_json::Map<String, serde_json::Value>)>;
    let known: Known = match axis {
        NamedAxis::Biosamples => (database.biosamples()?.into_iter())
            .map(|b| (b.name, b.metadata))
            .collect(),
        NamedAxis::Assays => (database.assays()?.into_iter())
            .map(|a| (a.name, a.metadata))
            .collect(),
    };
    let text = |name: &String, column: &str| -> Option<String> {
        let (_, metadata) = known.iter().find(|(n, _)| n == name)?;
        let (_, value) = metadata
            .iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(column))?;
        Some(
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_string),
        )
    };
    let wanted: Vec<&str> = match column {
        Some(column) => vec![column],
        None => vec!["group", "anatomy"],
    };
    let Some(found) = wanted
        .iter()
        .find(|c| names.iter().any(|n| text(n, c).is_some()))
    else {
        return match column {
            None => Ok((String::new(), Vec::new())),
            Some(column) => {
                Err(cannot("the figure", format!("no metadata has a column `{column}`")).into())
            }
        };
    };
    let all: Classes = names
        .iter()
        .map(|name| {
            let class = text(name, found).unwrap_or_else(|| "not known".into());
            let colour = text(name, "color").or_else(|| text(name, "colour"));
            (class, colour.as_deref().and_then(Colour::from_hex))
        })
        .collect();
    // Members of one class that have colours of their own would make the legend lie.
    let is_shared = |(class, colour): &(String, Option<Colour>)| {
        all.iter()
            .filter(|(c, _)| c == class)
            .all(|(_, c)| c == colour)
    };
    let shared = all.iter().all(is_shared);
    let all = match shared {
        true => all,
        false => all.into_iter().map(|(class, _)| (class, None)).collect(),
    };
    Ok((found.to_lowercase(), all))
}
