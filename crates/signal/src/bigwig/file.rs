//! A bigWig file as it is written, from intervals in order.
//!
//! Header, room for ten zoom headers, total summary, chromosomes, data, index, zoom levels (each
//! its records and their index), magic number: the order of Kent's own tools. Memory holds one
//! section of data and the list of sections (32 bytes for 1,024 intervals); zoom levels wait in
//! temporary files.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::magic;
use super::section::{Packer, Summary, section_bytes};
use super::trees::{Block, chrom_tree, index};
use super::zoom::{MAX_ZOOMS, ZoomLevel};
use crate::FormatError;
use crate::runs::Run;
use persea_files::OutputFile;
use persea_genome::Assembly;

/// Intervals in a section of data.
const ITEMS_PER_SECTION: usize = 1_024;
pub(super) const HEADER_BYTES: u64 = 64;
pub(super) const ZOOM_HEADER_BYTES: u64 = 24;
pub(super) const SUMMARY_BYTES: u64 = 40;

/// A bigWig file that is being written.
pub(crate) struct BigWigFile {
    name: String,
    out: BufWriter<OutputFile>,
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
        let output = OutputFile::create(path)?;
        let scratch = output.scratch_folder();
        let mut out = BufWriter::with_capacity(1 << 18, output);
        let longest = assembly.chromosomes().iter().map(|c| c.length).max();
        let zooms = ZoomLevel::all(longest.unwrap_or(0), &scratch).map_err(failed)?;
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
            packer: Packer::new(),
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
        let output = self.out.into_inner().map_err(|e| failed(e.into_error()))?;
        Ok(output.finish()?)
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
        let zooms = std::mem::take(&mut self.zooms);
        let headers = ZoomLevel::put_all(zooms, n_data_bytes, &mut self.position, &mut self.out)?;
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
        header.extend((self.packer.largest() as u32).to_le_bytes());
        header.extend([0; 8]);
        header.extend(headers);
        let summary = self.summary.bytes();
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
