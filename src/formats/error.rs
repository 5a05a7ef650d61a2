//! What can be wrong with signal files.

use std::io;

use crate::genome::{GenomeError, Interval};

/// Errors of the formats room. `file` is a path or a URL, as the user gave it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file could not be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system, or the server, said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a text file is not what its format asks for.
    #[error("{file}, line {line}: {message}")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file is not what its format, or the compendium, asks for.
    #[error("{file}: {message}")]
    File {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
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
    /// A format that nothing tells, or that cannot be written.
    #[error("{file}: {message}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// Coordinates or chromosomes that the assembly lacks.
    #[error(transparent)]
    Genome(#[from] GenomeError),
}

impl FormatError {
    /// An unreadable file.
    pub(crate) fn read(file: impl ToString, source: io::Error) -> Self {
        FormatError::Read {
            file: file.to_string(),
            source,
        }
    }

    /// A file that cannot be written.
    pub(crate) fn write(file: impl ToString, source: io::Error) -> Self {
        FormatError::Write {
            file: file.to_string(),
            source,
        }
    }

    /// A bad line, counted from 1.
    pub(crate) fn line(file: impl ToString, line: u64, message: impl Into<String>) -> Self {
        FormatError::Line {
            file: file.to_string(),
            line,
            message: message.into(),
        }
    }

    /// A file that is not what it should be.
    pub(crate) fn file(file: impl ToString, message: impl Into<String>) -> Self {
        FormatError::File {
            file: file.to_string(),
            message: message.into(),
        }
    }
}
