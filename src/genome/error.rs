//! What can be wrong with coordinates and the files that hold them.

use std::path::PathBuf;

/// Errors of the genome room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenomeError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a file is not what its format asks for.
    #[error("{path}, line {line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file holds nothing to use.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// An assembly name that is not built in.
    #[error("assembly `{0}` is not built in (hg19 and hg38 are); give a chrom.sizes file instead")]
    UnknownAssembly(String),
    /// A chromosome that the assembly lacks.
    #[error("chromosome `{chrom}` is not in assembly {assembly}{hint}")]
    UnknownChromosome {
        /// The name asked for.
        chrom: String,
        /// The assembly's name.
        assembly: String,
        /// What was probably meant, or empty.
        hint: String,
    },
    /// Coordinates that cannot be.
    #[error("{0}")]
    Coordinates(String),
}

impl GenomeError {
    /// An unreadable file.
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        GenomeError::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    /// A bad line, counted from 1.
    pub(crate) fn line(path: &std::path::Path, line: u64, message: impl Into<String>) -> Self {
        GenomeError::Line {
            path: path.to_path_buf(),
            line,
            message: message.into(),
        }
    }
}
