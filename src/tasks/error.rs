//! What can be wrong with labels, features and runs.

use std::path::{Path, PathBuf};

/// Errors of the tasks room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a label file is not as it should be.
    #[error("{path}, line {line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file as a whole cannot be used.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
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
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        TaskError::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn line(path: &Path, line: u64, message: impl Into<String>) -> Self {
        TaskError::Line {
            path: path.to_path_buf(),
            line,
            message: message.into(),
        }
    }

    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Self {
        TaskError::File {
            path: path.to_path_buf(),
            message: message.into(),
        }
    }
}
