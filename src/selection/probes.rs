//! Probes that may be chosen, positions to be covered, and their vectors.

use std::path::Path;

use super::SelectionError;
use super::multiscale::{AxisPosition, Parts, Row};
use super::position_request::PositionRequest;
use crate::genome::{GenomeAxis, Interval, Mask, Resolution, read_bed};
use crate::model::{GenomeBlock, TrainedModel};
use crate::random::{Purpose, below, generator};
use crate::store::Database;

/// Bins whose factors are read at once.
const READ_BINS: u64 = 20_000;
/// Candidates at most: their 25 bp factors are in memory.
const MOST_CANDIDATES: usize = 20_000_000;

/// Candidates of a model's axis.
pub(super) struct Candidates {
    pub(super) parts: Parts,
    pub(super) rows: Vec<Row>,
    pub(super) places: Vec<AxisPosition>,
}

/// Which bins a probe may lie on.
pub(super) fn allowed(
    axis: &GenomeAxis,
    masked: &Mask,
    request: &PositionRequest,
) -> crate::Result<Vec<bool>> {
    let mut allowed: Vec<bool> = masked.as_slice().iter().map(|m| !m).collect();
    let read = |paths: &[String]| -> crate::Result<Vec<Interval>> {
        let mut all = Vec::new();
        for path in paths {
            let read = read_bed(Path::new(path), axis.assembly())?;
            all.extend(read.into_iter().map(|(interval, _)| interval));
        }
        Ok(all)
    };
    if !request.inside.is_empty() {
        let mut inside = vec![false; allowed.len()];
        for interval in read(&request.inside)? {
            for bins in axis.bins_within(&interval) {
                inside[bins.start as usize..bins.end as usize].fill(true);
            }
        }
        allowed.iter_mut().zip(inside).for_each(|(a, i)| *a &= i);
    }
    for interval in read(&request.outside)? {
        for bins in axis.bins_within(&interval) {
            allowed[bins.start as usize..bins.end as usize].fill(false);
        }
    }
    Ok(allowed)
}

/// Bins drawn evenly: one at random from each of `n` equal parts of what is not masked.
pub(super) fn draw(
    axis: &GenomeAxis,
    masked: &Mask,
    n: usize,
    seed: u64,
    which: u64,
) -> Result<Vec<u64>, SelectionError> {
    let n_open = axis.n_bins() as usize - masked.n_masked();
    if n_open < 2 {
        return Err(SelectionError::question(
            "there are no two unmasked bins to draw",
        ));
    }
    let n = n.min(n_open);
    let mut rng = generator(seed, Purpose::RandomChoice, (1 << 32) + which);
    let mut drawn = (0..n).map(|i| {
        let (from, to) = (i * n_open / n, (i + 1) * n_open / n);
        from + below(&mut rng, (to - from).max(1) as u32) as usize
    });
    // The drawn are places among the unmasked, ascending: one walk finds their bins.
    let mut bins = Vec::with_capacity(n);
    let mut next = drawn.next();
    let unmasked = (0..axis.n_bins()).filter(|b| !masked.is_masked(*b));
    for (place, bin) in unmasked.enumerate() {
        if next == Some(place) {
            bins.push(bin);
            next = drawn.next();
        }
    }
    Ok(bins)
}

/// One over the median of d² between positions.
pub(super) fn median_gamma(parts: &Parts) -> f64 {
    let n = parts.fine.len() / parts.widths[1].max(1);
    let step = n.div_ceil(1_000).max(1);
    let some: Vec<usize> = (0..n).step_by(step).collect();
    let square = |values: &[f32], width: usize, i: usize, j: usize| -> f32 {
        let pairs = values[i * width..(i + 1) * width].iter();
        pairs
            .zip(&values[j * width..(j + 1) * width])
            .map(|(a, b)| (a - b) * (a - b))
            .sum()
    };
    let mut squares = Vec::new();
    for (at, i) in some.iter().enumerate() {
        for j in &some[..at] {
            let shared = square(&parts.shared, parts.widths[0], *i, *j);
            squares.push(shared + square(&parts.fine, parts.widths[1], *i, *j));
        }
    }
    squares.sort_by(f32::total_cmp);
    match squares.get(squares.len() / 2) {
        Some(median) if *median > 0.0 => 1.0 / f64::from(*median),
        _ => 1.0,
    }
}

fn widths(model: &TrainedModel) -> [usize; 2] {
    let [fine, middle, coarse] = model.genome_widths();
    [coarse + middle, fine]
}

/// The vectors of single bins, in the order given.
pub(super) fn at_bins(
    database: &Database,
    model: &TrainedModel,
    bins: &[u64],
) -> crate::Result<Parts> {
    let mut parts = Parts {
        widths: widths(model),
        ..Parts::default()
    };
    let mut embedding = vec![0f32; parts.widths[0] + parts.widths[1]];
    // Bins mostly come in order: a stretch is read once for all that lie in it.
    let mut last: Option<(usize, u64, GenomeBlock)> = None;
    for bin in bins {
        let at = model.axis().locate(*bin);
        let region = &model.axis().regions()[at.region];
        let first = (at.chrom_bin - region.first_bin) / READ_BINS * READ_BINS;
        let stretch = match last.take() {
            Some(stretch) if (stretch.0, stretch.1) == (at.region, first) => stretch,
            _ => {
                let n = READ_BINS.min(region.n_bins - first) as usize;
                let from = region.first_bin + first;
                (at.region, first, model.block(database, at.region, from, n)?)
            }
        };
        let offset = at.chrom_bin - region.first_bin - first;
        stretch.2.embedding(offset as usize, &mut embedding);
        last = Some(stretch);
        parts.fine.extend(&embedding[..parts.widths[1]]);
        parts.shared.extend(&embedding[parts.widths[1]..]);
    }
    Ok(parts)
}

/// Every probe that may be: a fine part that is the mean over its bins, the coarser parts of its
/// middle bin.
pub(super) fn candidates(
    database: &Database,
    model: &TrainedModel,
    allowed: &[bool],
    width: u64,
    step: u64,
) -> crate::Result<Candidates> {
    let axis = model.axis();
    let mut candidates = Candidates {
        parts: Parts {
            widths: widths(model),
            ..Parts::default()
        },
        rows: Vec::new(),
        places: Vec::new(),
    };
    let fine = candidates.parts.widths[1];
    let mut embedding = vec![0f32; fine + candidates.parts.widths[0]];
    for (number, region) in axis.regions().iter().enumerate() {
        let bins = axis.region_bins(number);
        let mut last_row = None;
        let mut first = 0;
        while first < region.n_bins {
            let starts = READ_BINS.min(region.n_bins - first);
            let read = (starts + width - 1).min(region.n_bins - first);
            let block = model.block(database, number, region.first_bin + first, read as usize)?;
            for start in first..first + starts {
                let chrom_bin = region.first_bin + start;
                let end = start + width;
                let on_axis = (bins.start + start) as usize..(bins.start + end) as usize;
                if !chrom_bin.is_multiple_of(step)
                    || end > region.n_bins
                    || !allowed[on_axis].iter().all(|a| *a)
                {
                    continue;
                }
                if candidates.places.len() == MOST_CANDIDATES {
                    return Err(SelectionError::question(format!(
                        "there are more than {MOST_CANDIDATES} candidates; take every n-th (option `step`) or keep them inside a BED (option `inside`)"
                    ))
                    .into());
                }
                let middle = start + width / 2;
                let row = (region.first_bin + middle) / Resolution::Bp250.bins();
                let mut mean = vec![0f32; fine];
                for bin in start..end {
                    block.embedding((bin - first) as usize, &mut embedding);
                    for (mean, value) in mean.iter_mut().zip(&embedding[..fine]) {
                        *mean += value / width as f32;
                    }
                }
                if last_row != Some(row) {
                    block.embedding((middle - first) as usize, &mut embedding);
                    candidates.parts.shared.extend(&embedding[fine..]);
                    let at = candidates.places.len();
                    candidates.rows.push(Row { candidates: at..at });
                    last_row = Some(row);
                }
                candidates.parts.fine.extend(mean);
                candidates.places.push((number as u32, chrom_bin));
                if let Some(row) = candidates.rows.last_mut() {
                    row.candidates.end = candidates.places.len();
                }
            }
            first += starts;
        }
    }
    Ok(candidates)
}

/// Probes that exist.
#[derive(Default)]
pub(super) struct GivenProbes {
    pub(super) parts: Parts,
    pub(super) places: Vec<(AxisPosition, AxisPosition)>,
}

pub(super) fn given(
    database: &Database,
    model: &TrainedModel,
    request: &PositionRequest,
) -> crate::Result<GivenProbes> {
    let mut probes = GivenProbes::default();
    probes.parts.widths = widths(model);
    let Some(path) = &request.given else {
        return Ok(probes);
    };
    let axis = model.axis();
    let mut middles = Vec::new();
    for (interval, _) in read_bed(Path::new(path), axis.assembly())? {
        for bins in axis.bins_within(&interval) {
            middles.push(bins.start + (bins.end - bins.start) / 2);
            let at = axis.locate(bins.start);
            let first = (at.region as u32, at.chrom_bin);
            probes
                .places
                .push((first, (first.0, first.1 + bins.end - bins.start)));
        }
    }
    if middles.is_empty() {
        let why = "none of its intervals is covered by the model";
        return Err(SelectionError::file(Path::new(path), why).into());
    }
    probes.parts = at_bins(database, model, &middles)?;
    Ok(probes)
}
