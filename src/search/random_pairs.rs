//! How near is near? Distances of random pairs of positions, among which that of a hit is ranked.
//!
//! The pairs are drawn once a model and metric and kept in `index/`, sorted, for hits of each width. An
//! index without them, and one whose mask or model has changed, gets them with the next search.

use std::path::PathBuf;

use super::SearchError;
use super::flat::{Flat, FlatWriter, Origin};
use super::parts::axis_hash;
use super::view::Metric;
use crate::annotation::BinBits;
use crate::genome::{GenomeAxis, Resolution};
use crate::model::TrainedModel;
use crate::random::{Purpose, below, generator};
use crate::store::Database;

/// How many pairs are drawn.
pub const RANDOM_PAIRS: usize = 100_000;
/// With which seed.
pub const RANDOM_PAIRS_SEED: u64 = 0;
/// A best hit whose percentile is this or more is no close match.
pub const CLOSE_PERCENTILE: f64 = 1.0;

/// Sorted distances of random pairs of positions: of their bins, and of the rows that hold them.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomPairs {
    /// At each of [`Resolution::ALL`].
    distances: [Vec<f32>; 3],
}

impl RandomPairs {
    /// How many of 100 random pairs are as near as a distance between rows of a width, or nearer.
    pub fn percentile(&self, distance: f64, resolution: Resolution) -> f64 {
        let sorted = &self.distances[resolution.index()];
        let n = sorted.partition_point(|d| *d <= distance as f32);
        100.0 * n as f64 / sorted.len().max(1) as f64
    }

    /// Of unsorted distances at each of [`Resolution::ALL`].
    pub(super) fn of(mut distances: [Vec<f32>; 3]) -> Self {
        for of_resolution in &mut distances {
            of_resolution.sort_unstable_by(f32::total_cmp);
        }
        RandomPairs { distances }
    }
}

/// Draws the pairs, axis bins: the first position uniformly among the bins that are not masked, the second
/// among those of other regions, or of the same where there is no other.
pub(super) fn drawn_pairs(axis: &GenomeAxis, masked: &BinBits) -> Vec<[u64; 2]> {
    let bins = UnmaskedBins::new(axis, masked);
    (0..RANDOM_PAIRS as u64).map(|i| bins.pair(i)).collect()
}

/// The bins that are not masked, in the axis' order, to draw from.
struct UnmaskedBins {
    /// Runs of bins: how many there are before, and the first axis bin.
    runs: Vec<(u64, u64)>,
    n: u64,
    /// How many there are before the end of each region.
    regions: Vec<u64>,
}

impl UnmaskedBins {
    /// Of an axis; all of its bins where none is left.
    fn new(axis: &GenomeAxis, masked: &BinBits) -> Self {
        let is_all_masked = masked.n_bins() == axis.n_bins();
        let is_masked = |bin| !is_all_masked && masked.contains(bin);
        let (mut runs, mut regions, mut n) = (Vec::new(), Vec::new(), 0);
        for region in 0..axis.regions().len() {
            let mut is_open = false;
            for bin in axis.region_bins(region) {
                let is_wanted = !is_masked(bin);
                if is_wanted && !is_open {
                    runs.push((n, bin));
                }
                is_open = is_wanted;
                n += u64::from(is_wanted);
            }
            regions.push(n);
        }
        UnmaskedBins { runs, n, regions }
    }

    /// The axis bin of a place among them.
    fn bin(&self, place: u64) -> u64 {
        let run = self.runs.partition_point(|(before, _)| *before <= place);
        let (before, first) = self.runs[run.saturating_sub(1)];
        first + place - before
    }

    /// The `i`-th pair.
    fn pair(&self, i: u64) -> [u64; 2] {
        let mut rng = generator(RANDOM_PAIRS_SEED, Purpose::RandomPairs, i);
        let first = u64::from(below(&mut rng, self.n as u32));
        let region = self.regions.partition_point(|end| *end <= first);
        let start = match region {
            0 => 0,
            _ => self.regions[region - 1],
        };
        let own = self.regions[region] - start;
        let second = match self.n - own {
            0 => u64::from(below(&mut rng, self.n as u32)),
            others => match u64::from(below(&mut rng, others as u32)) {
                before if before < start => before,
                after => after + own,
            },
        };
        [self.bin(first), self.bin(second)]
    }
}

/// Where a model's pairs are kept, and what they are made of.
#[derive(Debug)]
pub(super) struct PairsFile {
    pub path: PathBuf,
    origin: Origin,
    pub masked: BinBits,
}

impl PairsFile {
    pub fn new(database: &Database, model: &TrainedModel, metric: Metric) -> crate::Result<Self> {
        let axis = model.axis();
        let mask = database.mask_intervals()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&axis_hash(axis));
        for interval in &mask {
            hasher.update(interval.chrom.as_bytes());
            hasher.update(&[0]);
            hasher.update(&interval.start.to_le_bytes());
            hasher.update(&interval.end.to_le_bytes());
        }
        let kind = metric.name();
        let name = format!("model{}.{kind}.random_pairs", model.stored().id);
        Ok(PairsFile {
            path: database.index_folder().join(name),
            origin: Origin {
                kind: format!("{RANDOM_PAIRS} random pairs, seed {RANDOM_PAIRS_SEED}, {kind}"),
                model: model.stored().checksum.clone(),
                axis: *hasher.finalize().as_bytes(),
            },
            masked: BinBits::of(
                axis.n_bins(),
                mask.iter().flat_map(|interval| axis.bins_within(interval)),
            ),
        })
    }

    /// The pairs as they were kept.
    ///
    /// # Errors
    /// When the file is missing, stale or damaged.
    pub fn open(&self) -> Result<RandomPairs, SearchError> {
        let rows = RANDOM_PAIRS as u64;
        let file = Flat::open(&self.path, &self.origin, rows, Resolution::ALL.len())?;
        let numbers = file.group(0..rows)?;
        Ok(RandomPairs {
            distances: [0, 1, 2].map(|s| numbers[s * RANDOM_PAIRS..][..RANDOM_PAIRS].to_vec()),
        })
    }

    /// Keeps the pairs. Whoever calls holds the index's lock.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, pairs: &RandomPairs) -> Result<(), SearchError> {
        let cols = Resolution::ALL.len();
        let mut file = FlatWriter::create(&self.path, self.origin.clone(), cols)?;
        for distances in &pairs.distances {
            file.write(distances)?;
        }
        file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::example_database;

    #[test]
    fn a_percentile_counts_the_pairs_that_are_as_near() {
        let sorted = vec![0.0, 1.0, 1.0, 3.0];
        let pairs = RandomPairs {
            distances: [sorted, vec![2.0], vec![]],
        };
        for (distance, expected) in [
            (0.0, 25.0),
            (0.5, 25.0),
            (1.0, 75.0),
            (2.9, 75.0),
            (3.0, 100.0),
        ] {
            assert_eq!(pairs.percentile(distance, Resolution::Bp25), expected);
        }
        assert_eq!(pairs.percentile(1.9, Resolution::Bp250), 0.0);
    }

    #[test]
    fn pairs_lie_in_two_regions_and_not_in_the_mask_and_reach_every_other_bin() {
        let (_folder, database) = example_database().unwrap();
        let axis = database.axis();
        // All of the first region but its ends, and a tenth of the others.
        let own = axis.region_bins(0);
        let others = (own.end..axis.n_bins()).filter(|b| b % 10 == 0);
        let masked = others
            .map(|b| b..b + 1)
            .chain(std::iter::once(1..own.end - 1));
        let masked = BinBits::of(axis.n_bins(), masked);
        let bins = UnmaskedBins::new(axis, &masked);
        assert_eq!(bins.n, axis.n_bins() - masked.n_bins());
        let mut seen = BinBits::none(axis.n_bins());
        for i in 0..RANDOM_PAIRS as u64 {
            let pair = bins.pair(i);
            assert_ne!(axis.locate(pair[0]).region, axis.locate(pair[1]).region);
            assert!(pair.iter().all(|bin| !masked.contains(*bin)));
            seen.unite(&BinBits::of(axis.n_bins(), pair.map(|bin| bin..bin + 1)));
        }
        // Each of the 10,000 bins of the largest region is missed with a probability of e⁻¹⁰.
        assert!(seen.n_bins() + 5 > bins.n);
        for region in 0..axis.regions().len() {
            let unmasked = axis.region_bins(region).filter(|b| !masked.contains(*b));
            let unmasked: Vec<u64> = unmasked.collect();
            assert!(seen.contains(unmasked[0]) && seen.contains(unmasked[unmasked.len() - 1]));
        }
    }
}
