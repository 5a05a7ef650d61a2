//! Zoom levels: summaries over ever longer stretches, for browsers.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::section::{Packer, Summary};
use super::trees::{Block, index};
use crate::runs::Run;

/// The first level's stretch in bp: twenty bins. Each next level's is four times as long.
pub(super) const FIRST_REDUCTION: u32 = 500;

/// As many levels as Kent's tools make.
pub(super) const MAX_ZOOMS: usize = 10;

const RECORDS_PER_SECTION: usize = 1_024;

/// A summary of a stretch of a chromosome: from its first covered base to its last.
#[derive(Debug, Clone, Copy)]
struct Record {
    rank: u32,
    start: u32,
    end: u32,
    summary: Summary,
}

/// One level as it is filled; its sections wait in a temporary file.
pub(super) struct ZoomLevel {
    reduction: u32,
    open: Option<Record>,
    section: Vec<Record>,
    waiting: BufWriter<File>,
    n_bytes: u64,
    n_records: u64,
    /// Sections with their offset in the temporary file.
    blocks: Vec<Block>,
}

impl ZoomLevel {
    fn new(reduction: u32, folder: &Path) -> io::Result<Self> {
        Ok(ZoomLevel {
            reduction,
            open: None,
            section: Vec::new(),
            waiting: BufWriter::new(tempfile::tempfile_in(folder)?),
            n_bytes: 0,
            n_records: 0,
            blocks: Vec::new(),
        })
    }

    /// The levels of an assembly whose longest chromosome has so many bases.
    pub fn all(longest: u64, folder: &Path) -> io::Result<Vec<Self>> {
        std::iter::successors(Some(FIRST_REDUCTION), |r| r.checked_mul(4))
            .take_while(|reduction| u64::from(*reduction) <= longest)
            .take(MAX_ZOOMS)
            .map(|reduction| ZoomLevel::new(reduction, folder))
            .collect()
    }

    /// Writes the levels of some data, each its records and their index, and returns their headers; none
    /// that saves little over the next finer one (as Kent's tools). `position` is where the next byte goes.
    pub fn put_all(
        levels: Vec<ZoomLevel>,
        n_data_bytes: u64,
        position: &mut u64,
        out: &mut impl Write,
    ) -> io::Result<Vec<u8>> {
        let mut headers = Vec::new();
        let mut n_finer = u64::MAX;
        for mut zoom in levels {
            if zoom.n_bytes > n_data_bytes / 2 || zoom.n_records >= n_finer {
                continue;
            }
            n_finer = zoom.n_records;
            let zoom_at = *position;
            out.write_all(&(zoom.n_records as u32).to_le_bytes())?;
            *position += 4;
            let n = zoom.copy_to(out)?;
            let blocks = zoom.blocks(*position);
            *position += n;
            let zoom_index_at = *position;
            let tree = index(&blocks, zoom_index_at);
            out.write_all(&tree)?;
            *position += tree.len() as u64;
            headers.extend(u64::from(zoom.reduction).to_le_bytes());
            headers.extend(zoom_at.to_le_bytes());
            headers.extend(zoom_index_at.to_le_bytes());
        }
        Ok(headers)
    }

    /// Adds an interval; what is complete goes on to the coarser levels.
    pub fn add(
        &mut self,
        run: Run,
        coarser: &mut [ZoomLevel],
        packer: &mut Packer,
    ) -> io::Result<()> {
        let mut start = run.start;
        while start < run.end {
            if let Some(open) = self.open
                && (open.rank != run.rank || start - open.start >= self.reduction)
            {
                self.close_record(coarser, packer)?;
            }
            let open = self.open.get_or_insert(Record {
                rank: run.rank,
                start,
                end: start,
                summary: Summary::EMPTY,
            });
            let end = run.end.min(open.start.saturating_add(self.reduction));
            open.summary.cover(u64::from(end - start), run.value);
            open.end = end;
            start = end;
        }
        Ok(())
    }

    /// Adds a record of the next finer level, as a whole.
    fn merge(
        &mut self,
        record: Record,
        coarser: &mut [ZoomLevel],
        packer: &mut Packer,
    ) -> io::Result<()> {
        if let Some(open) = self.open
            && (open.rank != record.rank || record.end - open.start > self.reduction)
        {
            self.close_record(coarser, packer)?;
        }
        match &mut self.open {
            Some(open) => {
                open.end = record.end;
                open.summary.merge(&record.summary);
            }
            open => *open = Some(record),
        }
        Ok(())
    }

    /// Completes this level and the coarser ones.
    pub fn close(&mut self, coarser: &mut [ZoomLevel], packer: &mut Packer) -> io::Result<()> {
        self.close_record(coarser, packer)?;
        self.put_section(packer)?;
        match coarser.split_first_mut() {
            Some((next, rest)) => next.close(rest, packer),
            None => Ok(()),
        }
    }

    fn close_record(&mut self, coarser: &mut [ZoomLevel], packer: &mut Packer) -> io::Result<()> {
        let Some(record) = self.open.take() else {
            return Ok(());
        };
        let full = self.section.len() == RECORDS_PER_SECTION;
        if full
            || self
                .section
                .last()
                .is_some_and(|last| last.rank != record.rank)
        {
            self.put_section(packer)?;
        }
        self.section.push(record);
        self.n_records += 1;
        match coarser.split_first_mut() {
            Some((next, rest)) => next.merge(record, rest, packer),
            None => Ok(()),
        }
    }

    fn put_section(&mut self, packer: &mut Packer) -> io::Result<()> {
        let (Some(first), Some(last)) = (self.section.first(), self.section.last()) else {
            return Ok(());
        };
        let mut bytes = Vec::with_capacity(32 * self.section.len());
        for record in &self.section {
            let summary = &record.summary;
            let n_bases = summary.n_bases as u32;
            for number in [record.rank, record.start, record.end, n_bases] {
                bytes.extend(number.to_le_bytes());
            }
            for number in [summary.min, summary.max, summary.sum, summary.sum_squares] {
                bytes.extend((number as f32).to_le_bytes());
            }
        }
        let packed = packer.pack(&bytes)?;
        self.waiting.write_all(packed)?;
        self.blocks.push(Block {
            rank: first.rank,
            start: first.start,
            end: last.end,
            offset: self.n_bytes,
            n_bytes: packed.len() as u64,
        });
        self.n_bytes += packed.len() as u64;
        self.section.clear();
        Ok(())
    }

    /// Copies the sections to the file and says how many bytes they are.
    fn copy_to(&mut self, out: &mut impl Write) -> io::Result<u64> {
        self.waiting.flush()?;
        let file = self.waiting.get_mut();
        file.rewind()?;
        let copied = io::copy(&mut BufReader::new(file).take(self.n_bytes), out)?;
        if copied != self.n_bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(copied)
    }

    /// The sections as they stand in the file, the first of them at `offset`.
    fn blocks(&self, offset: u64) -> Vec<Block> {
        let moved = |block: &Block| Block {
            offset: offset + block.offset,
            ..*block
        };
        self.blocks.iter().map(moved).collect()
    }
}
