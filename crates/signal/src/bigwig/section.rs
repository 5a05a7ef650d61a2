//! Sections of data, and what is kept of them: packed bytes and summaries.

use std::io;

use libdeflater::{CompressionLvl, Compressor};

use crate::runs::Run;

/// Covered bases and what is on them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    pub n_bases: u64,
    pub min: f64,
    pub max: f64,
    pub sum: f64,
    pub sum_squares: f64,
}

impl Summary {
    pub const EMPTY: Summary = Summary {
        n_bases: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        sum: 0.0,
        sum_squares: 0.0,
    };

    /// Adds bases of one value.
    pub fn cover(&mut self, n_bases: u64, value: f32) {
        let value = f64::from(value);
        let weight = n_bases as f64;
        self.merge(&Summary {
            n_bases,
            min: value,
            max: value,
            sum: weight * value,
            sum_squares: weight * value * value,
        });
    }

    pub fn merge(&mut self, other: &Summary) {
        self.n_bases += other.n_bases;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.sum_squares += other.sum_squares;
    }

    /// As the head of a file has it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.n_bases.to_le_bytes().to_vec();
        let (min, max) = self.range();
        for number in [min, max, self.sum, self.sum_squares] {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    /// Smallest and largest value; 0 where there is none.
    pub fn range(&self) -> (f64, f64) {
        if self.n_bases == 0 {
            (0.0, 0.0)
        } else {
            (self.min, self.max)
        }
    }
}

/// Packs sections and remembers the largest.
pub(super) struct Packer {
    compressor: Compressor,
    packed: Vec<u8>,
    largest: usize,
}

impl Packer {
    pub fn new() -> Self {
        Packer {
            compressor: Compressor::new(CompressionLvl::default()),
            packed: Vec::new(),
            largest: 0,
        }
    }

    /// The size of the largest section when unpacked.
    pub fn largest(&self) -> usize {
        self.largest
    }

    pub fn pack(&mut self, bytes: &[u8]) -> io::Result<&[u8]> {
        self.largest = self.largest.max(bytes.len());
        let bound = self.compressor.zlib_compress_bound(bytes.len());
        self.packed.resize(bound, 0);
        let n = self
            .compressor
            .zlib_compress(bytes, &mut self.packed)
            .map_err(|e| io::Error::other(e.to_string()))?;
        Ok(&self.packed[..n])
    }
}

/// A section unpacked: values alone where they follow each other at one distance, as bins do, or
/// else each with its bases.
pub(super) fn section_bytes(runs: &[Run]) -> Vec<u8> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Vec::new();
    };
    let span = first.end - first.start;
    let even = runs
        .iter()
        .enumerate()
        .all(|(i, run)| run.start == first.start + i as u32 * span && run.end - run.start == span);
    let (step, kind) = if even { (span, 3u8) } else { (0, 1u8) };
    let mut bytes = Vec::with_capacity(24 + 12 * runs.len());
    for number in [first.rank, first.start, last.end, step, step] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([kind, 0]);
    bytes.extend((runs.len() as u16).to_le_bytes());
    for run in runs {
        if !even {
            bytes.extend(run.start.to_le_bytes());
            bytes.extend(run.end.to_le_bytes());
        }
        bytes.extend(run.value.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u32, end: u32, value: f32) -> Run {
        Run {
            rank: 2,
            start,
            end,
            value,
        }
    }

    #[test]
    fn bins_in_a_row_are_a_fixed_step_section_and_others_keep_their_bases() {
        let even = section_bytes(&[run(50, 75, 1.0), run(75, 100, 2.0)]);
        assert_eq!(even.len(), 24 + 2 * 4);
        assert_eq!((even[12], even[16], even[20], even[22]), (25, 25, 3, 2));
        for uneven in [
            [run(50, 75, 1.0), run(100, 125, 2.0)],
            [run(50, 75, 1.0), run(75, 85, 2.0)],
        ] {
            let bytes = section_bytes(&uneven);
            assert_eq!((bytes.len(), bytes[20]), (24 + 2 * 12, 1));
        }
    }

    #[test]
    fn a_summary_weighs_values_by_their_bases() {
        let mut summary = Summary::EMPTY;
        assert_eq!(summary.range(), (0.0, 0.0));
        summary.cover(10, 2.0);
        summary.cover(5, -4.0);
        assert_eq!(summary.n_bases, 15);
        assert_eq!(summary.range(), (-4.0, 2.0));
        assert_eq!((summary.sum, summary.sum_squares), (0.0, 120.0));
    }
}
