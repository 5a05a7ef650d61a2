//! The frame of a bigWig file, checked: header, chromosomes, and the index over what is asked for.

use std::collections::HashSet;
use std::io::{ErrorKind, SeekFrom};
use std::ops::Range;

use super::magic;
use crate::FormatError;
use crate::source::ByteSource;

/// A block unpacks to at most 786,444 bytes in any file that follows the format (65,535 items of
/// 12 bytes and a head); this leaves room for writers that do not.
const LARGEST_BLOCK: u64 = 1 << 28;

/// A tree over all positions of any genome is less deep.
const DEEPEST: usize = 32;

/// A chromosome of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileChromosome {
    pub name: String,
    pub id: u32,
    pub length: u64,
}

/// Where things are in a file.
#[derive(Debug)]
pub(super) struct Layout {
    file: String,
    big_endian: bool,
    n_bytes: u64,
    index: u64,
    pub chromosomes: Vec<FileChromosome>,
}

/// Numbers of a piece of the file, in its byte order.
struct Numbers {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Numbers {
    fn get(&self, at: usize, n: usize) -> u64 {
        // Every piece is read as long as the numbers asked of it, but for the head of a file that is
        // shorter than a header: `byte_order` refuses that.
        let bytes = self.bytes.get(at..at + n).unwrap_or_default();
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    }

    fn u16(&self, at: usize) -> u64 {
        self.get(at, 2)
    }

    fn u32(&self, at: usize) -> u32 {
        self.get(at, 4) as u32
    }

    fn u64(&self, at: usize) -> u64 {
        self.get(at, 8)
    }
}

impl Layout {
    /// Reads the header and the chromosomes of a bigWig.
    pub fn read(source: &mut dyn ByteSource, file: &str) -> Result<Self, FormatError> {
        Self::read_as(source, file, magic::BIGWIG)
    }

    /// Reads the header and the chromosomes of a file that begins with this magic number.
    pub fn read_as(
        source: &mut dyn ByteSource,
        file: &str,
        wanted: u32,
    ) -> Result<Self, FormatError> {
        let n_bytes = source.n_bytes();
        let mut layout = Layout {
            file: file.to_string(),
            big_endian: false,
            n_bytes,
            index: 0,
            chromosomes: Vec::new(),
        };
        if n_bytes == 0 {
            let what = if wanted == magic::BIGWIG {
                "bigWig"
            } else {
                "bigBed"
            };
            return Err(layout.error(format!("is empty, not a {what}")));
        }
        let head = layout.numbers(source, 0, n_bytes.min(64))?;
        layout.big_endian = layout.byte_order(&head, wanted)?;
        let head = Numbers {
            big_endian: layout.big_endian,
            ..head
        };
        let n_zooms = head.u16(6);
        let [chrom_tree, data, index] = [8, 16, 24].map(|at| head.u64(at));
        let zooms = layout.numbers(source, 64, 24 * n_zooms)?;
        let of_zooms = (0..n_zooms as usize).flat_map(|i| [8, 16].map(|at| zooms.u64(24 * i + at)));
        let first = [(chrom_tree, 32), (data, 8), (index, 48)];
        for (offset, n) in first.into_iter().chain(of_zooms.map(|offset| (offset, 0))) {
            if offset.saturating_add(n) > n_bytes {
                return Err(layout.truncated());
            }
        }
        if u64::from(head.u32(52)) > LARGEST_BLOCK {
            return Err(layout.damaged("its blocks are too large"));
        }
        layout.index = index;
        if layout.numbers(source, index, 48)?.u32(0) != magic::INDEX {
            return Err(layout.damaged("where its index should be is none"));
        }
        layout.read_chromosomes(source, chrom_tree)?;
        Ok(layout)
    }

    /// Checks the index over a stretch of a chromosome and says which bytes hold its data.
    pub fn data_of(
        &self,
        source: &mut dyn ByteSource,
        chrom: u32,
        stretch: Range<u32>,
    ) -> Result<Range<u64>, FormatError> {
        let (mut first, mut last) = (u64::MAX, 0);
        let mut seen = HashSet::new();
        let mut nodes = vec![(self.index + 48, 0)];
        while let Some((offset, depth)) = nodes.pop() {
            if depth > DEEPEST || !seen.insert(offset) {
                return Err(self.damaged("its index runs in a circle"));
            }
            let (is_leaf, count) = self.node_head(source, offset)?;
            let size = if is_leaf { 32 } else { 24 };
            let items = self.numbers(source, offset + 4, size * count)?;
            for at in (0..count).map(|i| (i * size) as usize) {
                let from = (items.u32(at), items.u32(at + 4));
                let to = (items.u32(at + 8), items.u32(at + 12));
                // Wider by a base than need be, so that all that bigtools follows is checked.
                if (chrom, stretch.end) < from || to < (chrom, stretch.start) {
                    continue;
                }
                let place = items.u64(at + 16);
                if !is_leaf {
                    nodes.push((place, depth + 1));
                    continue;
                }
                let n_bytes = items.u64(at + 24);
                match place.checked_add(n_bytes) {
                    Some(end) if end <= self.n_bytes => {
                        (first, last) = (first.min(place), last.max(end));
                    }
                    _ => return Err(self.truncated()),
                }
                if n_bytes > LARGEST_BLOCK {
                    return Err(self.damaged("its blocks are too large"));
                }
            }
        }
        Ok(first.min(last)..last)
    }

    fn byte_order(&self, head: &Numbers, wanted: u32) -> Result<bool, FormatError> {
        let magic = head.u32(0);
        match magic {
            _ if magic == wanted && self.n_bytes < 64 => Err(self.truncated()),
            _ if magic == wanted => Ok(false),
            _ if magic.swap_bytes() == wanted && self.n_bytes >= 64 => Ok(true),
            _ if wanted == magic::BIGBED => {
                Err(self.error("is no bigBed (its first bytes say so)"))
            }
            _ if [magic, magic.swap_bytes()].contains(&magic::BIGBED) => {
                Err(self.error("is a bigBed, not a bigWig: it has no signal"))
            }
            _ if head.bytes.starts_with(&[0x1f, 0x8b]) => {
                Err(self.error("is gzipped: a bigWig is not; unpack it"))
            }
            _ if head.bytes.first() == Some(&b'<') => Err(self.error(
                "is not a bigWig but a web page: was it downloaded from the right address?",
            )),
            _ => Err(self.error("is not a bigWig (its first bytes say so)")),
        }
    }

    fn read_chromosomes(
        &mut self,
        source: &mut dyn ByteSource,
        tree: u64,
    ) -> Result<(), FormatError> {
        let head = self.numbers(source, tree, 32)?;
        let (key_bytes, value_bytes) = (u64::from(head.u32(8)), head.u32(12));
        let n_chromosomes = head.u64(16);
        let size = key_bytes + 8;
        if head.u32(0) != magic::CHROM_TREE
            || value_bytes != 8
            || key_bytes == 0
            || n_chromosomes
                .checked_mul(size)
                .is_none_or(|n| n > self.n_bytes)
        {
            return Err(self.damaged("its list of chromosomes is none"));
        }
        let mut seen = HashSet::new();
        let mut nodes = vec![(tree + 32, 0)];
        while let Some((offset, depth)) = nodes.pop() {
            if depth > DEEPEST || !seen.insert(offset) {
                return Err(self.damaged("its list of chromosomes runs in a circle"));
            }
            let (is_leaf, count) = self.node_head(source, offset)?;
            let items = self.numbers(source, offset + 4, size * count)?;
            for at in (0..count).map(|i| (i * size) as usize) {
                let value = at + key_bytes as usize;
                if !is_leaf {
                    nodes.push((items.u64(value), depth + 1));
                    continue;
                }
                let Ok(name) = std::str::from_utf8(&items.bytes[at..value]) else {
                    return Err(self.damaged("a chromosome's name is not text"));
                };
                self.chromosomes.push(FileChromosome {
                    name: name.trim_matches('\0').to_string(),
                    id: items.u32(value),
                    length: u64::from(items.u32(value + 4)),
                });
            }
        }
        self.chromosomes.sort_by_key(|c| c.id);
        // bigtools looks for a name, and would follow the index of the other one, which is not checked.
        let mut names = HashSet::new();
        match self.chromosomes.iter().find(|c| !names.insert(&c.name)) {
            Some(twice) => Err(self.damaged(&format!("it lists {} twice", twice.name))),
            None => Ok(()),
        }
    }

    fn node_head(
        &self,
        source: &mut dyn ByteSource,
        offset: u64,
    ) -> Result<(bool, u64), FormatError> {
        let head = self.numbers(source, offset, 4)?;
        if head.bytes[0] > 1 {
            return Err(self.damaged("its index has a node that is none"));
        }
        Ok((head.bytes[0] == 1, head.u16(2)))
    }

    fn numbers(
        &self,
        source: &mut dyn ByteSource,
        offset: u64,
        n: u64,
    ) -> Result<Numbers, FormatError> {
        if offset.checked_add(n).is_none_or(|end| end > self.n_bytes) {
            return Err(self.truncated());
        }
        let mut bytes = vec![0; n as usize];
        source
            .seek(SeekFrom::Start(offset))
            .and_then(|_| source.read_exact(&mut bytes))
            .map_err(|e| match e.kind() {
                ErrorKind::UnexpectedEof => self.truncated(),
                _ => FormatError::read(&self.file, e),
            })?;
        Ok(Numbers {
            bytes,
            big_endian: self.big_endian,
        })
    }

    /// The file ends too early.
    pub fn truncated(&self) -> FormatError {
        self.error(format!(
            "is truncated, or damaged: it points beyond its {} bytes; fetch it again",
            self.n_bytes
        ))
    }

    /// The file is not what the format says.
    pub fn damaged(&self, how: &str) -> FormatError {
        self.error(format!("is a damaged bigWig: {how}; fetch it again"))
    }

    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::file(&self.file, message)
    }
}
