//! Factors, embeddings and signal along the genome, as arrays.

use persea::genome::{BIN_BP, Resolution};
use persea::search::Metric;
use pyo3::{PyErr, PyResult};
use rayon::prelude::*;

use super::open::Inner;
use crate::array::Array;
use crate::errors::of;
use crate::intervals::{self, Coordinates};

/// The factors of the rows of a scale that a place touches, `[rows, factors]`.
pub fn factors(
    inner: &Inner,
    place: &Coordinates,
    scale: Resolution,
    model: Option<&str>,
) -> PyResult<Array> {
    let open = inner.model(model)?;
    let searcher = inner.searcher(&open, Metric::Euclidean)?;
    let bins = intervals::bins(searcher.axis(), place)?;
    let rows: Vec<_> = (bins.iter())
        .map(|b| intervals::rows(searcher.axis(), scale, b))
        .collect();
    let cols = searcher.widths()[scale.index()];
    if let [one] = rows.as_slice()
        && let Some(lent) = searcher.stored_rows(scale, one.clone()).map_err(of)?
    {
        return Ok(Array::lent(&searcher, lent, cols));
    }
    let n: u64 = rows.iter().map(|r| r.end - r.start).sum();
    let mut numbers = vec![0f32; n as usize * cols];
    let mut left = numbers.as_mut_slice();
    for rows in rows {
        let (now, rest) = left.split_at_mut((rows.end - rows.start) as usize * cols);
        searcher.copy_factors(scale, rows, now).map_err(of)?;
        left = rest;
    }
    Ok(Array::of_f32(numbers, vec![n as usize, cols]))
}

/// The embeddings of the bins that a place touches, `[bins, factors]`.
pub fn embedding(inner: &Inner, place: &Coordinates, model: Option<&str>) -> PyResult<Array> {
    let open = inner.model(model)?;
    let searcher = inner.searcher(&open, Metric::Euclidean)?;
    let ranges = intervals::bins(searcher.axis(), place)?;
    let cols: usize = searcher.widths().iter().sum();
    let n: u64 = ranges.iter().map(|r| r.end - r.start).sum();
    let mut numbers = vec![0f32; n as usize * cols];
    let mut left = numbers.as_mut_slice();
    for bins in ranges {
        let (now, rest) = left.split_at_mut((bins.end - bins.start) as usize * cols);
        searcher.copy_embeddings(bins, now).map_err(of)?;
        left = rest;
    }
    Ok(Array::of_f32(numbers, vec![n as usize, cols]))
}

/// The mean embedding of each of some places, `[places, factors]`.
pub fn mean_embeddings(
    inner: &Inner,
    places: &[Coordinates],
    model: Option<&str>,
) -> PyResult<Array> {
    let open = inner.model(model)?;
    let searcher = inner.searcher(&open, Metric::Euclidean)?;
    let cols: usize = searcher.widths().iter().sum();
    let mut numbers = vec![0f32; places.len() * cols];
    (numbers.par_chunks_mut(cols.max(1)).zip(places)).try_for_each(|(row, place)| {
        let bins = intervals::bins(searcher.axis(), place)?;
        row.copy_from_slice(&searcher.mean_embedding(&bins).map_err(of)?);
        Ok::<(), PyErr>(())
    })?;
    Ok(Array::of_f32(numbers, vec![places.len(), cols]))
}

/// The stored signal of a track in the bins that a place touches, `[bins]`; NaN in bins without data or outside
/// the covered regions.
pub fn signal(
    inner: &Inner,
    place: &Coordinates,
    biosample: &str,
    assay: &str,
    invert: bool,
) -> PyResult<Array> {
    let open = inner.track(biosample, assay)?;
    let axis = inner.database.axis();
    let interval = intervals::interval(axis, place)?;
    let ranges = intervals::bins(axis, place)?;
    let first = interval.start / BIN_BP;
    let n = interval.end.div_ceil(BIN_BP) - first;
    let mut numbers = vec![f32::NAN; n as usize];
    for bins in ranges {
        let at = (axis.locate(bins.start).chrom_bin - first) as usize;
        let length = (bins.end - bins.start) as usize;
        (open.signal)
            .read(bins, &mut numbers[at..at + length])
            .map_err(of)?;
    }
    if invert {
        let inversion = open.track.inversion();
        numbers.iter_mut().for_each(|v| *v = inversion.apply(*v));
    }
    Ok(Array::of_f32(numbers, vec![n as usize]))
}

/// The mean stored signal of tracks over each of some places, `[places, tracks]`; NaN where a track has no data.
pub fn mean_signals(
    inner: &Inner,
    places: &[Coordinates],
    tracks: &[(String, String)],
) -> PyResult<Array> {
    let axis = inner.database.axis();
    let ranges: Vec<_> = (places.iter())
        .map(|place| intervals::bins(axis, place))
        .collect::<PyResult<_>>()?;
    let mut arrays = Vec::new();
    for (biosample, assay) in tracks {
        arrays.push(inner.track(biosample, assay)?);
    }
    let mut numbers = vec![f32::NAN; places.len() * tracks.len()];
    (numbers.par_chunks_mut(tracks.len().max(1)).zip(&ranges)).try_for_each(|(row, ranges)| {
        for (mean, open) in row.iter_mut().zip(&arrays) {
            let (mut sum, mut n) = (0f64, 0u64);
            for bins in ranges {
                let mut values = vec![0f32; (bins.end - bins.start) as usize];
                open.signal.read(bins.clone(), &mut values).map_err(of)?;
                for v in values.iter().filter(|v| !v.is_nan()) {
                    sum += f64::from(*v);
                    n += 1;
                }
            }
            if n > 0 {
                *mean = (sum / n as f64) as f32;
            }
        }
        Ok::<(), PyErr>(())
    })?;
    Ok(Array::of_f32(numbers, vec![places.len(), tracks.len()]))
}

/// The factors of a model's biosamples or assays, `[names, factors]`, and their names.
pub fn sample_factors(
    inner: &Inner,
    of_assays: bool,
    model: Option<&str>,
) -> PyResult<(Vec<String>, Array)> {
    let open = inner.model(model)?;
    let (network, record) = (open.model.network(), open.model.record());
    let (names, factors) = match of_assays {
        true => (&record.assays, &network.assays),
        false => (&record.biosamples, &network.biosamples),
    };
    let shape = factors.shape().to_vec();
    let numbers = factors.iter().copied().collect();
    Ok((names.clone(), Array::of_f32(numbers, shape)))
}
