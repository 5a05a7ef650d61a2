//! What can be wrong with a model.

use crate::files::FileError;

/// Errors of the model room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A configuration that cannot be built.
    #[error("model configuration: {0}")]
    Config(String),
    /// Parameters whose shapes disagree with the configuration.
    #[error("model parameters: {name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Which tensor.
        name: String,
        /// Rows and columns found.
        found: [usize; 2],
        /// Rows and columns that the configuration asks for.
        expected: [usize; 2],
    },
    /// A biosample or assay that the model does not know, or a model that cannot be what is asked.
    #[error("{0}")]
    Unknown(String),
    /// A file of another program's model that is not what it should be.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ModelError {
    /// A file that is not what it should be.
    pub(crate) fn file(file: &std::path::Path, message: impl Into<String>) -> Self {
        FileError::file(file.display(), message).into()
    }
}
