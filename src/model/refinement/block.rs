//! The standardised signal of a stretch, at every neighbourhood.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Inputs, RefinementConfig};

/// All input tracks over consecutive bins of one region, standardised, each as means over every
/// neighbourhood; and their sums by assay.
#[derive(Debug, Clone)]
pub struct SignalBlock {
    n_bins: usize,
    n_reaches: usize,
    /// `[track, reach, bin]`; NaN where a neighbourhood has no data.
    values: Vec<f32>,
    /// `[assay, reach, bin]`: sums over the tracks of each assay that have data, those added later left out.
    sums: Vec<f32>,
    /// Tracks of each assay.
    counts: Vec<usize>,
    /// Where some track lacks data, over how many tracks each of `sums` is.
    counts_at: Option<Vec<u16>>,
}

impl SignalBlock {
    /// The bins that must be read to describe `bins` of a region that spans `region`, and where
    /// `bins` start among them.
    pub fn reading(
        config: &RefinementConfig,
        bins: &Range<u64>,
        region: &Range<u64>,
    ) -> (Range<u64>, usize) {
        let halo = config.halo() as u64;
        let first = bins.start.saturating_sub(halo).max(region.start);
        let end = (bins.end + halo).min(region.end);
        (first..end, (bins.start - first) as usize)
    }

    /// Describes `n_bins` bins that start at `start` of what was read; `read` fills in a track's
    /// values as they are stored, `n_read` of them, NaN where there are no data. A neighbourhood ends where
    /// the reading ends, and is the mean of its bins with data.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn load<E: Send>(
        config: &RefinementConfig,
        inputs: &Inputs,
        n_read: usize,
        start: usize,
        n_bins: usize,
        read: impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let n_reaches = config.reaches.len();
        let stride = n_reaches * n_bins;
        let mut values = vec![0f32; inputs.tracks.len() * stride];
        let has_gaps = AtomicBool::new(false);
        if stride > 0 {
            values
                .par_chunks_mut(stride)
                .enumerate()
                .try_for_each_init(
                    || (vec![0f32; n_read], vec![0f64; n_read + 1]),
                    |(raw, running), (track, out)| {
                        read(track, raw)?;
                        let scale = inputs.tracks[track].scale;
                        if raw.iter().any(|v| v.is_nan()) {
                            has_gaps.store(true, Ordering::Relaxed);
                            raw.iter_mut().for_each(|v| *v = scale.standardise(*v));
                            means_with_gaps(&config.reaches, raw, start, n_bins, out);
                            return Ok(());
                        }
                        for i in 0..n_read {
                            raw[i] = scale.standardise(raw[i]);
                            running[i + 1] = running[i] + f64::from(raw[i]);
                        }
                        for (reach, out) in config.reaches.iter().zip(out.chunks_exact_mut(n_bins))
                        {
                            if *reach == 0 {
                                out.copy_from_slice(&raw[start..start + n_bins]);
                                continue;
                            }
                            for (i, mean) in out.iter_mut().enumerate() {
                                let low = (start + i).saturating_sub(*reach);
                                let high = (start + i + reach + 1).min(n_read);
                                *mean =
                                    ((running[high] - running[low]) / (high - low) as f64) as f32;
                            }
                        }
                        Ok(())
                    },
                )?;
        }
        let has_gaps = has_gaps.into_inner();
        let mut counts = vec![0; config.assays];
        let mut sums = vec![0f32; config.assays * stride];
        let mut counts_at = has_gaps.then(|| vec![0u16; config.assays * stride]);
        for (track, values) in inputs.tracks.iter().zip(values.chunks_exact(stride.max(1))) {
            let assay = track.assay as usize;
            if assay < config.assays && !track.added {
                counts[assay] += 1;
                let place = assay * stride..(assay + 1) * stride;
                let sums = &mut sums[place.clone()];
                let Some(counts_at) = &mut counts_at else {
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
                    continue;
                };
                let each = sums.iter_mut().zip(&mut counts_at[place]).zip(values);
                for ((sum, n), value) in each.filter(|(_, v)| !v.is_nan()) {
                    *sum += value;
                    *n += 1;
                }
            }
        }
        Ok(SignalBlock {
            n_bins,
            n_reaches,
            values,
            sums,
            counts,
            counts_at,
        })
    }

    /// Whether some track has no data at some bin that was read.
    pub fn has_gaps(&self) -> bool {
        self.counts_at.is_some()
    }

    /// How many bins.
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// Bytes of memory that a bin takes.
    pub fn bytes_per_bin(config: &RefinementConfig, n_tracks: usize) -> u64 {
        (4 * config.reaches.len() * (n_tracks + config.assays)) as u64
    }

    /// A track's means over a neighbourhood; NaN where it has no data there.
    pub fn track(&self, track: usize, reach: usize) -> &[f32] {
        let at = (track * self.n_reaches + reach) * self.n_bins;
        &self.values[at..at + self.n_bins]
    }

    pub(super) fn sum(&self, assay: usize, reach: usize) -> &[f32] {
        let at = (assay * self.n_reaches + reach) * self.n_bins;
        &self.sums[at..at + self.n_bins]
    }

    pub(super) fn count(&self, assay: usize) -> usize {
        self.counts[assay]
    }

    /// Over how many tracks a sum is.
    pub(super) fn count_at(&self, assay: usize, reach: usize, bin: usize) -> usize {
        match &self.counts_at {
            Some(counts) => {
                usize::from(counts[(assay * self.n_reaches + reach) * self.n_bins + bin])
            }
            None => self.counts[assay],
        }
    }
}

/// Means over each reach of the bins with data; `raw` is standardised, `out` is `[reach, bin]`.
fn means_with_gaps(reaches: &[usize], raw: &[f32], start: usize, n_bins: usize, out: &mut [f32]) {
    let mut running = vec![(0f64, 0u32); raw.len() + 1];
    for (i, value) in raw.iter().enumerate() {
        let (sum, n) = running[i];
        running[i + 1] = match value.is_nan() {
            true => (sum, n),
            false => (sum + f64::from(*value), n + 1),
        };
    }
    for (reach, out) in reaches.iter().zip(out.chunks_exact_mut(n_bins)) {
        if *reach == 0 {
            out.copy_from_slice(&raw[start..start + n_bins]);
            continue;
        }
        for (i, mean) in out.iter_mut().enumerate() {
            let low = running[(start + i).saturating_sub(*reach)];
            let high = running[(start + i + reach + 1).min(raw.len())];
            // 0 / 0, of a neighbourhood without data, is NaN.
            *mean = ((high.0 - low.0) / f64::from(high.1 - low.1)) as f32;
        }
    }
}
