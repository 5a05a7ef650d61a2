//! A bigWig file as it is written, from intervals in order.
//!
//! Header, room for ten zoom headers, total summary, chromosomes, data, index, zoom levels (each
//! its records and their index), magic number: the order of Kent's own tools. Memory holds one
//! section of data and the list of sections (32 bytes for 1,024 intervals); zoom levels wait in
//! temporary files.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use libdeflater::{CompressionLvl, Compressor};

use super::magic;
use super::trees::{Block, chrom_tree, index};
use super::zoom::{FIRST_REDUCTION, MAX_ZOOMS, ZoomLevel};
use crate::formats::FormatError;
use crate::formats::aside::{AsideFile, folder};
use crate::formats::runs::Run;
use crate::genome::Assembly;

/// Intervals in a section of data.
const ITEMS_PER_SECTION: usize = 1_024;
const HEADER_BYTES: u64 = 64;
const ZOOM_HEADER_BYTES: u64 = 24;
const SUMMARY_BYTES: u64 = 40;

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

    /// Smallest and largest value; 0 where there is none.
    fn range(&self) -> (f64, f64) {
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
    /// The size of the largest section when unpacked.
    largest: usize,
}

impl Packer {
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

/// A bigWig file that is being written.
pub(in crate::formats) struct BigWigFile {
    name: String,
    out: BufWriter<AsideFile>,
    /// Where the next byte goes.
    position: u64,
    chrom_tree_at: u64,
    data_at: u64,
    packer: Packer,
    section: Vec<Run>,
    sections: Vec<Block>,
    summary: Summary,
    zooms: Vec<ZoomLevel>,
}

impl BigWigFile {
    pub fn create(path: &Path, assembly: &Assembly) -> Result<Self, FormatError> {
        let name = path.display().to_string();
        let failed = |e: io::Error| FormatError::write(&name, e);
        let aside = AsideFile::create(path)?;
        let mut out = BufWriter::with_capacity(1 << 18, aside);
        let longest = assembly.chromosomes().iter().map(|c| c.length).max();
        let zooms = std::iter::successors(Some(FIRST_REDUCTION), |r| r.checked_mul(4))
            .take_while(|reduction| u64::from(*reduction) <= longest.unwrap_or(0))
            .take(MAX_ZOOMS)
            .map(|reduction| ZoomLevel::new(reduction, folder(path)))
            .collect::<io::Result<Vec<_>>>()
            .map_err(failed)?;
        let chrom_tree_at = HEADER_BYTES + MAX_ZOOMS as u64 * ZOOM_HEADER_BYTES + SUMMARY_BYTES;
        let chroms = chrom_tree(assembly, chrom_tree_at);
        let data_at = chrom_tree_at + chroms.len() as u64;
        // Header and summary come last; the count of sections does too.
        out.write_all(&vec![0; chrom_tree_at as usize])
            .and_then(|()| out.write_all(&chroms))
            .and_then(|()| out.write_all(&[0; 8]))
            .map_err(failed)?;
        Ok(BigWigFile {
            name,
            out,
            position: data_at + 8,
            chrom_tree_at,
            data_at,
            packer: Packer {
                compressor: Compressor::new(CompressionLvl::default()),
                packed: Vec::new(),
                largest: 0,
            },
            section: Vec::with_capacity(ITEMS_PER_SECTION),
            sections: Vec::new(),
            summary: Summary::EMPTY,
            zooms,
        })
    }

    /// Adds an interval, which lies after those before it.
    pub fn add(&mut self, run: Run) -> Result<(), FormatError> {
        self.put(run).map_err(|e| FormatError::write(&self.name, e))
    }

    /// Writes what is left and gives the file its name.
    pub fn finish(mut self) -> Result<(), FormatError> {
        let result = self.put_section().and_then(|()| self.put_rest());
        let name = self.name;
        let failed = |e: io::Error| FormatError::write(&name, e);
        result.map_err(failed)?;
        let aside = self.out.into_inner().map_err(|e| failed(e.into_error()))?;
        aside.finish()?;
        Ok(())
    }

    fn put(&mut self, run: Run) -> io::Result<()> {
        let full = self.section.len() == ITEMS_PER_SECTION;
        if full
            || self
                .section
                .last()
                .is_some_and(|last| last.rank != run.rank)
        {
            self.put_section()?;
        }
        self.summary
            .cover(u64::from(run.end - run.start), run.value);
        if let Some((first, coarser)) = self.zooms.split_first_mut() {
            first.add(run, coarser, &mut self.packer)?;
        }
        self.section.push(run);
        Ok(())
    }

    fn put_section(&mut self) -> io::Result<()> {
        let (Some(first), Some(last)) = (self.section.first(), self.section.last()) else {
            return Ok(());
        };
        let (rank, start, end) = (first.rank, first.start, last.end);
        let bytes = self.packer.pack(&section_bytes(&self.section))?;
        self.out.write_all(bytes)?;
        self.sections.push(Block {
            rank,
            start,
            end,
            offset: self.position,
            n_bytes: bytes.len() as u64,
        });
        self.position += bytes.len() as u64;
        self.section.clear();
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Everything after the data, then the header.
    fn put_rest(&mut self) -> io::Result<()> {
        let n_data_bytes = self.position - self.data_at;
        let index_at = self.position;
        self.append(&index(&self.sections, index_at))?;
        if let Some((first, coarser)) = self.zooms.split_first_mut() {
            first.close(coarser, &mut self.packer)?;
        }
        let mut headers = Vec::new();
        let mut n_finer = u64::MAX;
        for mut zoom in std::mem::take(&mut self.zooms) {
            // As Kent's tools: a level that saves little over the next finer one is left out.
            if zoom.n_bytes() > n_data_bytes / 2 || zoom.n_records() >= n_finer {
                continue;
            }
            n_finer = zoom.n_records();
            let zoom_at = self.position;
            self.append(&(zoom.n_records() as u32).to_le_bytes())?;
            let n = zoom.copy_to(&mut self.out)?;
            let blocks = zoom.blocks(self.position);
            self.position += n;
            let zoom_index_at = self.position;
            self.append(&index(&blocks, zoom_index_at))?;
            headers.extend(u64::from(zoom.reduction()).to_le_bytes());
            headers.extend(zoom_at.to_le_bytes());
            headers.extend(zoom_index_at.to_le_bytes());
        }
        self.append(&magic::BIGWIG.to_le_bytes())?;
        let mut header = Vec::new();
        header.extend(magic::BIGWIG.to_le_bytes());
        header.extend(4u16.to_le_bytes());
        header.extend(((headers.len() as u64 / ZOOM_HEADER_BYTES) as u16).to_le_bytes());
        header.extend(self.chrom_tree_at.to_le_bytes());
        header.extend(self.data_at.to_le_bytes());
        header.extend(index_at.to_le_bytes());
        // Fields and their description, which only bigBed has.
        header.extend([0; 12]);
        let summary_at = self.chrom_tree_at - SUMMARY_BYTES;
        header.extend(summary_at.to_le_bytes());
        header.extend((self.packer.largest as u32).to_le_bytes());
        header.extend([0; 8]);
        header.extend(headers);
        let mut summary = self.summary.n_bases.to_le_bytes().to_vec();
        let (min, max) = self.summary.range();
        for number in [min, max, self.summary.sum, self.summary.sum_squares] {
            summary.extend(number.to_le_bytes());
        }
        let n_sections = (self.sections.len() as u64).to_le_bytes();
        for (at, bytes) in [
            (0, &header[..]),
            (summary_at, &summary[..]),
            (self.data_at, &n_sections[..]),
        ] {
            self.out.seek(SeekFrom::Start(at))?;
            self.out.write_all(bytes)?;
        }
        self.out.flush()
    }
}

/// A section unpacked: values alone where they follow each other at one distance, as bins do, or
/// else each with its bases.
fn section_bytes(runs: &[Run]) -> Vec<u8> {
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
