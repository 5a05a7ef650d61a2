//! The training tracks as an encoder reads them.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::factorization::{FactorizationError, TrainingSet};
use crate::model::{EncoderConfig, InputScale, Stretch, Surroundings, TrackScale};

/// Standard deviations below this are taken for it.
const LEAST_DEVIATION: f32 = 1e-3;

/// What an encoder is shown: the training tracks, as they are described along the axis.
pub(super) struct Descriptions {
    pub set: Arc<TrainingSet>,
    pub config: EncoderConfig,
    pub scales: Vec<TrackScale>,
    pub input_scales: [InputScale; 3],
    pub stretches: Vec<Stretch>,
}

impl Descriptions {
    /// Reads and describes a stretch; `within` cuts its windows.
    pub fn describe(
        &self,
        stretch: &Stretch,
        within: &Range<u64>,
    ) -> Result<Surroundings, FactorizationError> {
        let read = |track: usize, bins, out: &mut [f32]| self.set.source.read(track, bins, out);
        Surroundings::describe(stretch, within, self.config.read_tracks(&self.scales), read)
    }

    /// Bins of a stretch that are not masked, counted from its start.
    pub fn kept(&self, stretch: &Stretch) -> Vec<u32> {
        let first = stretch.axis_bin(stretch.bins.start);
        (0..stretch.n_bins() as u32)
            .filter(|b| !self.set.mask.is_masked(first + u64::from(*b)))
            .collect()
    }

    /// Mean and deviation of every number of the description over the rows of the axis that hold a
    /// bin that is not masked.
    pub fn measure(&self) -> Result<[InputScale; 3], FactorizationError> {
        let widths = [0, 1, 2].map(|s| self.config.described(s));
        let mut sums = widths.map(|w| vec![[0f64; 3]; w]);
        // A few stretches at a time, summed in the axis' order.
        for part in self.stretches.chunks(16) {
            let found = part.par_iter().map(|stretch| {
                let surroundings = self.describe(stretch, &stretch.region_bins)?;
                let kept = self.kept(stretch);
                let mut sums = widths.map(|w| vec![[0f64; 3]; w]);
                for (s, sums) in sums.iter_mut().enumerate() {
                    let bins = [200, 10, 1][s];
                    let offset = stretch.bins.start % bins;
                    let mut rows: Vec<usize> = kept
                        .iter()
                        .map(|b| ((u64::from(*b) + offset) / bins) as usize)
                        .collect();
                    rows.dedup();
                    for row in rows {
                        let values = &surroundings.values[s][row * widths[s]..][..widths[s]];
                        for (sum, value) in sums.iter_mut().zip(values).filter(|(_, v)| !v.is_nan())
                        {
                            let value = f64::from(*value);
                            sum[0] += 1.0;
                            sum[1] += value;
                            sum[2] += value * value;
                        }
                    }
                }
                Ok(sums)
            });
            let found: Vec<_> = found.collect::<Result<_, FactorizationError>>()?;
            for of_stretch in found {
                for (sums, part) in sums.iter_mut().flatten().zip(of_stretch.iter().flatten()) {
                    for (sum, value) in sums.iter_mut().zip(part) {
                        *sum += value;
                    }
                }
            }
        }
        Ok(sums.map(|sums| {
            let mean = |s: &[f64; 3]| s[1] / s[0].max(1.0);
            let deviation =
                |s: &[f64; 3]| (s[2] / s[0].max(1.0) - mean(s) * mean(s)).max(0.0).sqrt();
            InputScale {
                mean: sums.iter().map(|s| mean(s) as f32).collect(),
                deviation: sums
                    .iter()
                    .map(|s| (deviation(s) as f32).max(LEAST_DEVIATION))
                    .collect(),
            }
        }))
    }
}
