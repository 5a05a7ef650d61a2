//! What can go wrong with loci.

use crate::files::FileError;

/// Errors of the loci room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LociError {
    /// A question that cannot be answered as it was asked.
    #[error("{0}")]
    Question(String),
    /// A file that cannot be read, or holds something else than was expected.
    #[error(transparent)]
    File(#[from] FileError),
    /// Profiles could not be clustered.
    #[error("cannot cluster the biosamples: {0}")]
    Clustering(String),
}

impl LociError {
    pub(super) fn question(message: impl Into<String>) -> Self {
        LociError::Question(message.into())
    }
}
