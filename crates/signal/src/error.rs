//! What can be wrong with signal files.

use std::io;

use persea_files::FileError;
use persea_genome::{GenomeError, Interval};

/// Errors of this crate. `file` is a path or a URL, as the user gave it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file that cannot be read, written or used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal value is infinite, or NaN where a track is written.
    #[error("{file}: the value at {interval} is {value}: signal must be finite")]
    NotFinite {
        /// The file.
        file: String,
        /// Where.
        interval: Interval,
        /// The value.
        value: f32,
    },
    /// The bins that were read could not be passed on.
    #[error("cannot store the signal of {file}: {source}")]
    Sink {
        /// The file that was being read.
        file: String,
        /// What the receiver said.
        source: io::Error,
    },
    /// Coordinates or chromosomes that the assembly lacks.
    #[error(transparent)]
    Genome(#[from] GenomeError),
}

impl FormatError {
    /// An unreadable file.
    pub fn read(file: impl ToString, source: io::Error) -> Self {
        FileError::read(file, source).into()
    }

    /// A file that cannot be written.
    pub fn write(file: impl ToString, source: io::Error) -> Self {
        FileError::write(file, source).into()
    }

    /// A bad line, counted from 1.
    pub fn line(file: impl ToString, line: u64, message: impl Into<String>) -> Self {
        FileError::line(file, line, message).into()
    }

    /// A file that is not what it should be.
    pub fn file(file: impl ToString, message: impl Into<String>) -> Self {
        FileError::file(file, message).into()
    }
}
