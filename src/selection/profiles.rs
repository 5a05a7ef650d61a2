//! Numbers to compare biosamples, assays and experiments by: imputed and observed signal at bins
//! scattered over the genome, and the blocks of the genome that a bootstrap draws.

use std::ops::Range;

use super::probes::draw;
use crate::compendium::{Experiment, TracksOnAxis};
use crate::genome::{GenomeAxis, Mask};
use crate::imputation::Stream;
use crate::model::TrainedModel;
use crate::random::{Purpose, below, generator};
use crate::store::{Database, Track};

/// Which stream of chance draws the bins.
const SAMPLE: u64 = 2;
/// Bins that are read at once at most.
const READ_BINS: u64 = 1 << 14;
/// Longest block of a bootstrap: 5 Mb.
const BLOCK_BINS: u64 = 200_000;
/// From so many regions on, regions are the blocks.
const ENOUGH_REGIONS: usize = 20;
/// Blocks that fewer regions are cut into, about.
const WANTED_BLOCKS: u64 = 50;

/// Unmasked bins of an axis: one drawn at random from each of so many equal parts of them.
pub(super) struct Sample {
    /// Ascending.
    bins: Vec<u64>,
    /// The block that each lies in, from 0.
    blocks: Vec<usize>,
}

impl Sample {
    /// Draws about `wanted` bins (all of them where there are fewer).
    pub(super) fn new(
        database: &Database,
        axis: &GenomeAxis,
        wanted: u64,
        seed: u64,
    ) -> crate::Result<Self> {
        let mask = Mask::new(axis, &database.mask_intervals()?);
        let wanted = wanted.clamp(2, axis.n_bins()) as usize;
        let bins = draw(axis, &mask, wanted, seed, SAMPLE)?;
        let blocks = blocks(axis, &bins);
        Ok(Sample { bins, blocks })
    }

    /// How many bins there are.
    pub(super) fn width(&self) -> usize {
        self.bins.len()
    }

    /// The bins of every other block, and those of the blocks between them.
    pub(super) fn halves(&self) -> [Sample; 2] {
        [0, 1].map(|half| {
            let own = (self.bins.iter().zip(&self.blocks)).filter(|(_, block)| *block % 2 == half);
            let (bins, blocks) = own.map(|(bin, block)| (*bin, block / 2)).unzip();
            Sample { bins, blocks }
        })
    }

    /// The block that each bin lies in, from 0, ascending.
    pub(super) fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// What a model imputes, `[experiments, bins]`, arcsinh.
    pub(super) fn imputed(
        &self,
        database: &Database,
        model: &TrainedModel,
        experiments: &[Experiment],
    ) -> crate::Result<Vec<f32>> {
        let n = self.bins.len();
        let spans: Vec<Range<u64>> = self.bins.iter().map(|bin| *bin..bin + 1).collect();
        let mut all = Vec::with_capacity(experiments.len() * n);
        // As many at once as a walk along the genome serves well.
        for some in experiments.chunks(64) {
            let mut values = vec![0f32; some.len() * n];
            let mut filled = vec![0; some.len()];
            let stream = Stream::new(database, model);
            stream.run::<crate::Error>(some, &spans, &mut |place, _, piece| {
                let from = place * n + filled[place];
                values[from..from + piece.len()].copy_from_slice(piece);
                filled[place] += piece.len();
                Ok(())
            })?;
            all.extend(values);
        }
        Ok(all)
    }

    /// What is stored of tracks, `[tracks, bins]`, arcsinh; NaN where a track has no data. `progress` receives how many tracks are read.
    pub(super) fn observed(
        &self,
        database: &Database,
        tracks: &[Track],
        progress: &mut dyn FnMut(usize),
    ) -> crate::Result<Vec<f32>> {
        let signal = TracksOnAxis::open(database, database.axis(), tracks)?;
        let mut all = Vec::with_capacity(tracks.len() * self.width());
        let mut read = vec![0f32; READ_BINS as usize];
        for track in 0..tracks.len() {
            for together in self.bins.chunk_by(|a, b| a / READ_BINS == b / READ_BINS) {
                let (first, last) = (together[0], together[together.len() - 1]);
                let read = &mut read[..(last + 1 - first) as usize];
                signal.read(track, first..last + 1, read)?;
                all.extend(together.iter().map(|bin| read[(bin - first) as usize]));
            }
            progress(track + 1);
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

/// The block that each of some ascending bins lies in. Where there are 20 regions or more, a region is a
/// block, cut into pieces where it is longer than 5 Mb; fewer regions are cut into about 50 pieces.
fn blocks(axis: &GenomeAxis, bins: &[u64]) -> Vec<usize> {
    let longest = match axis.regions().len() {
        ENOUGH_REGIONS.. => BLOCK_BINS,
        _ => (axis.n_bins().div_ceil(WANTED_BLOCKS)).clamp(1, BLOCK_BINS),
    };
    let piece = |bin: u64| {
        let region = axis.locate(bin).region;
        let of_region = axis.region_bins(region);
        let n = (of_region.end - of_region.start).div_ceil(longest);
        (
            region,
            (bin - of_region.start) * n / (of_region.end - of_region.start),
        )
    };
    let mut number = 0;
    let mut last = None;
    let mut blocks = Vec::with_capacity(bins.len());
    for bin in bins {
        let piece = piece(*bin);
        if last.is_some_and(|last| last != piece) {
            number += 1;
        }
        last = Some(piece);
        blocks.push(number);
    }
    blocks
}

/// How often each position counts in one resample: as many blocks are drawn with replacement as there
/// are, and a position counts as often as its block was drawn.
pub(super) fn resample(blocks: &[usize], seed: u64, number: u64) -> Vec<f32> {
    let n = blocks.last().map_or(0, |last| last + 1);
    let mut rng = generator(seed, Purpose::Bootstrap, (4 << 32) + number);
    let mut counts = vec![0f32; n];
    for _ in 0..n {
        counts[below(&mut rng, n as u32) as usize] += 1.0;
    }
    blocks.iter().map(|b| counts[*b]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Interval, Region};
    use crate::store::test_support::{store_track, toy_database};

    fn axis(lengths: &[u64]) -> GenomeAxis {
        let list = [("c".to_string(), 100_000_000)];
        let assembly = Assembly::from_chromosomes("a", &list).unwrap();
        let mut first_bin = 0;
        let regions = lengths.iter().map(|n_bins| {
            first_bin += 10;
            let region = Region {
                name: None,
                chrom: "c".into(),
                first_bin,
                n_bins: *n_bins,
            };
            first_bin += n_bins;
            region
        });
        GenomeAxis::new(assembly, regions.collect()).unwrap()
    }

    #[test]
    fn bins_are_scattered_over_all_regions_in_proportion_to_their_length_and_none_is_masked() {
        let axis = axis(&[1_000, 3_000, 6_000]);
        // The first half of the second region is masked: bins 1,000 to 2,499 of the axis.
        let masked = Interval::new("c", (10 + 1_000 + 10) * 25, (10 + 1_000 + 10 + 1_500) * 25);
        let mask = Mask::new(&axis, &[masked]);
        assert_eq!(mask.n_masked(), 1_500);
        let bins = draw(&axis, &mask, 85, 7, SAMPLE).unwrap();
        assert_eq!(bins.len(), 85);
        assert!(bins.is_sorted() && bins.iter().all(|b| !mask.is_masked(*b)));
        // One from each 100 unmasked bins: 10, 15 and 60.
        let within = |range: Range<u64>| bins.iter().filter(|b| range.contains(b)).count();
        assert_eq!(
            [
                within(0..1_000),
                within(1_000..4_000),
                within(4_000..10_000)
            ],
            [10, 15, 60]
        );
        assert_eq!(draw(&axis, &mask, 85, 7, SAMPLE).unwrap(), bins);
        assert_ne!(draw(&axis, &mask, 85, 8, SAMPLE).unwrap(), bins);
        // All of them, where there are no more.
        assert_eq!(draw(&axis, &mask, 99_999, 7, SAMPLE).unwrap().len(), 8_500);
    }

    #[test]
    fn regions_are_blocks_where_there_are_many_and_pieces_of_them_where_there_are_few() {
        let many = axis(&[50; 20]);
        let bins: Vec<u64> = (0..1_000).step_by(10).collect();
        let expected: Vec<usize> = bins.iter().map(|b| (b / 50) as usize).collect();
        assert_eq!(blocks(&many, &bins), expected);
        // 1,000 bins in two regions: pieces of 20.
        let few = axis(&[400, 600]);
        let expected: Vec<usize> = bins.iter().map(|b| (b / 20) as usize).collect();
        assert_eq!(blocks(&few, &bins), expected);
    }

    #[test]
    fn halves_share_no_block() {
        let sample = Sample {
            bins: (0..10).collect(),
            blocks: vec![0, 0, 1, 1, 1, 2, 3, 4, 4, 5],
        };
        let [even, odd] = sample.halves();
        assert_eq!(even.bins, [0, 1, 5, 7, 8]);
        assert_eq!(even.blocks, [0, 0, 1, 2, 2]);
        assert_eq!(odd.bins, [2, 3, 4, 6, 9]);
        assert_eq!(odd.blocks, [0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_resample_draws_whole_blocks_as_many_as_there_are() {
        let blocks = [0, 0, 0, 1, 1, 2, 3, 3];
        let mut differ = false;
        for number in 0..20 {
            let weights = resample(&blocks, 1, number);
            assert_eq!(weights, resample(&blocks, 1, number));
            assert!(weights[0] == weights[1] && weights[0] == weights[2]);
            assert!(weights[3] == weights[4] && weights[6] == weights[7]);
            assert_eq!(weights[0] + weights[3] + weights[5] + weights[6], 4.0);
            differ |= weights != resample(&blocks, 1, number + 1);
        }
        assert!(differ);
    }

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
