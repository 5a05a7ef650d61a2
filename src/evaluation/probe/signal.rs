//! The signal as a representation of a bin: at three resolutions, and as means over six windows.
//!
//! Sums begin at the 5 kbp row that holds a bin, so that a value has the same bits whichever block it
//! was computed in. Masked bins are part of a window or row, as they are of the network's inputs.

use rayon::prelude::*;

use super::blocks::Block;
use super::source::Source;
use crate::genome::Resolution;

/// How many bins the windows reach to either side: the default refinement's.
pub(super) const REACHES: [usize; 6] = [0, 1, 5, 20, 100, 800];

/// What a bin without data counts as, and how strong the signal is in each 250 bp row.
#[derive(Debug, Clone, Default)]
pub(super) struct Overview {
    /// Each track's mean over unmasked bins that have data.
    pub means: Vec<f32>,
    /// The sum over tracks of the row's mean, row by row of the axis.
    pub activity: Vec<f32>,
}

impl Overview {
    /// Reads all signal twice; `progress` is called for each block that is done.
    ///
    /// # Errors
    /// When a track cannot be read.
    pub fn read(
        source: &Source<'_>,
        blocks: &[Block],
        progress: &mut dyn FnMut(usize),
    ) -> crate::Result<Self> {
        let mut sums = vec![(0f64, 0u64); source.n_signal];
        for (i, block) in blocks.iter().enumerate() {
            let masked = source.masked_in(block);
            sums.par_iter_mut()
                .enumerate()
                .try_for_each(|(track, (sum, n))| {
                    let mut values = vec![0f32; block.n_bins()];
                    (source.signal)(track, block.bins.clone(), &mut values)?;
                    for (value, masked) in values.iter().zip(masked) {
                        if !masked && value.is_finite() {
                            *sum += f64::from(*value);
                            *n += 1;
                        }
                    }
                    Ok::<(), crate::Error>(())
                })?;
            progress(i);
        }
        let mean = |(sum, n): &(f64, u64)| (sum / (*n).max(1) as f64) as f32;
        let means: Vec<f32> = sums.iter().map(mean).collect();
        let mut activity = Vec::with_capacity(source.axis.n_rows(Resolution::Bp250) as usize);
        for (i, block) in blocks.iter().enumerate() {
            let signal = Signal::read(source, block, 0, &means)?;
            for row in block.rows(Resolution::Bp250) {
                let means = signal.tracks().map(|values| mean_of(&values[row.clone()]));
                activity.push(means.sum::<f64>() as f32);
            }
            progress(blocks.len() + i);
        }
        Ok(Overview { means, activity })
    }
}

fn mean_of(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64
}

/// The signal of all tracks in a block and around it.
#[derive(Debug)]
pub(super) struct Signal {
    block: Block,
    wide: Block,
    /// `[track, bin]`.
    values: Vec<f32>,
}

impl Signal {
    /// Reads a block and up to `reach` bins (whole 5 kbp rows) on either side; a bin without data is
    /// its track's mean.
    ///
    /// # Errors
    /// When a track cannot be read.
    pub fn read(
        source: &Source<'_>,
        block: &Block,
        reach: u64,
        means: &[f32],
    ) -> crate::Result<Self> {
        let wide = block.widened(source.axis, reach);
        let n = wide.n_bins();
        let mut values = vec![0f32; source.n_signal * n];
        values
            .par_chunks_mut(n)
            .enumerate()
            .try_for_each(|(track, out)| {
                (source.signal)(track, wide.bins.clone(), out)?;
                for value in out.iter_mut().filter(|v| !v.is_finite()) {
                    *value = means[track];
                }
                Ok::<(), crate::Error>(())
            })?;
        Ok(Signal {
            block: block.clone(),
            wide,
            values,
        })
    }

    fn tracks(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.wide.n_bins())
    }

    fn start(&self) -> usize {
        (self.block.bins.start - self.wide.bins.start) as usize
    }

    /// Each track's value and its means over the bin's 250 bp and 5 kbp row: `[bins, 3 · tracks]`,
    /// the finest resolution of all tracks first.
    pub fn resolutions(&self) -> Vec<f32> {
        let start = self.start();
        let rows = [Resolution::Bp250, Resolution::Kbp5].map(|scale| self.block.rows(scale));
        self.columns(3, |values, out| {
            let n = self.block.n_bins();
            let values = &values[start..start + n];
            let (fine, coarse) = out.split_at_mut(n);
            fine.copy_from_slice(values);
            for (rows, out) in rows.iter().zip(coarse.chunks_exact_mut(n)) {
                for row in rows {
                    out[row.clone()].fill(mean_of(&values[row.clone()]) as f32);
                }
            }
        })
    }

    /// Each track's means over the windows of [`REACHES`], cut at the region's ends:
    /// `[bins, 6 · tracks]`, the narrowest window of all tracks first. What was read reaches as far
    /// as the widest.
    pub fn windows(&self) -> Vec<f32> {
        let start = self.start();
        let rows = self.wide.rows(Resolution::Kbp5);
        self.columns(REACHES.len(), |values, out| {
            let sums = RowSums::new(values, &rows);
            let n = self.block.n_bins();
            for (reach, out) in REACHES.into_iter().zip(out.chunks_exact_mut(n)) {
                for (i, mean) in out.iter_mut().enumerate() {
                    let at = start + i;
                    let low = at.saturating_sub(reach);
                    let last = (at + reach).min(values.len() - 1);
                    *mean = match reach {
                        0 => values[at],
                        _ => (sums.between(low, last) / (last - low + 1) as f64) as f32,
                    };
                }
            }
        })
    }

    /// Lays out `n` columns of each track, `[column, bin]` by `fill`, as rows of bins.
    fn columns(&self, n: usize, fill: impl Fn(&[f32], &mut [f32]) + Sync) -> Vec<f32> {
        let (n_bins, n_tracks) = (self.block.n_bins(), self.tracks().len());
        let mut by_track = vec![0f32; n_tracks * n * n_bins];
        (by_track
            .par_chunks_mut(n * n_bins)
            .zip(self.values.par_chunks_exact(self.wide.n_bins())))
        .for_each(|(out, values)| fill(values, out));
        let width = n * n_tracks;
        let mut rows = vec![0f32; width * n_bins];
        rows.par_chunks_mut(width.max(1))
            .enumerate()
            .for_each(|(bin, row)| {
                for (column, value) in row.iter_mut().enumerate() {
                    let (kind, track) = (column / n_tracks, column % n_tracks);
                    *value = by_track[(track * n + kind) * n_bins + bin];
                }
            });
        rows
    }
}

/// Sums of a track's values from the start of each 5 kbp row on.
struct RowSums {
    /// The row of each value.
    row: Vec<u32>,
    /// Up to and with each value.
    through: Vec<f64>,
    /// Before each value.
    before: Vec<f64>,
    /// Of each row.
    totals: Vec<f64>,
}

impl RowSums {
    fn new(values: &[f32], rows: &[std::ops::Range<usize>]) -> Self {
        let mut sums = RowSums {
            row: Vec::with_capacity(values.len()),
            through: Vec::with_capacity(values.len()),
            before: Vec::with_capacity(values.len()),
            totals: Vec::with_capacity(rows.len()),
        };
        for (i, row) in rows.iter().enumerate() {
            let mut sum = 0f64;
            for value in &values[row.clone()] {
                sums.row.push(i as u32);
                sums.before.push(sum);
                sum += f64::from(*value);
                sums.through.push(sum);
            }
            sums.totals.push(sum);
        }
        sums
    }

    /// The sum from one value to another, both included.
    fn between(&self, first: usize, last: usize) -> f64 {
        let (from, to) = (self.row[first] as usize, self.row[last] as usize);
        if from == to {
            return self.through[last] - self.before[first];
        }
        let whole: f64 = self.totals[from + 1..to].iter().sum();
        self.totals[from] - self.before[first] + whole + self.through[last]
    }
}
