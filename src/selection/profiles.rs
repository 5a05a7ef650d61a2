//! Numbers to compare biosamples, assays and experiments by: imputed and observed signal at bins spread
//! over the genome.

use std::ops::Range;

use crate::compendium::{Experiment, TracksOnAxis};
use crate::genome::{GenomeAxis, Mask, Resolution};
use crate::imputation::Stream;
use crate::model::TrainedModel;
use crate::store::{Database, Track};

/// Bins of an axis, about so many, in short stretches spread evenly; masked bins are left out.
pub(super) struct Sample {
    stretches: Vec<Range<u64>>,
    /// Which of the stretches' bins count, one after another.
    kept: Vec<bool>,
}

impl Sample {
    pub(super) fn new(database: &Database, axis: &GenomeAxis, wanted: u64) -> crate::Result<Self> {
        let wanted = wanted.clamp(1, axis.n_bins());
        let n = wanted.div_ceil(Resolution::Kbp5.bins());
        let length = wanted / n;
        let stretch = |i: u64| {
            // The middle of each of so many equal parts of the axis, cut at its region's end.
            let middle = axis.n_bins() * (2 * i + 1) / (2 * n);
            let first = middle.saturating_sub(length / 2);
            let region = axis.region_bins(axis.locate(first).region);
            first..region.end.min(first + length.max(1))
        };
        let stretches: Vec<Range<u64>> = (0..n).map(stretch).collect();
        let mask = Mask::new(axis, &database.mask_intervals()?);
        let bins = stretches.iter().cloned().flatten();
        let kept: Vec<bool> = bins.map(|bin| !mask.is_masked(bin)).collect();
        Ok(Sample { stretches, kept })
    }

    /// How many bins count.
    pub(super) fn width(&self) -> usize {
        self.kept.iter().filter(|k| **k).count()
    }

    fn keep(&self, values: &[f32], out: &mut Vec<f32>) {
        let kept = values.iter().zip(&self.kept).filter(|(_, k)| **k);
        out.extend(kept.map(|(v, _)| *v));
    }

    /// What a model imputes, `[experiments, bins]`, arcsinh.
    pub(super) fn imputed(
        &self,
        database: &Database,
        model: &TrainedModel,
        experiments: &[Experiment],
    ) -> crate::Result<Vec<f32>> {
        let n = self.kept.len();
        let mut all = Vec::with_capacity(experiments.len() * self.width());
        // As many at once as a walk along the genome serves well.
        for some in experiments.chunks(64) {
            let mut values = vec![0f32; some.len() * n];
            let mut filled = vec![0; some.len()];
            let stream = Stream::new(database, model);
            stream.run::<crate::Error>(some, &self.stretches, &mut |place, _, piece| {
                let from = place * n + filled[place];
                values[from..from + piece.len()].copy_from_slice(piece);
                filled[place] += piece.len();
                Ok(())
            })?;
            for track in values.chunks_exact(n.max(1)) {
                self.keep(track, &mut all);
            }
        }
        Ok(all)
    }

    /// What is stored of tracks, `[tracks, bins]`, arcsinh; NaN where a track has no data.
    pub(super) fn observed(
        &self,
        database: &Database,
        tracks: &[Track],
    ) -> crate::Result<Vec<f32>> {
        let signal = TracksOnAxis::open(database, database.axis(), tracks)?;
        let mut all = Vec::with_capacity(tracks.len() * self.width());
        for track in 0..tracks.len() {
            let mut values = Vec::with_capacity(self.kept.len());
            for bins in &self.stretches {
                let mut piece = vec![0f32; (bins.end - bins.start) as usize];
                signal.read(track, bins.clone(), &mut piece)?;
                values.extend(piece);
            }
            self.keep(&values, &mut all);
        }
        Ok(all)
    }
}

/// Signal `[tracks, width]` with a value in place of each that is NaN: the mean of the assay's other tracks at that
/// bin, so that a bin without data makes a track neither more nor less like another; where none of them has data, the
/// track's own mean.
pub(super) fn filled(values: &[f32], width: usize, tracks: &[Track]) -> Vec<f32> {
    let mut all = values.to_vec();
    let mean = |known: &mut dyn Iterator<Item = f32>| {
        let known = known.filter(|v| !v.is_nan());
        let (sum, n) = known.fold((0f64, 0u32), |(sum, n), v| (sum + f64::from(v), n + 1));
        (n > 0).then(|| (sum / f64::from(n)) as f32)
    };
    for (place, track) in tracks.iter().enumerate() {
        let row = &values[place * width..(place + 1) * width];
        if !row.iter().any(|v| v.is_nan()) {
            continue;
        }
        let own = mean(&mut row.iter().copied()).unwrap_or(0.0);
        let others: Vec<usize> = (0..tracks.len())
            .filter(|o| *o != place && tracks[*o].assay == track.assay)
            .collect();
        for bin in (0..width).filter(|bin| row[*bin].is_nan()) {
            let there = mean(&mut others.iter().map(|o| values[o * width + bin]));
            all[place * width + bin] = there.unwrap_or(own);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_support::{store_track, toy_database};

    #[test]
    fn a_bin_without_data_is_what_the_assays_other_tracks_show_there() {
        let (_folder, database) = toy_database();
        for (biosample, assay) in [("a", "x"), ("b", "x"), ("c", "x"), ("c", "y")] {
            store_track(&database, biosample, assay, &[1.0; 200]);
        }
        let tracks = database.tracks().unwrap();
        let nan = f32::NAN;
        let values = [
            [1.0, nan, nan, 3.0],
            [2.0, 4.0, nan, nan],
            [6.0, 8.0, nan, 5.0],
            [9.0, nan, 9.0, 9.0],
        ];
        let expected = [
            // (4 + 8) / 2 of the others; of the third bin nobody knows: 2 is the track's mean.
            [1.0, 6.0, 2.0, 3.0],
            [2.0, 4.0, 3.0, 4.0],
            [6.0, 8.0, 19.0 / 3.0, 5.0],
            // Of another assay: its own mean.
            [9.0; 4],
        ];
        assert_eq!(filled(&values.concat(), 4, &tracks), expected.concat());
    }
}
