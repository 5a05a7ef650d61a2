//! What can be wrong with a file.

use std::io;

/// What is wrong with a file. `file` is a path or a URL, as the user gave it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It could not be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system, or the server, answered.
        source: io::Error,
    },
    /// It could not be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file.
        file: String,
        /// What the system answered.
        source: io::Error,
    },
    /// A line is not what the format requires.
    #[error("{file}, line {line}: {message}")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// The content as a whole cannot be used.
    #[error("{file}: {message}")]
    File {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
}

impl FileError {
    /// An unreadable file.
    pub fn read(file: impl ToString, source: io::Error) -> Self {
        FileError::Read {
            file: file.to_string(),
            source,
        }
    }

    /// A file that cannot be written.
    pub fn write(file: impl ToString, source: io::Error) -> Self {
        FileError::Write {
            file: file.to_string(),
            source,
        }
    }

    /// A bad line, counted from 1.
    pub fn line(file: impl ToString, line: u64, message: impl Into<String>) -> Self {
        FileError::Line {
            file: file.to_string(),
            line,
            message: message.into(),
        }
    }

    /// A file whose content cannot be used.
    pub fn file(file: impl ToString, message: impl Into<String>) -> Self {
        FileError::File {
            file: file.to_string(),
            message: message.into(),
        }
    }
}
