//! Means over windows of the axis, and the windows that others are compared with.

use std::ops::Range;

use super::completed::Reader;
use crate::genome::{GenomeAxis, Interval, Mask, TssIndex};

/// Bins of a stretch that candidates are taken from together.
const STRETCH_BINS: u64 = 2_048;
/// Candidates start at least so many bins apart (2 kb).
const STEP_BINS: u64 = 80;

/// Distances from the nearest transcription start that tell classes of loci apart, in bp.
pub(super) const TSS_CLASSES: [u64; 3] = [1_000, 10_000, 100_000];

/// What a list of windows covers.
#[derive(Debug, Clone, Default)]
pub(super) struct WindowBins {
    /// Window and bins, ordered by the bins' start; a window may have several.
    bins: Vec<(usize, Range<u64>)>,
    n_windows: usize,
}

impl WindowBins {
    pub(super) fn new(n_windows: usize, mut bins: Vec<(usize, Range<u64>)>) -> Self {
        bins.retain(|(_, b)| b.start < b.end);
        bins.sort_by_key(|(window, b)| (b.start, *window));
        WindowBins { bins, n_windows }
    }

    /// One stretch of bins a window.
    pub(super) fn of_ranges(ranges: &[Range<u64>]) -> Self {
        WindowBins::new(ranges.len(), ranges.iter().cloned().enumerate().collect())
    }

    /// The windows of intervals.
    pub(super) fn of_intervals<'i>(
        axis: &GenomeAxis,
        intervals: impl ExactSizeIterator<Item = &'i Interval>,
    ) -> Self {
        let n = intervals.len();
        let of = |(i, interval)| axis.bins_within(interval).into_iter().map(move |b| (i, b));
        WindowBins::new(n, intervals.enumerate().flat_map(of).collect())
    }

    /// The stretches to read, merged.
    fn spans(&self) -> Vec<Range<u64>> {
        let mut spans: Vec<Range<u64>> = Vec::new();
        for (_, bins) in &self.bins {
            match spans.last_mut() {
                Some(last) if bins.start <= last.end => last.end = last.end.max(bins.end),
                _ => spans.push(bins.clone()),
            }
        }
        spans
    }
}

/// Means over windows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WindowMeans {
    /// `[window, experiment]`; NaN where an experiment has data in less than half of the bins that count.
    pub(super) values: Vec<f64>,
    /// How many bins counted, by window: those not masked.
    pub(super) n_bins: Vec<u32>,
    pub(super) n_experiments: usize,
}

impl WindowMeans {
    /// Of a window: a mean an experiment.
    pub(super) fn of(&self, window: usize) -> &[f64] {
        &self.values[window * self.n_experiments..(window + 1) * self.n_experiments]
    }

    pub(super) fn n_windows(&self) -> usize {
        self.n_bins.len()
    }
}

/// The mean of every experiment over the unmasked bins of each window at which it has data. `progress`
/// receives how many bins are read, and of how many. Memory: 8 bytes a window and experiment, 12 where a track
/// lacks data.
pub(super) fn means(
    reader: &Reader<'_>,
    places: &WindowBins,
    mask: &Mask,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<WindowMeans> {
    let n = reader.n_experiments();
    let mut values = vec![0f64; places.n_windows * n];
    let mut n_bins = vec![0u32; places.n_windows];
    // How many unmasked bins of each window an experiment has no data at; empty while none lacks any.
    let mut n_missing: Vec<u32> = Vec::new();
    let spans = places.spans();
    let total: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let longest = (places.bins.iter()).map(|(_, b)| b.end - b.start).max();
    let longest = longest.unwrap_or(0);
    let mut done = 0;
    let mut running: Vec<Vec<f64>> = vec![Vec::new(); n];
    reader.walk(&spans, &mut |piece, rows| {
        let masked = &mask.as_slice()[piece.start as usize..piece.end as usize];
        let mut counts = vec![0u32; masked.len() + 1];
        for (i, masked) in masked.iter().enumerate() {
            counts[i + 1] = counts[i] + u32::from(!masked);
        }
        for (running, row) in running.iter_mut().zip(rows) {
            running.clear();
            let mut sum = 0f64;
            running.push(sum);
            for (value, masked) in row.iter().zip(masked) {
                let counts = !*masked && !value.is_nan();
                sum += if counts { f64::from(*value) } else { 0.0 };
                running.push(sum);
            }
        }
        // Of each experiment with gaps here: how many unmasked bins without data come before each.
        let missing: Vec<Option<Vec<u32>>> = rows.iter().map(|r| running_gaps(r, masked)).collect();
        if n_missing.is_empty() && missing.iter().any(Option::is_some) {
            n_missing = vec![0; places.n_windows * n];
        }
        let from = piece.start.saturating_sub(longest);
        let first = places.bins.partition_point(|(_, b)| b.start < from);
        let touching = places.bins[first..].iter();
        for (window, bins) in touching.take_while(|(_, b)| b.start < piece.end) {
            let (low, high) = (bins.start.max(piece.start), bins.end.min(piece.end));
            if low >= high {
                continue;
            }
            let (low, high) = ((low - piece.start) as usize, (high - piece.start) as usize);
            n_bins[*window] += counts[high] - counts[low];
            let sums = &mut values[window * n..(window + 1) * n];
            for (sum, running) in sums.iter_mut().zip(&running) {
                *sum += running[high] - running[low];
            }
            for (experiment, gaps) in missing.iter().enumerate() {
                if let Some(gaps) = gaps {
                    n_missing[window * n + experiment] += gaps[high] - gaps[low];
                }
            }
        }
        done += piece.end - piece.start;
        progress(done, total);
        Ok(())
    })?;
    for (window, n_bins) in n_bins.iter().enumerate() {
        for experiment in 0..n {
            let place = window * n + experiment;
            let n_known = n_bins - n_missing.get(place).copied().unwrap_or(0);
            values[place] = match n_known * 2 >= *n_bins {
                // 0 / 0, of a window in which no bin counts, is NaN.
                true => values[place] / f64::from(n_known),
                false => f64::NAN,
            };
        }
    }
    Ok(WindowMeans {
        values,
        n_bins,
        n_experiments: n,
    })
}

/// How many unmasked bins without data come before each of some bins; `None` where there are none.
fn running_gaps(row: &[f32], masked: &[bool]) -> Option<Vec<u32>> {
    row.iter().any(|v| v.is_nan()).then(|| {
        let mut n = 0;
        let gaps = row.iter().zip(masked).map(|(value, masked)| {
            n += u32::from(value.is_nan() && !masked);
            n
        });
        std::iter::once(0).chain(gaps).collect()
    })
}

/// Stretches of the axis spread evenly over it, for about `wanted` windows of `width` bins.
pub(super) fn stretches(axis: &GenomeAxis, width: u64, wanted: usize) -> Vec<Range<u64>> {
    let length = STRETCH_BINS.max(width);
    let mut all = Vec::new();
    for region in axis.sorted_regions() {
        let own = axis.region_bins(*region);
        let mut first = own.start;
        while first + width <= own.end {
            let end = own.end.min(first + length);
            all.push(first..end);
            first = end;
        }
    }
    let a_stretch = (length / width.max(STEP_BINS)).max(1);
    let n = (wanted as u64).div_ceil(a_stretch).min(all.len() as u64) as usize;
    // The middle of each of n equal parts.
    let chosen = (0..n).map(|i| all[(2 * i + 1) * all.len() / (2 * n)].clone());
    chosen.collect()
}

/// Stretches of up to `length` bins spread evenly over the axis, for about `wanted` bins in all.
pub(super) fn stretches_of(axis: &GenomeAxis, length: u64, wanted: u64) -> Vec<Range<u64>> {
    let mut all = Vec::new();
    for region in axis.sorted_regions() {
        let own = axis.region_bins(*region);
        let cut = (own.start..own.end).step_by(length as usize);
        all.extend(cut.map(|first| first..own.end.min(first + length)));
    }
    let n = (wanted.div_ceil(length) as usize).clamp(1, all.len());
    let chosen = (0..n).map(|i| all[(2 * i + 1) * all.len() / (2 * n)].clone());
    chosen.collect()
}

/// Windows of `width` bins inside stretches, side by side but no nearer than 2 kb to each other.
pub(super) fn windows_within(stretches: &[Range<u64>], width: u64) -> Vec<Range<u64>> {
    let step = width.max(STEP_BINS);
    let within = |s: &Range<u64>| {
        let last = s.end.saturating_sub(width);
        (s.start..=last).step_by(step as usize)
    };
    let starts = stretches.iter().filter(|s| s.end - s.start >= width);
    starts
        .flat_map(within)
        .map(|first| first..first + width)
        .collect()
}

/// Which class of distance from a transcription start a window is in: its middle's. All are in one
/// where there are no genes.
pub(super) fn tss_class(starts: &TssIndex, interval: &Interval) -> usize {
    let middle = interval.start + interval.len() / 2;
    match starts.nearest(&interval.chrom, middle) {
        Some(nearest) => {
            let distance = nearest.distance.unsigned_abs();
            TSS_CLASSES.partition_point(|limit| *limit < distance)
        }
        None => TSS_CLASSES.len(),
    }
}

/// Where some bins of one region lie.
pub(super) fn interval_of(axis: &GenomeAxis, bins: &Range<u64>) -> Interval {
    let first = axis.bin_interval(bins.start);
    let last = axis.bin_interval(bins.end.max(bins.start + 1) - 1);
    Interval::new(first.chrom, first.start, last.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_support::toy_axis;

    #[test]
    fn windows_lie_side_by_side_within_their_region() {
        let axis = toy_axis();
        // Regions of 40, 100 and 60 bins.
        let stretches = stretches(&axis, 30, 1_000);
        let windows = windows_within(&stretches, 30);
        for window in &windows {
            let region = axis.locate(window.start).region;
            assert_eq!(axis.locate(window.end - 1).region, region);
        }
        // No two start within 80 bins of each other: one in each short region, two in the other.
        assert_eq!(windows.len(), 3);
        // Of a width that no region holds there is none.
        assert!(windows_within(&super::stretches(&axis, 101, 10), 101).is_empty());
    }

    #[test]
    fn a_few_stretches_are_spread_over_the_axis() {
        let assembly =
            crate::genome::Assembly::from_chromosomes("a", &[("c".into(), 25_000_000)]).unwrap();
        let axis = GenomeAxis::whole_chromosomes(assembly, &["c"]).unwrap();
        let few = stretches(&axis, 80, 100);
        assert_eq!(few.len(), 4);
        assert!(few[0].start > 100_000 && few[3].end < 900_000, "{few:?}");
        assert_eq!(windows_within(&few, 80).len(), 100);
    }
}
