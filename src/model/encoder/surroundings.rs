//! All tracks' signal around the rows of a stretch.

use std::ops::Range;

use super::read_tracks::{Pooled, ReadTracks};
use super::windows::{Sums, WINDOWS};
use crate::genome::{GenomeAxis, Resolution};

/// Bins on either side of a stretch that its description reads: the widest window around its outermost row.
pub const HALO: u64 = 800;

/// 5 kbp rows of a stretch at most: about 16,000 bins.
const ROWS: u64 = 80;

/// Consecutive bins of one region that hold whole 5 kbp rows, apart from those that the region's
/// ends cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The region, in the axis' order.
    pub region: usize,
    /// Its bins, counted on the chromosome.
    pub region_bins: Range<u64>,
    /// The axis bin that the region starts with.
    pub axis_start: u64,
    /// The stretch's bins, counted on the chromosome.
    pub bins: Range<u64>,
}

impl Stretch {
    /// An axis as stretches, in its order.
    pub fn all(axis: &GenomeAxis) -> Vec<Stretch> {
        let size = ROWS * Resolution::Kbp5.bins();
        let mut stretches = Vec::new();
        for (region, of) in axis.regions().iter().enumerate() {
            let region_bins = of.first_bin..of.end_bin();
            let mut start = region_bins.start;
            while start < region_bins.end {
                let end = ((start / size + 1) * size).min(region_bins.end);
                stretches.push(Stretch {
                    region,
                    region_bins: region_bins.clone(),
                    axis_start: axis.region_bins(region).start,
                    bins: start..end,
                });
                start = end;
            }
        }
        stretches
    }

    /// How many bins.
    pub fn n_bins(&self) -> usize {
        (self.bins.end - self.bins.start) as usize
    }

    /// The axis bin of a bin of the chromosome.
    pub fn axis_bin(&self, chrom_bin: u64) -> u64 {
        self.axis_start + chrom_bin - self.region_bins.start
    }

    /// Its rows at a resolution, counted on the chromosome.
    pub fn rows(&self, scale: Resolution) -> Range<u64> {
        self.bins.start / scale.bins()..(self.bins.end - 1) / scale.bins() + 1
    }
}

/// What describes every row of a stretch. Resolutions are coarsest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// At each resolution `[row, window, input]`: in standard deviations of the track over bins, or their mean over
    /// the tracks of a pool; NaN where no bin of a window has data.
    pub values: [Vec<f32>; 3],
    /// At each resolution `[row, input]`: the share of the row's surroundings that has data.
    pub seen: [Vec<f32>; 3],
}

impl Surroundings {
    /// Describes a stretch. `within` cuts the windows: the region, or less where training shortens it.
    /// `read` fills in a track's stored values over axis bins.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn describe<E>(
        stretch: &Stretch,
        within: &Range<u64>,
        tracks: ReadTracks<'_>,
        mut read: impl FnMut(usize, Range<u64>, &mut [f32]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let n_tracks = tracks.n_inputs();
        let first = stretch.bins.start.saturating_sub(HALO).max(within.start);
        let end = (stretch.bins.end + HALO).min(within.end);
        let n_rows = resolutions().map(|scale| {
            let rows = stretch.rows(scale);
            (rows.end - rows.start) as usize
        });
        let mut all = Surroundings {
            values: [0, 1, 2].map(|s| vec![0.0; n_rows[s] * WINDOWS[s] * n_tracks]),
            seen: [0, 1, 2].map(|s| vec![0.0; n_rows[s] * n_tracks]),
        };
        let (mut raw, mut sums) = (vec![0f32; (end - first) as usize], Sums::new());
        let mut summary = [0f32; 8];
        let mut pooled = Pooled::default();
        let bins = stretch.axis_bin(first)..stretch.axis_bin(end);
        for (track, members) in tracks.members().iter().enumerate() {
            if let [member] = members.as_slice() {
                read(*member, bins.clone(), &mut raw)?;
                let scale = tracks.scales[*member];
                sums.fill(first, raw.iter().map(|v| scale.standardise(*v)));
            } else {
                pooled.clear(raw.len());
                for member in members {
                    read(*member, bins.clone(), &mut raw)?;
                    let scale = tracks.scales[*member];
                    pooled.add(raw.iter().map(|v| scale.standardise(*v)));
                }
                sums.fill(first, pooled.means());
            }
            for (s, resolution) in resolutions().into_iter().enumerate() {
                let (size, windows) = (resolution.bins(), WINDOWS[s]);
                let summary = &mut summary[..windows];
                for (i, row) in stretch.rows(resolution).enumerate() {
                    let bins = (row * size).max(within.start)..((row + 1) * size).min(within.end);
                    all.seen[s][i * n_tracks + track] = sums.describe(s, &bins, within, summary);
                    for (w, value) in summary.iter().enumerate() {
                        all.values[s][(i * windows + w) * n_tracks + track] = *value;
                    }
                }
            }
        }
        Ok(all)
    }

    /// How many rows at a resolution.
    pub fn n_rows(&self, resolution: usize, n_tracks: usize) -> usize {
        self.seen[resolution].len() / n_tracks.max(1)
    }
}

/// 5 kbp, 250 bp, 25 bp.
pub(super) fn resolutions() -> [Resolution; 3] {
    [Resolution::Kbp5, Resolution::Bp250, Resolution::Bp25]
}
