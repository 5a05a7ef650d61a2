//! Which rows of the three scales lie inside each other, and in which order places are named.

use std::ops::Range;

use crate::genome::{GenomeAxis, Resolution};

/// A 5 kbp bin of a region: what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coarse {
    /// The axis bin it begins with.
    pub first_bin: u64,
    /// The chromosome bin it begins with; at a region's start not always a multiple of 200.
    pub chrom_bin: u64,
    /// Its first row at 250 bp.
    pub first_250bp: u64,
    /// The place of its region among the sorted ones.
    pub place: u32,
    /// How many 25 bp bins it holds, 200 at most.
    pub n_bins: u16,
    /// How many 250 bp rows it holds, 20 at most.
    pub n_250bp: u16,
}

impl Coarse {
    /// Its axis bins.
    pub fn bins(&self) -> Range<u64> {
        self.first_bin..self.first_bin + u64::from(self.n_bins)
    }

    /// Its rows at 250 bp.
    pub fn rows_250bp(&self) -> Range<u64> {
        self.first_250bp..self.first_250bp + u64::from(self.n_250bp)
    }

    /// The axis bins of its `i`-th 250 bp row.
    pub fn bins_of_250bp(&self, i: usize) -> Range<u64> {
        let per = Resolution::Bp250.bins();
        let row = self.chrom_bin / per + i as u64;
        let end = self.chrom_bin + u64::from(self.n_bins);
        let from = (row * per).max(self.chrom_bin);
        let to = ((row + 1) * per).min(end);
        let shift = |chrom_bin: u64| self.first_bin + chrom_bin - self.chrom_bin;
        shift(from)..shift(to)
    }

    /// Where a bin of it stands in the order of coordinates.
    pub fn order(&self, bin: u64) -> u64 {
        (u64::from(self.place) << 40) | (self.chrom_bin + bin - self.first_bin)
    }
}

/// The 5 kbp rows of an axis, in the axis' order.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    coarse: Vec<Coarse>,
}

impl Layout {
    pub fn new(axis: &GenomeAxis) -> Self {
        let mut place = vec![0u32; axis.regions().len()];
        for (at, region) in axis.sorted_regions().iter().enumerate() {
            place[*region] = at as u32;
        }
        let mut coarse = Vec::with_capacity(axis.n_rows(Resolution::Kbp5) as usize);
        for (i, region) in axis.regions().iter().enumerate() {
            let per = Resolution::Kbp5.bins();
            let mut chrom_bin = region.first_bin;
            while chrom_bin < region.end_bin() {
                let end = ((chrom_bin / per + 1) * per).min(region.end_bin());
                let rows = chrom_bin / 10..(end - 1) / 10 + 1;
                coarse.push(Coarse {
                    first_bin: axis.region_bins(i).start + chrom_bin - region.first_bin,
                    chrom_bin,
                    first_250bp: axis.row(Resolution::Bp250, i, chrom_bin),
                    place: place[i],
                    n_bins: (end - chrom_bin) as u16,
                    n_250bp: (rows.end - rows.start) as u16,
                });
                chrom_bin = end;
            }
        }
        Layout { coarse }
    }

    pub fn rows(&self) -> &[Coarse] {
        &self.coarse
    }

    pub fn n_rows(&self) -> usize {
        self.coarse.len()
    }

    /// The 5 kbp row that holds an axis bin.
    pub fn row_of(&self, bin: u64) -> usize {
        self.coarse.partition_point(|c| c.first_bin <= bin) - 1
    }

    /// The 5 kbp rows that a range of axis bins touches.
    pub fn rows_of(&self, bins: &Range<u64>) -> Range<usize> {
        if bins.is_empty() {
            return 0..0;
        }
        self.row_of(bins.start)..self.row_of(bins.end - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    #[test]
    fn rows_nest_as_the_axis_numbers_them() {
        let list = [("a".to_string(), 100_000), ("b".to_string(), 50_010)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let region = |chrom: &str, first_bin, n_bins| Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        };
        let regions = vec![
            region("b", 0, 2_001),
            region("a", 195, 410),
            region("a", 3_999, 1),
        ];
        let axis = GenomeAxis::new(assembly, regions).unwrap();
        let layout = Layout::new(&axis);
        assert_eq!(layout.n_rows() as u64, axis.n_rows(Resolution::Kbp5));
        let (mut bins, mut rows) = (0, 0);
        for (i, coarse) in layout.rows().iter().enumerate() {
            assert_eq!(coarse.first_bin, bins);
            assert_eq!(coarse.first_250bp, rows);
            for child in 0..usize::from(coarse.n_250bp) {
                let range = coarse.bins_of_250bp(child);
                assert_eq!(range.start, bins);
                for bin in range.clone() {
                    let at = axis.locate(bin);
                    assert_eq!(
                        axis.row(Resolution::Kbp5, at.region, at.chrom_bin),
                        i as u64
                    );
                    assert_eq!(axis.row(Resolution::Bp250, at.region, at.chrom_bin), rows);
                    assert_eq!(layout.row_of(bin), i);
                }
                (bins, rows) = (range.end, rows + 1);
            }
        }
        assert_eq!(
            (bins, rows),
            (axis.n_bins(), axis.n_rows(Resolution::Bp250))
        );
        // b comes first on the axis and last in the order of coordinates.
        assert!(layout.rows()[0].order(0) > layout.rows()[11].order(layout.rows()[11].first_bin));
    }
}
