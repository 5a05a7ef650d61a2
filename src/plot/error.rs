//! What can go wrong with figures and pages.

/// Errors of the plot room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {why}")]
    Drawing {
        /// Which figure.
        figure: String,
        /// What the drawing library said.
        why: String,
    },
    /// A stored result cannot be read.
    #[error("the result of run {run} cannot be read: {why}")]
    Result {
        /// The run.
        run: i64,
        /// What is wrong with it.
        why: String,
    },
}
