//! Blocks of bins inside a region: what is read and worked on at once.

use std::ops::Range;

use crate::genome::{GenomeAxis, Resolution};

/// 5 kbp rows of a block: about as many bins as a chunk of a track has.
pub(super) const BLOCK_ROWS: u64 = 82;

/// Consecutive bins of one region. A block begins and ends where a 5 kbp row or the region does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The region's place on the axis.
    pub region: usize,
    /// Axis bins.
    pub bins: Range<u64>,
    /// The chromosome bin of the first.
    pub first_bin: u64,
}

impl Block {
    /// How many bins.
    pub fn n_bins(&self) -> usize {
        (self.bins.end - self.bins.start) as usize
    }

    /// The bins that share a row at a scale, as places in the block, row by row.
    pub fn rows(&self, scale: Resolution) -> Vec<Range<usize>> {
        let mut rows = Vec::new();
        let (mut at, end) = (self.first_bin, self.first_bin + self.n_bins() as u64);
        while at < end {
            let next = end.min((at / scale.bins() + 1) * scale.bins());
            rows.push((at - self.first_bin) as usize..(next - self.first_bin) as usize);
            at = next;
        }
        rows
    }

    /// The block's bins with up to `reach` more on either side, none of them beyond the region.
    pub fn widened(&self, axis: &GenomeAxis, reach: u64) -> Block {
        let region = axis.region_bins(self.region);
        let start = self.bins.start.saturating_sub(reach).max(region.start);
        let end = (self.bins.end + reach).min(region.end);
        Block {
            region: self.region,
            first_bin: self.first_bin - (self.bins.start - start),
            bins: start..end,
        }
    }
}

/// The blocks of an axis, in its order, each of up to so many 5 kbp rows.
pub(super) fn blocks(axis: &GenomeAxis, n_rows: u64) -> Vec<Block> {
    let row = Resolution::Kbp5.bins();
    let mut blocks = Vec::new();
    for (region, stretch) in axis.regions().iter().enumerate() {
        let start = axis.region_bins(region).start;
        let mut at = stretch.first_bin;
        while at < stretch.end_bin() {
            let next = stretch.end_bin().min((at / row + n_rows.max(1)) * row);
            let place = |bin: u64| start + (bin - stretch.first_bin);
            blocks.push(Block {
                region,
                bins: place(at)..place(next),
                first_bin: at,
            });
            at = next;
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    fn axis() -> GenomeAxis {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 100_000)]).unwrap();
        let region = |first_bin, n_bins| Region {
            name: None,
            chrom: "chr1".into(),
            first_bin,
            n_bins,
        };
        GenomeAxis::new(assembly, vec![region(1_990, 620), region(395, 210)]).unwrap()
    }

    #[test]
    fn blocks_end_where_rows_and_regions_do() {
        let places: Vec<_> = (blocks(&axis(), 2).into_iter())
            .map(|b| (b.region, b.bins, b.first_bin))
            .collect();
        assert_eq!(
            places,
            [
                (0, 0..210, 1_990),
                (0, 210..610, 2_200),
                (0, 610..620, 2_600),
                (1, 620..825, 395),
                (1, 825..830, 600),
            ]
        );
    }

    #[test]
    fn rows_are_aligned_to_the_chromosome_and_reading_ends_at_the_region() {
        let all = blocks(&axis(), 2);
        assert_eq!(all[3].rows(Resolution::Kbp5), [0..5, 5..205]);
        assert_eq!(all[3].rows(Resolution::Bp250)[..2], [0..5, 5..15]);
        let wide = all[1].widened(&axis(), 800);
        assert_eq!((wide.bins, wide.first_bin), (0..620, 1_990));
    }
}
