//! Errors of the simulation room.

use std::path::{Path, PathBuf};

use crate::formats::FormatError;
use crate::genome::GenomeError;

/// Errors of the simulation room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A setting that no simulation can have.
    #[error("cannot simulate with {setting}: {message}")]
    Setting {
        /// The setting and its value.
        setting: String,
        /// Why not, and what would do.
        message: String,
    },
    /// Bins, or a track, that the simulation does not have.
    #[error("{0}")]
    OutOfRange(String),
    /// The directory to write to holds something already.
    #[error("{path} exists and is not an empty directory; give another name or remove it first")]
    OutputExists {
        /// The directory.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The simulated genome is refused by the genome room.
    #[error(transparent)]
    Genome(#[from] GenomeError),
    /// A track could not be written.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl SimulationError {
    pub(crate) fn setting(setting: impl Into<String>, message: impl Into<String>) -> Self {
        SimulationError::Setting {
            setting: setting.into(),
            message: message.into(),
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        SimulationError::Io {
            path: path.to_path_buf(),
            source,
        }
    }
}
