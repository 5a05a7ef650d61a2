//! What can be wrong with a model.

use crate::files::FileError;

/// Errors of the module `model`.
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
    /// Places beyond the model's biosamples and assays.
    #[error(
        "the model has {biosamples} biosamples and {assays} assays; {biosample} and {assay} were asked for"
    )]
    Beyond {
        /// The place among the biosamples, from 0.
        biosample: usize,
        /// The place among the assays, from 0.
        assay: usize,
        /// How many biosamples there are.
        biosamples: usize,
        /// How many assays there are.
        assays: usize,
    },
    /// A block of genome factors whose rows do not stand one after another in memory.
    #[error("genome factors must stand row after row in memory; copy them to a standard layout")]
    Strided,
    /// A model that another program's files cannot hold.
    #[error("model {model} cannot be exported: {why}")]
    Export {
        /// The model.
        model: String,
        /// What the files cannot hold, and what to do.
        why: String,
    },
    /// Another program's files that do not make one model; the message names them.
    #[error("{0}")]
    Import(String),
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
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
