//! The axis in blocks: what is read from the store at once, and in which order.

use crate::genome::{GenomeAxis, Mask};
use crate::random::{Purpose, generator, shuffle};

use super::Sampling;

/// Bins of a block: the inner chunk of a stored track, so that a read decodes little it discards.
pub const BLOCK_BINS: u64 = 1 << 14;

/// Consecutive bins of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The region, in the axis's order.
    pub region: usize,
    /// The first bin of the axis.
    pub first_bin: u64,
    /// How many bins.
    pub n_bins: usize,
    /// How many of them are not masked.
    pub n_kept: usize,
}

/// All blocks of an axis.
#[derive(Debug, Clone)]
pub struct Blocks {
    blocks: Vec<Block>,
}

impl Blocks {
    /// Cuts an axis into blocks of one region each.
    pub fn new(axis: &GenomeAxis, mask: &Mask) -> Self {
        let mut blocks = Vec::new();
        for region in 0..axis.regions().len() {
            let bins = axis.region_bins(region);
            let mut first_bin = bins.start;
            while first_bin < bins.end {
                let end = (first_bin + BLOCK_BINS).min(bins.end);
                let masked = &mask.as_slice()[first_bin as usize..end as usize];
                blocks.push(Block {
                    region,
                    first_bin,
                    n_bins: (end - first_bin) as usize,
                    n_kept: masked.iter().filter(|m| !**m).count(),
                });
                first_bin = end;
            }
        }
        Blocks { blocks }
    }

    /// The blocks in the axis's order.
    pub fn all(&self) -> &[Block] {
        &self.blocks
    }

    /// Bins that are not masked.
    pub fn n_kept(&self) -> u64 {
        self.blocks.iter().map(|b| b.n_kept as u64).sum()
    }

    /// A pass's windows: lists of blocks that are in memory together, at most `window_bins` bins each.
    ///
    /// One window in the axis's order where all fits; else in that order for sequential sampling and
    /// shuffled by (seed, pass) for the others.
    pub fn windows(
        &self,
        sampling: Sampling,
        seed: u64,
        pass: u32,
        window_bins: u64,
    ) -> Vec<Vec<usize>> {
        let total: u64 = self.blocks.iter().map(|b| b.n_bins as u64).sum();
        let mut order: Vec<usize> = (0..self.blocks.len()).collect();
        if total <= window_bins {
            return vec![order];
        }
        if sampling != Sampling::Sequential {
            shuffle(
                &mut generator(seed, Purpose::Bins, u64::from(pass) << 32),
                &mut order,
            );
        }
        let mut windows: Vec<Vec<usize>> = Vec::new();
        let mut held = u64::MAX;
        for i in order {
            let bins = self.blocks[i].n_bins as u64;
            match windows.last_mut() {
                Some(window) if held + bins <= window_bins => {
                    window.push(i);
                    held += bins;
                }
                _ => {
                    windows.push(vec![i]);
                    held = bins;
                }
            }
        }
        for window in &mut windows {
            // In the axis' order, so that a step's rows of factors ascend and a 5 kbp row that two
            // blocks share is one row.
            window.sort_unstable();
        }
        windows
    }

    /// Blocks spread evenly over the axis that hold at most about `bins` bins, for a look at
    /// held-out tracks during training; at least one.
    pub fn spread(&self, bins: u64) -> Vec<usize> {
        let total: u64 = self.blocks.iter().map(|b| b.n_bins as u64).sum();
        let every = total.div_ceil(bins.max(1)).max(1) as usize;
        (0..self.blocks.len()).step_by(every).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Interval};

    #[test]
    fn windows_hold_every_block_once_and_no_more_bins_than_allowed() {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 5_000_000)]).unwrap();
        let axis = GenomeAxis::whole_chromosomes(assembly, &[]).unwrap();
        let mask = Mask::new(&axis, &[Interval::new("chr1", 0, 50)]);
        let blocks = Blocks::new(&axis, &mask);
        assert_eq!(blocks.n_kept(), 200_000 - 2);
        assert_eq!(blocks.windows(Sampling::Random, 1, 1, 1 << 20).len(), 1);
        for sampling in [Sampling::Sequential, Sampling::Permuted] {
            let windows = blocks.windows(sampling, 1, 1, 3 * BLOCK_BINS);
            assert!(windows.iter().all(|w| w.len() <= 3 && w.is_sorted()));
            let mut seen: Vec<usize> = windows.concat();
            assert_eq!(seen.is_sorted(), sampling == Sampling::Sequential);
            seen.sort_unstable();
            assert_eq!(seen, (0..blocks.all().len()).collect::<Vec<_>>());
        }
    }
}
