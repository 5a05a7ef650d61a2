//! A bigWig file that is never written: every offset follows from the genome axis alone, so that any
//! stretch of its bytes can be made from the bins that lie in it.
//!
//! Sections are not compressed, which the format allows. A section of data has at most 1,024 bins of one
//! region, one of a zoom level 1,024 records. Tracks without gaps have sections of values alone; tracks
//! with gaps list each bin's first base beside its value and leave bins without data out, and what is
//! left over in the section is padding behind its last item. A zoom level's records are summaries of
//! equal stretches of a region. The total summary would need every value: the header has none.

use std::ops::Range;

use persea_genome::{BIN_BP, GenomeAxis};

use super::magic;
use super::section::Summary;
use super::trees::{Block, chrom_tree, index};
use super::zoom::{FIRST_REDUCTION, MAX_ZOOMS};

const ITEMS_PER_SECTION: u64 = 1_024;
const HEADER_BYTES: u64 = 64;
const ZOOM_HEADER_BYTES: u64 = 24;
const SECTION_HEAD_BYTES: u64 = 24;
const RECORD_BYTES: u64 = 32;

/// Where everything lies in a bigWig file of an axis' bins.
#[derive(Debug, Clone)]
pub struct BigWigLayout {
    levels: Vec<Level>,
    segments: Vec<Segment>,
    n_bytes: u64,
    has_gaps: bool,
}

/// The data, or one zoom level.
#[derive(Debug, Clone)]
struct Level {
    /// Base pairs of a record; `None` of data.
    reduction: Option<u64>,
    parts: Vec<Part>,
    head_bytes: u64,
    item_bytes: u64,
}

/// Consecutive items of equal width, on one chromosome.
#[derive(Debug, Clone)]
struct Part {
    rank: u32,
    start: u64,
    end: u64,
    /// Base pairs of an item; the last of a zoom level may be shorter.
    span: u64,
    /// Axis bins.
    bins: Range<u64>,
    n_items: u64,
    offset: u64,
}

/// A stretch of the file.
#[derive(Debug, Clone)]
enum Segment {
    Frame { offset: u64, bytes: Vec<u8> },
    Level { offset: u64, level: usize },
}

/// One section of the file: bins of data, or records of a zoom level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Section {
    level: usize,
    part: usize,
    index: u64,
}

/// What stands at a place of the file.
#[derive(Debug, PartialEq)]
pub enum Chunk<'a> {
    /// Header, chromosomes and indices, which no value changes.
    Frame(&'a [u8]),
    /// A section, to be made from its bins.
    Section(Section),
}

impl BigWigLayout {
    /// Of all bins of an axis; `has_gaps` if bins may be without data.
    pub fn new(axis: &GenomeAxis, has_gaps: bool) -> Self {
        let longest = axis.regions().iter().map(|r| r.n_bins * BIN_BP).max();
        let reductions = std::iter::successors(Some(u64::from(FIRST_REDUCTION)), |r| Some(4 * r))
            .take_while(|reduction| *reduction <= longest.unwrap_or(0))
            .take(MAX_ZOOMS);
        let item_bytes = if has_gaps { 8 } else { 4 };
        let mut levels = vec![Level {
            reduction: None,
            parts: data_parts(axis),
            head_bytes: SECTION_HEAD_BYTES,
            item_bytes,
        }];
        levels.extend(reductions.map(|reduction| Level {
            reduction: Some(reduction),
            parts: zoom_parts(axis, reduction),
            head_bytes: 0,
            item_bytes: RECORD_BYTES,
        }));
        let n_zooms = levels.len() as u64 - 1;
        let chrom_tree_at = HEADER_BYTES + n_zooms * ZOOM_HEADER_BYTES;
        let chroms = chrom_tree(axis.assembly(), chrom_tree_at);
        let data_at = chrom_tree_at + chroms.len() as u64;
        let mut at = data_at + 8;
        let mut segments = Vec::new();
        let mut places = Vec::new();
        for (i, level) in levels.iter_mut().enumerate() {
            let count = level.n_items();
            if i > 0 {
                let bytes = (count as u32).to_le_bytes().to_vec();
                segments.push(Segment::Frame { offset: at, bytes });
                at += 4;
            }
            let first = at;
            at = level.place(at);
            segments.push(Segment::Level {
                offset: first,
                level: i,
            });
            let bytes = index(&level.blocks(), at);
            places.push((first - if i > 0 { 4 } else { 0 }, at));
            let n = bytes.len() as u64;
            segments.push(Segment::Frame { offset: at, bytes });
            at += n;
        }
        let bytes = magic::BIGWIG.to_le_bytes().to_vec();
        segments.push(Segment::Frame { offset: at, bytes });
        let mut head = Vec::new();
        head.extend(magic::BIGWIG.to_le_bytes());
        head.extend(4u16.to_le_bytes());
        head.extend((n_zooms as u16).to_le_bytes());
        head.extend(chrom_tree_at.to_le_bytes());
        head.extend(data_at.to_le_bytes());
        head.extend(places.first().map_or(0, |p| p.1).to_le_bytes());
        // Fields, their description, the total summary: none. Sections of 0 bytes unpacked are not packed.
        head.extend([0; 12]);
        head.extend([0; 8]);
        head.extend([0; 4]);
        head.extend([0; 8]);
        for (level, (zoom_at, index_at)) in levels.iter().zip(&places) {
            if let Some(reduction) = level.reduction {
                head.extend(reduction.to_le_bytes());
                head.extend(zoom_at.to_le_bytes());
                head.extend(index_at.to_le_bytes());
            }
        }
        head.extend(chroms);
        let n_sections: u64 = levels.first().map_or(0, Level::n_sections);
        head.extend(n_sections.to_le_bytes());
        segments.insert(
            0,
            Segment::Frame {
                offset: 0,
                bytes: head,
            },
        );
        BigWigLayout {
            levels,
            segments,
            n_bytes: at + 4,
            has_gaps,
        }
    }

    /// Length of the file.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// What stands at an offset, and the offset that it begins at; `None` from the end of the file on.
    pub fn at(&self, offset: u64) -> Option<(u64, Chunk<'_>)> {
        if offset >= self.n_bytes {
            return None;
        }
        let i = self.segments.partition_point(|s| s.offset() <= offset);
        // A level without items is as long as nothing: the segment after it begins there too.
        match self.segments.get(i.checked_sub(1)?)? {
            Segment::Frame { offset, bytes } => Some((*offset, Chunk::Frame(bytes))),
            Segment::Level { level: number, .. } => {
                let level = self.levels.get(*number)?;
                let part = level.parts.partition_point(|p| p.offset <= offset) - 1;
                let n_bytes = level.section_bytes();
                let index = (offset - level.parts[part].offset) / n_bytes;
                let section = Section {
                    level: *number,
                    part,
                    index,
                };
                let begins = level.parts[part].offset + index * n_bytes;
                Some((begins, Chunk::Section(section)))
            }
        }
    }

    /// The axis bins that a section is made from.
    pub fn bins(&self, section: Section) -> Range<u64> {
        let (level, part, items) = self.items(section);
        match level.reduction {
            None => part.bins.start + items.start..part.bins.start + items.end,
            Some(reduction) => {
                let per_item = reduction / BIN_BP;
                let bin = |item: u64| (part.bins.start + item * per_item).min(part.bins.end);
                bin(items.start)..bin(items.end)
            }
        }
    }

    /// A section's bytes from the values of its bins; NaN is a bin without data.
    pub fn encode(&self, section: Section, values: &[f32]) -> Vec<u8> {
        let (level, part, items) = self.items(section);
        match level.reduction {
            None => self.data(part, items, values),
            Some(reduction) => records(part, items, reduction, values),
        }
    }

    fn items(&self, section: Section) -> (&Level, &Part, Range<u64>) {
        let level = &self.levels[section.level];
        let part = &level.parts[section.part];
        let first = section.index * ITEMS_PER_SECTION;
        (
            level,
            part,
            first..(first + ITEMS_PER_SECTION).min(part.n_items),
        )
    }

    fn data(&self, part: &Part, items: Range<u64>, values: &[f32]) -> Vec<u8> {
        let start = part.start + items.start * part.span;
        let end = (part.start + items.end * part.span).min(part.end);
        let item_bytes = if self.has_gaps { 8 } else { 4 };
        let n_items = items.end - items.start;
        let length = (SECTION_HEAD_BYTES + n_items * item_bytes) as usize;
        let mut bytes = Vec::with_capacity(length);
        let step = if self.has_gaps { 0 } else { part.span as u32 };
        let kind = if self.has_gaps { 2u8 } else { 3u8 };
        let with_data = values.iter().filter(|v| !self.has_gaps || !v.is_nan());
        for number in [part.rank, start as u32, end as u32, step, part.span as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([kind, 0]);
        bytes.extend((with_data.count() as u16).to_le_bytes());
        for (i, value) in values.iter().enumerate() {
            if self.has_gaps {
                if value.is_nan() {
                    continue;
                }
                bytes.extend(((start + i as u64 * part.span) as u32).to_le_bytes());
            }
            bytes.extend(value.to_le_bytes());
        }
        bytes.resize(length, 0);
        bytes
    }
}

impl Level {
    fn section_bytes(&self) -> u64 {
        self.head_bytes + ITEMS_PER_SECTION * self.item_bytes
    }

    fn n_items(&self) -> u64 {
        self.parts.iter().map(|p| p.n_items).sum()
    }

    fn n_sections(&self) -> u64 {
        let sections = |p: &Part| p.n_items.div_ceil(ITEMS_PER_SECTION);
        self.parts.iter().map(sections).sum()
    }

    /// Gives each part its place, from an offset on; returns where the level ends.
    fn place(&mut self, mut at: u64) -> u64 {
        for part in &mut self.parts {
            part.offset = at;
            at += part.n_items.div_ceil(ITEMS_PER_SECTION) * self.head_bytes;
            at += part.n_items * self.item_bytes;
        }
        at
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::with_capacity(self.n_sections() as usize);
        for part in &self.parts {
            let mut first = 0;
            while first < part.n_items {
                let n = ITEMS_PER_SECTION.min(part.n_items - first);
                let end = part.start + (first + n) * part.span;
                blocks.push(Block {
                    rank: part.rank,
                    start: (part.start + first * part.span) as u32,
                    end: end.min(part.end) as u32,
                    offset: part.offset + first / ITEMS_PER_SECTION * self.section_bytes(),
                    n_bytes: self.head_bytes + n * self.item_bytes,
                });
                first += n;
            }
        }
        blocks
    }
}

impl Segment {
    fn offset(&self) -> u64 {
        match self {
            Segment::Frame { offset, .. } | Segment::Level { offset, .. } => *offset,
        }
    }
}

/// The bins of each region; a chromosome's last bin, where it is shorter, by itself.
fn data_parts(axis: &GenomeAxis) -> Vec<Part> {
    let mut parts = Vec::new();
    for whole in zoom_parts(axis, BIN_BP) {
        let n_whole = (whole.end - whole.start) / BIN_BP;
        let cut = whole.start + n_whole * BIN_BP;
        let first_partial = whole.bins.start + n_whole;
        if n_whole > 0 {
            parts.push(Part {
                end: cut,
                bins: whole.bins.start..first_partial,
                n_items: n_whole,
                ..whole.clone()
            });
        }
        if cut < whole.end {
            parts.push(Part {
                start: cut,
                span: whole.end - cut,
                bins: first_partial..first_partial + 1,
                n_items: 1,
                ..whole
            });
        }
    }
    parts
}

/// Each region in the order of the genome, with items of so many bp.
fn zoom_parts(axis: &GenomeAxis, span: u64) -> Vec<Part> {
    let part = |region: &usize| {
        let interval = axis.region_interval(*region);
        // An axis is made only of regions on chromosomes of its assembly.
        let rank = axis.assembly().rank(&interval.chrom)?;
        Some(Part {
            rank: rank as u32,
            start: interval.start,
            end: interval.end,
            span,
            bins: axis.region_bins(*region),
            n_items: interval.len().div_ceil(span),
            offset: 0,
        })
    };
    axis.sorted_regions().iter().filter_map(part).collect()
}

fn records(part: &Part, items: Range<u64>, reduction: u64, values: &[f32]) -> Vec<u8> {
    let per_item = (reduction / BIN_BP) as usize;
    let mut bytes = Vec::with_capacity(((items.end - items.start) * RECORD_BYTES) as usize);
    for (item, values) in items.zip(values.chunks(per_item)) {
        let start = part.start + item * reduction;
        let end = (start + reduction).min(part.end);
        let mut summary = Summary::EMPTY;
        for (i, value) in values.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            let from = start + i as u64 * BIN_BP;
            summary.cover(BIN_BP.min(part.end - from), *value);
        }
        let n_bases = summary.n_bases as u32;
        for number in [part.rank, start as u32, end as u32, n_bases] {
            bytes.extend(number.to_le_bytes());
        }
        let (min, max) = summary.range();
        for number in [min, max, summary.sum, summary.sum_squares] {
            bytes.extend((number as f32).to_le_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Location, ReadOptions, open_signal};
    use persea_genome::{Assembly, Region};

    /// Two regions of a chromosome whose last bin has 10 bp, and one of another; out of order.
    fn axis() -> GenomeAxis {
        let chromosomes = [("a".to_string(), 100_010), ("b".to_string(), 40_000)];
        let assembly = Assembly::from_chromosomes("toy", &chromosomes).unwrap();
        let region = |chrom: &str, first_bin, n_bins| Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        };
        let regions = vec![
            region("b", 3, 1_500),
            region("a", 2_400, 1_601),
            region("a", 10, 30),
        ];
        GenomeAxis::new(assembly, regions).unwrap()
    }

    fn whole(layout: &BigWigLayout, values: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((begins, chunk)) = layout.at(bytes.len() as u64) {
            assert_eq!(begins, bytes.len() as u64);
            match chunk {
                Chunk::Frame(frame) => bytes.extend(frame),
                Chunk::Section(section) => {
                    let bins = layout.bins(section);
                    let values = &values[bins.start as usize..bins.end as usize];
                    bytes.extend(layout.encode(section, values));
                }
            }
        }
        bytes
    }

    #[test]
    fn a_file_made_of_its_pieces_reads_as_the_values_it_was_made_from() {
        let axis = axis();
        let folder = tempfile::tempdir().unwrap();
        for has_gaps in [false, true] {
            let value = |i: u64| match (has_gaps, i % 7) {
                (true, 3) => f32::NAN,
                _ => (i as f32 * 0.37).sin(),
            };
            let values: Vec<f32> = (0..axis.n_bins()).map(value).collect();
            let layout = BigWigLayout::new(&axis, has_gaps);
            let bytes = whole(&layout, &values);
            assert_eq!(bytes.len() as u64, layout.n_bytes());
            let path = folder.path().join("x.bw");
            std::fs::write(&path, &bytes).unwrap();
            let mut read = vec![f32::NAN; values.len()];
            let options = ReadOptions {
                missing: crate::Missing::Nan,
            };
            open_signal(&Location::Path(path), None)
                .unwrap()
                .read(&axis, &options, &mut |first, piece| {
                    let first = first as usize;
                    read[first..first + piece.len()].copy_from_slice(piece);
                    Ok(())
                })
                .unwrap();
            for (i, (read, value)) in read.iter().zip(&values).enumerate() {
                let same = read == value || (read.is_nan() && value.is_nan());
                assert!(same, "bin {i}: {read}, not {value}");
            }
        }
    }

    #[test]
    fn every_byte_lies_in_a_chunk_that_begins_before_it() {
        let layout = BigWigLayout::new(&axis(), true);
        for offset in (0..layout.n_bytes()).step_by(101) {
            let (begins, chunk) = layout.at(offset).unwrap();
            assert!(begins <= offset);
            if let Chunk::Section(section) = chunk {
                let bins = layout.bins(section);
                let values = vec![1.0; (bins.end - bins.start) as usize];
                let n = layout.encode(section, &values).len() as u64;
                assert!(offset < begins + n, "{offset} {begins} {n}");
            }
        }
        assert!(layout.at(layout.n_bytes()).is_none());
    }

    #[test]
    fn a_record_sums_its_bins_by_their_bases() {
        // The last 10 bp of chromosome a, and 19 whole bins before them, one without data.
        let axis = axis();
        let layout = BigWigLayout::new(&axis, true);
        let section = Section {
            level: 1,
            part: 1,
            index: 0,
        };
        let bins = layout.bins(section);
        assert_eq!(bins.end - bins.start, 1_601);
        let mut values = vec![1.0; 1_601];
        values[1_600] = 2.0;
        values[1_599] = f32::NAN;
        let bytes = layout.encode(section, &values);
        // 1,600 bins in records of 20, and the last bin alone.
        assert_eq!(bytes.len(), 81 * 32);
        let number = |record: usize, field: usize| {
            let at = 32 * record + 4 * field;
            u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
        };
        assert_eq!(
            [0, 1, 2, 3].map(|f| number(79, f)),
            [0, 99_500, 100_000, 475]
        );
        assert_eq!([1, 2, 3].map(|f| number(80, f)), [100_000, 100_010, 10]);
        assert_eq!(f32::from_bits(number(80, 6)), 20.0);
        assert_eq!(f32::from_bits(number(79, 6)), 475.0);
    }
}
