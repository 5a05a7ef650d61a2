//! The standardised signal of a stretch, at every neighbourhood.

use std::ops::Range;

use rayon::prelude::*;

use super::{Inputs, RefinementConfig};

/// All input tracks over consecutive bins of one region, standardised, each as means over every
/// neighbourhood; and their sums by assay.
#[derive(Debug, Clone)]
pub struct SignalBlock {
    n_bins: usize,
    n_reaches: usize,
    /// `[track, reach, bin]`.
    values: Vec<f32>,
    /// `[assay, reach, bin]`: sums over the tracks of each assay, those added later left out.
    sums: Vec<f32>,
    /// Tracks of each assay.
    counts: Vec<usize>,
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
    /// values as they are stored, `n_read` of them. A neighbourhood ends where the reading ends.
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
        if stride > 0 {
            values
                .par_chunks_mut(stride)
                .enumerate()
                .try_for_each_init(
                    || (vec![0f32; n_read], vec![0f64; n_read + 1]),
                    |(raw, running), (track, out)| {
                        read(track, raw)?;
                        let scale = inputs.tracks[track].scale;
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
        let mut counts = vec![0; config.assays];
        let mut sums = vec![0f32; config.assays * stride];
        for (track, values) in inputs.tracks.iter().zip(values.chunks_exact(stride.max(1))) {
            let assay = track.assay as usize;
            if assay < config.assays && !track.added {
                counts[assay] += 1;
                let sums = &mut sums[assay * stride..(assay + 1) * stride];
                sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
            }
        }
        Ok(SignalBlock {
            n_bins,
            n_reaches,
            values,
            sums,
            counts,
        })
    }

    /// How many bins.
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// Bytes of memory that a bin takes.
    pub fn bytes_per_bin(config: &RefinementConfig, n_tracks: usize) -> u64 {
        (4 * config.reaches.len() * (n_tracks + config.assays)) as u64
    }

    /// A track's means over a neighbourhood.
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
}
