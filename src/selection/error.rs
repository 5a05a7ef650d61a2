//! What can go wrong with a selection.

use std::path::Path;

use crate::files::FileError;

/// Errors of the selection room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// A question that cannot be answered as it was asked.
    #[error("{0}")]
    Question(String),
    /// A file that cannot be read, or holds something else than was expected.
    #[error(transparent)]
    File(#[from] FileError),
    /// A stored selection cannot be repeated or read.
    #[error("selection {id}: {why}")]
    Stored {
        /// Its number.
        id: i64,
        /// Why.
        why: String,
    },
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
}

impl SelectionError {
    pub(super) fn question(message: impl Into<String>) -> Self {
        SelectionError::Question(message.into())
    }

    pub(super) fn file(path: &Path, why: impl Into<String>) -> Self {
        FileError::file(path.display(), why).into()
    }

    pub(super) fn line(path: &Path, line: u64, why: impl std::fmt::Display) -> Self {
        FileError::line(path.display(), line, why.to_string()).into()
    }
}
