//! What can go wrong with a projection.

/// Errors of the module `projection`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// Nothing is left to project, or too little.
    #[error("{0}")]
    Points(String),
    /// Settings that do not go with so many points.
    #[error("{0}")]
    Settings(String),
    /// The library behind a method gave up.
    #[error("{method} failed: {why}")]
    Method {
        /// The method.
        method: &'static str,
        /// What it said.
        why: String,
    },
    /// A stored projection is not what it should be.
    #[error("projection {name} cannot be read: {why}; make it again with `persea project`")]
    Stored {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
}
