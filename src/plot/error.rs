//! What can go wrong with figures and pages.

use persea_drawing::DrawingError;

/// Errors of the module `plot`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A figure could not be drawn or written.
    #[error(transparent)]
    Drawing(#[from] DrawingError),
    /// A stored result cannot be read.
    #[error("the result of run {run} cannot be read: {why}")]
    Result {
        /// The run.
        run: i64,
        /// What is wrong with it.
        why: String,
    },
}
