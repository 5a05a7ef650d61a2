//! What can go wrong with a selection.

use std::path::Path;

use crate::files::FileError;

/// Errors of the module `selection`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// A name that is not among the items.
    #[error("unknown {kind} {name}; the nearest names are {}{advice}", nearest.join(", "))]
    UnknownItem {
        /// What it should have been.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest names.
        nearest: Vec<String>,
        /// What else to do, beginning with its punctuation; or nothing.
        advice: &'static str,
    },
    /// There is nothing, or nothing else, to choose.
    #[error("{0}")]
    NothingToChoose(String),
    /// Fewer items are left than were asked for.
    #[error(
        "k is {k}, and {left} {} left to choose from; choose no more",
        if *left == 1 { "is" } else { "are" }
    )]
    TooMany {
        /// How many were asked for.
        k: usize,
        /// How many are left.
        left: usize,
    },
    /// Requests, options or values that cannot be, alone or together; the message names them.
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
