//! Places as Python gives them, on the genome axis.

use std::ops::Range;

use persea::genome::{GenomeAxis, Interval, Resolution};
use pyo3::PyResult;

use crate::errors;

/// An interval as Python gives it: chromosome, start, end (0-based, half-open).
pub type Coordinates = (String, u64, u64);

/// The interval of a place, under the assembly's name of its chromosome and clipped to it.
pub fn interval(axis: &GenomeAxis, (chrom, start, end): &Coordinates) -> PyResult<Interval> {
    let chromosome = axis.assembly().resolve(chrom).map_err(errors::of)?;
    if start >= end {
        return Err(errors::value(format!(
            "the region {chrom}:{start}-{end} (0-based, half-open) holds no base"
        )));
    }
    Ok(Interval::new(
        &chromosome.name,
        *start,
        (*end).min(chromosome.length),
    ))
}

/// The axis bins that a place touches, in genome order.
///
/// # Errors
/// When none of it is covered.
pub fn bins(axis: &GenomeAxis, place: &Coordinates) -> PyResult<Vec<Range<u64>>> {
    let interval = interval(axis, place)?;
    let ranges = axis.bins_within(&interval);
    match ranges.is_empty() {
        true => Err(errors::of(axis.not_covered(&interval))),
        false => Ok(ranges),
    }
}

/// The rows of a scale that some bins touch.
pub fn rows(axis: &GenomeAxis, scale: Resolution, bins: &Range<u64>) -> Range<u64> {
    let row = |bin: u64| {
        let at = axis.locate(bin);
        axis.row(scale, at.region, at.chrom_bin)
    };
    row(bins.start)..row(bins.end - 1) + 1
}

/// Where the rows of a scale lie that some bins touch, clipped to their region.
pub fn intervals_of_rows(axis: &GenomeAxis, scale: Resolution, bins: &Range<u64>) -> Vec<Interval> {
    let first = axis.locate(bins.start);
    let last = axis.locate(bins.end - 1);
    let region = axis.region_interval(first.region);
    let width = scale.bins() * persea::genome::BIN_BP;
    (first.chrom_bin / scale.bins()..=last.chrom_bin / scale.bins())
        .map(|row| {
            let start = (row * width).max(region.start);
            let end = ((row + 1) * width).min(region.end);
            Interval::new(&region.chrom, start, end)
        })
        .collect()
}

/// Reads a resolution's name.
pub fn resolution(name: &str) -> PyResult<Resolution> {
    Resolution::from_name(name).ok_or_else(|| {
        errors::value(format!(
            "`{name}` is no resolution; it is 25bp, 250bp or 5kbp"
        ))
    })
}
