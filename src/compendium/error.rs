//! What can be wrong with a manifest, and with the tracks that it names.

use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::formats::FormatError;
use crate::store::StoreError;

/// Errors of the module `compendium`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompendiumError {
    /// A file that cannot be read, or holds something else than was expected.
    #[error(transparent)]
    File(#[from] FileError),
    /// A temporary file could not be written or read.
    #[error("cannot use {path}: {source}")]
    Scratch {
        /// The file or its folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
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
        FileError::line(path.display(), line, message).into()
    }

    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Self {
        FileError::file(path.display(), message).into()
    }
}
