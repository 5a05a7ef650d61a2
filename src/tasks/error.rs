//! What can be wrong with labels, features and runs.

use std::path::Path;

use crate::files::FileError;

/// Errors of the module `tasks`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A file that cannot be read, or holds something else than was expected.
    #[error(transparent)]
    File(#[from] FileError),
    /// Labels that cannot be learned, or scored.
    #[error("{0}")]
    Labels(String),
    /// Features that cannot be made.
    #[error("{0}")]
    Features(String),
    /// Features that have seen what they are to predict.
    #[error("{0}")]
    Leakage(String),
    /// Folds that cannot be made.
    #[error("{0}")]
    Folds(String),
    /// A learner that cannot learn from what it was given.
    #[error("{learner}: {message}")]
    Learner {
        /// Its name.
        learner: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// A stored run that cannot be read.
    #[error("run {run} cannot be read: {why}")]
    Stored {
        /// Its number.
        run: i64,
        /// What is wrong with it.
        why: String,
    },
    /// What a stored run depends on is no longer what it was: it cannot be repeated.
    #[error("{what} {change} since run {run}: its numbers cannot be repeated")]
    Changed {
        /// The run.
        run: i64,
        /// The task, model, track or matrix.
        what: String,
        /// What has become of it.
        change: &'static str,
    },
    /// Settings that make no sense.
    #[error("{0}")]
    Settings(String),
    /// The user asked to stop.
    #[error("stopped; run the suite again to go on")]
    Stopped,
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
}

impl TaskError {
    pub(crate) fn line(path: &Path, line: u64, message: impl Into<String>) -> Self {
        FileError::line(path.display(), line, message).into()
    }

    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Self {
        FileError::file(path.display(), message).into()
    }
}
