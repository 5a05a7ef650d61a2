//! The file of a checkpoint: its layout, and reading it through.
//!
//! A header, the parts one after another, a table of contents as JSON, and a footer with the
//! table's length and checksum. Each part has its BLAKE3 in the table.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;

pub(super) const MAGIC: &[u8; 8] = b"PERSEACK";
pub(super) const VERSION: u32 = 1;
/// Table length, its checksum, magic.
const FOOTER_BYTES: u64 = 8 + 32 + 8;
pub(super) const HEADER_BYTES: u64 = 8 + 4;
pub(super) const SUFFIX: &str = ".checkpoint";

/// The table of contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) model: String,
    pub(super) step: u64,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) checksum: String,
}

/// Passes bytes on and hashes them.
pub(super) struct Hashing<'a, W> {
    pub(super) inner: &'a mut W,
    pub(super) hasher: blake3::Hasher,
    pub(super) n: u64,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.n += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// A folder's checkpoints by number, oldest first.
pub(super) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io(folder, e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io(folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(number) = name.strip_suffix(SUFFIX).and_then(|n| n.parse().ok()) {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a checkpoint through and returns what is in it.
pub(super) fn open(path: &Path) -> Result<Contents, StoreError> {
    let check = || -> std::io::Result<Result<Contents, &'static str>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length < HEADER_BYTES + FOOTER_BYTES {
            return Ok(Err("it is cut short"));
        }
        let mut header = [0; HEADER_BYTES as usize];
        file.read_exact(&mut header)?;
        if !header.starts_with(MAGIC) || header[8..] != VERSION.to_le_bytes() {
            return Ok(Err("its header is not that of a checkpoint"));
        }
        let mut footer = [0; FOOTER_BYTES as usize];
        file.seek(SeekFrom::Start(length - FOOTER_BYTES))?;
        file.read_exact(&mut footer)?;
        let Some((table_length, rest)) = footer.split_first_chunk::<8>() else {
            return Ok(Err("it is cut short"));
        };
        let table_length = u64::from_le_bytes(*table_length);
        if !rest.ends_with(MAGIC) || table_length > length - HEADER_BYTES - FOOTER_BYTES {
            return Ok(Err("it is cut short"));
        }
        let table_start = length - FOOTER_BYTES - table_length;
        let mut table = vec![0; table_length as usize];
        file.seek(SeekFrom::Start(table_start))?;
        file.read_exact(&mut table)?;
        if blake3::hash(&table).as_bytes() != &rest[..32] {
            return Ok(Err("the checksum of its table of contents does not match"));
        }
        let Ok(contents) = serde_json::from_slice::<Contents>(&table) else {
            return Ok(Err("its table of contents cannot be understood"));
        };
        file.seek(SeekFrom::Start(HEADER_BYTES))?;
        let mut block = vec![0; 1 << 20];
        for part in &contents.parts {
            let mut hasher = blake3::Hasher::new();
            let mut left = part.bytes;
            while left > 0 {
                let n = left.min(block.len() as u64) as usize;
                file.read_exact(&mut block[..n])?;
                hasher.update(&block[..n]);
                left -= n as u64;
            }
            if hasher.finalize().to_hex().as_str() != part.checksum {
                return Ok(Err("the checksum of a part does not match"));
            }
        }
        Ok(Ok(contents))
    };
    match check() {
        Ok(Ok(contents)) => Ok(contents),
        Ok(Err(why)) => Err(StoreError::damaged(path.display().to_string(), why)),
        Err(e) => Err(StoreError::io(path, e)),
    }
}
