//! What can go wrong with a search.

use std::path::PathBuf;

/// Errors of the search room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A query that cannot be answered as it was asked.
    #[error("{0}")]
    Query(String),
    /// A file of `index/` is not what was written.
    #[error("{path} is damaged: {why}; `persea index` writes it anew from the database")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of `index/` belongs to other numbers than the model's.
    #[error("{path} is stale: {why}; `persea index` writes it anew from the database")]
    Stale {
        /// The file.
        path: PathBuf,
        /// What it was made of.
        why: String,
    },
    /// A file of `index/` could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A graph that cannot be built or read.
    #[error("approximate search: {0}")]
    Graph(String),
}

impl SearchError {
    pub(super) fn query(message: impl Into<String>) -> Self {
        SearchError::Query(message.into())
    }

    /// Whether writing the index anew puts it right.
    pub fn is_rebuildable(&self) -> bool {
        match self {
            SearchError::Damaged { .. } | SearchError::Stale { .. } => true,
            SearchError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }
}
