//! What can be wrong with a model.

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
    /// A biosample or assay that the model does not know.
    #[error("{0}")]
    Unknown(String),
}
