//! Text files, plain or packed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::FileError;

/// Opens a text file for reading lines, unpacking gzip and bgzip by their magic number.
///
/// # Errors
/// When the file cannot be read.
pub fn open_text(path: &Path) -> Result<Box<dyn BufRead + Send>, FileError> {
    let failed = |e| FileError::read(path.display(), e);
    let file = File::open(path).map_err(failed)?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let head = reader.fill_buf().map_err(failed)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            MultiGzDecoder::new(reader),
        )))
    } else {
        Ok(Box::new(reader))
    }
}
