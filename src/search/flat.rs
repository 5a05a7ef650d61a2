//! The flat factor file: rows of one scale as search wants them, memory-mapped.
//!
//! A header of one page, the numbers, the checksums of their blocks. The header says what the file
//! was made of (kind, model, axis), its shape, and the checksum of the checksums; length, header
//! and checksums are verified when it is opened, a block when it is first touched. Numbers are in
//! the byte order of the machine: a file from another order counts as stale. The file is derived
//! and never changed in place: a new one takes its name, and who has the old one mapped keeps it.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use memmap2::Mmap;

use super::{SearchError, memory};

const MAGIC: &[u8; 8] = b"PERSEAFF";
const VERSION: u32 = 3;
const BYTE_ORDER: u32 = 0x0102_0304;
const HEADER_BYTES: usize = 4_096;
/// What a checksum covers.
const BLOCK_BYTES: usize = 32_768;
const CHECKSUM_BYTES: usize = 16;

/// What a file was made of; two that differ in it are not interchangeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// What the numbers are (`euclidean 25bp`).
    pub kind: String,
    /// The model's checksum, in hexadecimal.
    pub model: String,
    /// BLAKE3 of the model's regions.
    pub axis: [u8; 32],
}

impl Origin {
    fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.kind.as_bytes());
        hasher.update(&self.axis);
        *hasher.finalize().as_bytes()
    }
}

/// A header's fields, in order: magic, byte order, version, the model's checksum (64 hexadecimal
/// digits), the hash of kind and axis, rows, columns, bytes of a block, the checksums' checksum,
/// and the checksum of all this.
fn header(origin: &Origin, rows: u64, cols: usize, checksums: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&BYTE_ORDER.to_ne_bytes());
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let mut model = [0u8; 64];
    for (to, from) in model.iter_mut().zip(origin.model.bytes()) {
        *to = from;
    }
    bytes.extend_from_slice(&model);
    bytes.extend_from_slice(&origin.hash());
    bytes.extend_from_slice(&rows.to_le_bytes());
    bytes.extend_from_slice(&(cols as u64).to_le_bytes());
    bytes.extend_from_slice(&(BLOCK_BYTES as u64).to_le_bytes());
    bytes.extend_from_slice(blake3::hash(checksums).as_bytes());
    let own = blake3::hash(&bytes);
    bytes.extend_from_slice(own.as_bytes());
    bytes.resize(HEADER_BYTES, 0);
    bytes
}

/// Where the model's checksum and the origin's hash stand in a header.
const MODEL: Range<usize> = 16..80;
const ORIGIN: Range<usize> = 80..112;

/// Numbers of one scale, `[rows, cols]` in transposed groups.
#[derive(Debug)]
pub(super) struct Flat {
    path: PathBuf,
    numbers: Numbers,
    rows: u64,
    cols: usize,
    /// One bit a block: verified.
    verified: Vec<AtomicU64>,
    n_verified: AtomicUsize,
    all_verified: AtomicBool,
}

#[derive(Debug)]
enum Numbers {
    Mapped(Mmap),
    /// Where nothing can be written.
    Memory(Vec<f32>),
}

impl Flat {
    /// Opens a file and verifies all but its blocks.
    pub fn open(path: &Path, origin: &Origin, rows: u64, cols: usize) -> Result<Self, SearchError> {
        let io = |source| SearchError::Io {
            path: path.to_path_buf(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        // SAFETY: files of `index/` are never changed in place (see above); whoever does so from
        // outside breaks the database as if they wrote into SQLite's file.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let damaged = |why: &str| SearchError::Damaged {
            path: path.to_path_buf(),
            why: why.to_string(),
        };
        let stale = |why: &str| SearchError::Stale {
            path: path.to_path_buf(),
            why: why.to_string(),
        };
        if map.len() < HEADER_BYTES || !map.starts_with(MAGIC) {
            return Err(damaged("it has no header"));
        }
        if map[8..12] != BYTE_ORDER.to_ne_bytes() || map[12..16] != VERSION.to_le_bytes() {
            return Err(stale("it is of another version or machine"));
        }
        let n_bytes = (rows as usize).checked_mul(cols * 4);
        let n_bytes = n_bytes.ok_or_else(|| damaged("it is larger than memory"))?;
        let n_blocks = n_bytes.div_ceil(BLOCK_BYTES);
        let mut model = [0u8; 64];
        for (to, from) in model.iter_mut().zip(origin.model.bytes()) {
            *to = from;
        }
        if map[MODEL] != model || map[ORIGIN] != origin.hash() {
            // A header that is not even whole says nothing of what it was made of.
            let own = &map[168..200];
            return Err(if *own == *blake3::hash(&map[..168]).as_bytes() {
                stale("it was made of another model or other regions")
            } else {
                damaged("its header's checksum does not match")
            });
        }
        if map.len() != HEADER_BYTES + n_bytes + n_blocks * CHECKSUM_BYTES {
            return Err(damaged("it has not the length that its rows take"));
        }
        let checksums = &map[HEADER_BYTES + n_bytes..];
        if map[..HEADER_BYTES] != header(origin, rows, cols, checksums) {
            return Err(damaged(
                "its header or its checksums are not what was written",
            ));
        }
        Ok(Flat {
            path: path.to_path_buf(),
            rows,
            cols,
            verified: (0..n_blocks.div_ceil(64))
                .map(|_| AtomicU64::new(0))
                .collect(),
            n_verified: AtomicUsize::new(0),
            all_verified: AtomicBool::new(n_blocks == 0),
            numbers: Numbers::Mapped(map),
        })
    }

    /// Numbers in memory, with nothing to verify.
    pub fn in_memory(numbers: Vec<f32>, cols: usize) -> Self {
        Flat {
            path: PathBuf::new(),
            rows: (numbers.len() / cols.max(1)) as u64,
            cols,
            numbers: Numbers::Memory(numbers),
            verified: Vec::new(),
            n_verified: AtomicUsize::new(0),
            all_verified: AtomicBool::new(true),
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The numbers of some rows; they must be whole groups.
    #[inline]
    pub fn group(&self, rows: Range<u64>) -> Result<&[f32], SearchError> {
        let range = rows.start as usize * self.cols..rows.end as usize * self.cols;
        if !self.all_verified.load(Ordering::Relaxed) {
            self.verify(&range)?;
        }
        Ok(&self.numbers()[range])
    }

    /// Asks for the numbers of some rows before they are needed.
    #[inline]
    pub fn prefetch(&self, rows: Range<u64>) {
        let range = rows.start as usize * self.cols..rows.end as usize * self.cols;
        if let Some(numbers) = self.numbers().get(range) {
            memory::prefetch(numbers);
        }
    }

    /// Verifies everything.
    pub fn verify_all(&self) -> Result<(), SearchError> {
        if !self.all_verified.load(Ordering::Relaxed) {
            self.verify(&(0..self.rows as usize * self.cols))?;
            self.all_verified.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn numbers(&self) -> &[f32] {
        match &self.numbers {
            Numbers::Mapped(map) => {
                let n_bytes = self.rows as usize * self.cols * 4;
                // The mapping begins with a page, the numbers with its second.
                bytemuck::cast_slice(&map[HEADER_BYTES..HEADER_BYTES + n_bytes])
            }
            Numbers::Memory(numbers) => numbers,
        }
    }

    #[inline(never)]
    fn verify(&self, numbers: &Range<usize>) -> Result<(), SearchError> {
        let Numbers::Mapped(map) = &self.numbers else {
            return Ok(());
        };
        if numbers.is_empty() {
            return Ok(());
        }
        let n_bytes = self.rows as usize * self.cols * 4;
        for block in numbers.start * 4 / BLOCK_BYTES..=(numbers.end * 4 - 1) / BLOCK_BYTES {
            let (word, bit) = (&self.verified[block / 64], 1 << (block % 64));
            if word.load(Ordering::Relaxed) & bit != 0 {
                continue;
            }
            let end = ((block + 1) * BLOCK_BYTES).min(n_bytes);
            let data = &map[HEADER_BYTES + block * BLOCK_BYTES..HEADER_BYTES + end];
            let at = HEADER_BYTES + n_bytes + block * CHECKSUM_BYTES;
            if blake3::hash(data).as_bytes()[..CHECKSUM_BYTES] != map[at..at + CHECKSUM_BYTES] {
                return Err(SearchError::Damaged {
                    path: self.path.clone(),
                    why: format!("the checksum of block {block} does not match"),
                });
            }
            // Whoever was first counts it, so that at last nobody has to ask any more.
            if word.fetch_or(bit, Ordering::Relaxed) & bit == 0
                && self.n_verified.fetch_add(1, Ordering::Relaxed) + 1
                    == n_bytes.div_ceil(BLOCK_BYTES)
            {
                self.all_verified.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// A file being written beside the place where it will stand.
pub(super) struct FlatWriter {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    origin: Origin,
    cols: usize,
    n_numbers: u64,
    checksums: Vec<u8>,
    /// What does not fill a block yet.
    pending: Vec<u8>,
}

impl FlatWriter {
    pub fn create(path: &Path, origin: Origin, cols: usize) -> Result<Self, SearchError> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let io = |source| SearchError::Io {
            path: temporary.clone(),
            source,
        };
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&temporary).map_err(io)?);
        file.write_all(&[0; HEADER_BYTES]).map_err(io)?;
        Ok(FlatWriter {
            path: path.to_path_buf(),
            temporary,
            file,
            origin,
            cols,
            n_numbers: 0,
            checksums: Vec::new(),
            pending: Vec::with_capacity(2 * BLOCK_BYTES),
        })
    }

    /// Appends numbers, in groups as they will be read.
    pub fn write(&mut self, numbers: &[f32]) -> Result<(), SearchError> {
        self.n_numbers += numbers.len() as u64;
        let mut bytes: &[u8] = bytemuck::cast_slice(numbers);
        while !bytes.is_empty() {
            let n = (BLOCK_BYTES - self.pending.len()).min(bytes.len());
            self.pending.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if self.pending.len() == BLOCK_BYTES {
                self.end_block()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), SearchError> {
        let checksum = blake3::hash(&self.pending);
        self.checksums
            .extend_from_slice(&checksum.as_bytes()[..CHECKSUM_BYTES]);
        let written = self.file.write_all(&self.pending);
        self.pending.clear();
        written.map_err(|source| self.failed(source))
    }

    /// Makes the file durable and gives it its name.
    pub fn finish(mut self) -> Result<(), SearchError> {
        if !self.pending.is_empty() {
            self.end_block()?;
        }
        let rows = self.n_numbers / (self.cols as u64).max(1);
        let head = header(&self.origin, rows, self.cols, &self.checksums);
        let mut end = || {
            self.file.write_all(&self.checksums)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&head)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            std::fs::rename(&self.temporary, &self.path)
        };
        end().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> SearchError {
        SearchError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for FlatWriter {
    fn drop(&mut self) {
        // After `finish` there is none of that name.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn origin(model: &str) -> Origin {
        Origin {
            kind: "euclidean 25bp".into(),
            model: model.into(),
            axis: [7; 32],
        }
    }

    /// 30,000 numbers: four blocks, the last one partial.
    fn written(folder: &Path) -> (PathBuf, Vec<f32>) {
        let path = folder.join("x.factors");
        let numbers: Vec<f32> = (0..30_000).map(|i| i as f32).collect();
        let mut writer = FlatWriter::create(&path, origin("abc"), 3).unwrap();
        for piece in numbers.chunks(7_000) {
            writer.write(piece).unwrap();
        }
        writer.finish().unwrap();
        (path, numbers)
    }

    fn open(path: &Path) -> Result<Flat, SearchError> {
        Flat::open(path, &origin("abc"), 10_000, 3)
    }

    #[test]
    fn a_written_file_reads_back_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, numbers) = written(folder.path());
        let flat = open(&path).unwrap();
        assert_eq!(flat.group(100..9_000).unwrap(), &numbers[300..27_000]);
        flat.verify_all().unwrap();
        assert_eq!(flat.group(0..10_000).unwrap(), numbers);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_flipped_bit_is_found_by_whoever_touches_its_block_and_by_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (path, numbers) = written(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEADER_BYTES + BLOCK_BYTES + 5] ^= 1;
        fs::write(&path, bytes).unwrap();
        let flat = open(&path).unwrap();
        assert_eq!(flat.group(0..2_000).unwrap(), &numbers[..6_000]);
        let message = flat.group(2_000..3_000).unwrap_err().to_string();
        assert!(message.contains("block 1"), "{message}");
        assert!(flat.verify_all().is_err());
    }

    #[test]
    fn damage_outside_the_blocks_is_found_at_opening_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = written(folder.path());
        let bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        for at in [
            0,
            9,
            13,
            20,
            90,
            115,
            121,
            130,
            150,
            180,
            3_000,
            end - 1,
            end - 60,
        ] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            fs::write(&path, flipped).unwrap();
            assert!(open(&path).unwrap_err().is_rebuildable(), "byte {at}");
        }
        for length in [0, 100, HEADER_BYTES, end - 1, end / 2] {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(open(&path).unwrap_err().is_rebuildable(), "{length} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        fs::write(&path, longer).unwrap();
        assert!(open(&path).is_err());
        fs::write(&path, bytes).unwrap();
        assert!(open(&path).is_ok());
    }

    #[test]
    fn a_file_of_another_model_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = written(folder.path());
        let error = Flat::open(&path, &origin("abd"), 10_000, 3).unwrap_err();
        assert!(matches!(error, SearchError::Stale { .. }), "{error}");
        assert!(Flat::open(&path, &origin("abc"), 9_999, 3).is_err());
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.factors");
        let mut writer = FlatWriter::create(&path, origin("abc"), 3).unwrap();
        writer.write(&[1.0; 30]).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
