//! Bins that are neither trained on nor scored.

use std::path::Path;

use super::{GenomeAxis, GenomeError, Interval, read_bed};

/// Which bins of an axis are masked: every bin that a masked interval touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    masked: Vec<bool>,
    n_masked: usize,
}

impl Mask {
    /// A mask that hides nothing.
    pub fn none(axis: &GenomeAxis) -> Self {
        Mask {
            masked: vec![false; axis.n_bins() as usize],
            n_masked: 0,
        }
    }

    /// Masks every bin that one of the intervals touches; parts outside the axis have no effect.
    pub fn new<'a>(axis: &GenomeAxis, intervals: impl IntoIterator<Item = &'a Interval>) -> Self {
        let mut mask = Mask::none(axis);
        for interval in intervals {
            for bins in axis.bins_within(interval) {
                mask.masked[bins.start as usize..bins.end as usize].fill(true);
            }
        }
        mask.n_masked = mask.masked.iter().filter(|m| **m).count();
        mask
    }

    /// Masks every bin that none of the intervals touches as well.
    pub fn keep_within<'a>(
        &mut self,
        axis: &GenomeAxis,
        intervals: impl IntoIterator<Item = &'a Interval>,
    ) {
        let within = Mask::new(axis, intervals);
        for (masked, kept) in self.masked.iter_mut().zip(&within.masked) {
            *masked |= !kept;
        }
        self.n_masked = self.masked.iter().filter(|m| **m).count();
    }

    /// Masks some bins as well: those whose flag, one a bin, is set.
    pub fn leave_out(&mut self, bins: &[bool]) {
        for (masked, left_out) in self.masked.iter_mut().zip(bins) {
            *masked |= left_out;
        }
        self.n_masked = self.masked.iter().filter(|m| **m).count();
    }

    /// Reads the intervals to mask from BED files (blacklist, gaps), merged and sorted.
    ///
    /// # Errors
    /// As [`read_bed`].
    pub fn read_intervals(
        axis: &GenomeAxis,
        paths: &[impl AsRef<Path>],
    ) -> Result<Vec<Interval>, GenomeError> {
        let assembly = axis.assembly();
        let mut intervals = Vec::new();
        for path in paths {
            let lines = read_bed(path.as_ref(), assembly)?;
            intervals.extend(lines.into_iter().map(|(interval, _)| interval));
        }
        Ok(Self::merge_intervals(axis, intervals))
    }

    /// Intervals sorted as the assembly's chromosomes are, those that meet or overlap merged.
    pub fn merge_intervals(axis: &GenomeAxis, mut intervals: Vec<Interval>) -> Vec<Interval> {
        let assembly = axis.assembly();
        intervals.sort_by_key(|i| (assembly.rank(&i.chrom), i.start, i.end));
        let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            match merged.last_mut() {
                Some(last) if last.chrom == interval.chrom && interval.start <= last.end => {
                    last.end = last.end.max(interval.end);
                }
                _ => merged.push(interval),
            }
        }
        merged
    }

    /// Whether a bin of the axis is masked.
    pub fn is_masked(&self, bin: u64) -> bool {
        self.masked[bin as usize]
    }

    /// One flag a bin of the axis, true where masked.
    pub fn as_slice(&self) -> &[bool] {
        &self.masked
    }

    /// How many bins are masked.
    pub fn n_masked(&self) -> usize {
        self.n_masked
    }
}
