//! What can go wrong with loci.

use std::path::PathBuf;

/// Errors of the loci room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LociError {
    /// A question that cannot be answered as it was asked.
    #[error("{0}")]
    Question(String),
    /// A line of a file of sites is not what its format asks for.
    #[error("{path}, line {line}: {why}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        why: String,
    },
    /// A file of sites could not be read, or holds none.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Profiles could not be clustered.
    #[error("cannot cluster the biosamples: {0}")]
    Clustering(String),
}

impl LociError {
    pub(super) fn question(message: impl Into<String>) -> Self {
        LociError::Question(message.into())
    }
}
