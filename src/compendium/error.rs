//! What can be wrong with a manifest, and with the tracks that it names.

use std::path::{Path, PathBuf};

use crate::formats::FormatError;
use crate::store::StoreError;

/// Errors of the compendium room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompendiumError {
    /// A manifest or metadata table could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a manifest or metadata table is not as it should be.
    #[error("{path}, line {line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A manifest or metadata table as a whole cannot be used.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A track's signal cannot be stored.
    #[error("{0}")]
    Signal(String),
    /// A track's file was written to while it was read.
    #[error("{location} changed while it was being read; ingest it again when it is complete")]
    Changed {
        /// Its path or URL.
        location: String,
    },
    /// The user asked to stop.
    #[error("stopped; ingest again to go on")]
    Stopped,
    /// A call that cannot be carried out as it was made.
    #[error("{0}")]
    Invalid(String),
    /// A signal file.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CompendiumError {
    pub(crate) fn line(path: &Path, line: u64, message: impl Into<String>) -> Self {
        CompendiumError::Line {
            path: path.to_path_buf(),
            line,
            message: message.into(),
        }
    }

    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Self {
        CompendiumError::File {
            path: path.to_path_buf(),
            message: message.into(),
        }
    }
}
