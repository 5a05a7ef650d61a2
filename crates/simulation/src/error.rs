//! Errors of this crate.

use std::path::{Path, PathBuf};

use persea_files::FileError;
use persea_genome::GenomeError;
use persea_signal::FormatError;

/// Errors of this crate.
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
    #[error(transparent)]
    File(#[from] FileError),
    /// The simulated genome is refused by `persea-genome`.
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
        FileError::write(path.display(), source).into()
    }
}
