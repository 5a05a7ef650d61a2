//! Errors of the formats room.

/// Errors of the formats room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Stand-in.
    #[error("{0}: {1}")]
    Stub(std::path::PathBuf, std::io::Error),
}
