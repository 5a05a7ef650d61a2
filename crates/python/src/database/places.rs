//! Places by name, and where rows lie.

use persea::genome::{Interval, Resolution};
use persea::search::{GenePart, find_gene};
use pyo3::PyResult;

use super::open::Inner;
use crate::errors::of;
use crate::intervals::{self, Coordinates};
use crate::table::{Column, Table};

/// The place that a text names: a region as a browser writes it, or a gene.
pub fn locate(inner: &Inner, text: &str, part: GenePart) -> PyResult<Coordinates> {
    let axis = inner.database.axis();
    let interval = match text.contains(':') || axis.assembly().resolve(text).is_ok() {
        true => Interval::parse_browser(text).map_err(of)?,
        false => part.interval(find_gene(text, axis, inner.genes()?).map_err(of)?),
    };
    let place = (interval.chrom, interval.start, interval.end);
    let interval = intervals::interval(axis, &place)?;
    Ok((interval.chrom, interval.start, interval.end))
}

/// Where the rows of a scale lie that a place touches.
pub fn bins(
    inner: &Inner,
    place: &Coordinates,
    scale: Resolution,
    model: Option<&str>,
) -> PyResult<Table> {
    let open = inner.model(model).ok();
    let axis = match (&open, model) {
        (Some(open), _) => open.model.axis(),
        // Without a model the database's own axis; a name that is unknown is an error.
        (None, None) => inner.database.axis(),
        (None, Some(_)) => {
            inner.model(model)?;
            inner.database.axis()
        }
    };
    let bins = intervals::bins(axis, place)?;
    let rows = bins
        .iter()
        .flat_map(|b| intervals::intervals_of_rows(axis, scale, b));
    table_of_intervals(&rows.collect::<Vec<_>>())
}

fn table_of_intervals(intervals: &[Interval]) -> PyResult<Table> {
    Table::new(vec![
        (
            "chrom",
            Column::texts(intervals.iter().map(|i| i.chrom.as_str())),
        ),
        ("start", Column::counts(intervals.iter().map(|i| i.start))),
        ("end", Column::counts(intervals.iter().map(|i| i.end))),
    ])
}
