//! What can be wrong with coordinates and the files that hold them.

use std::path::Path;

use persea_files::FileError;

/// Errors of the genome room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenomeError {
    /// A file that cannot be read, or used.
    #[error(transparent)]
    File(#[from] FileError),
    /// An assembly name that is not built in.
    #[error(
        "assembly `{0}` is not built in (hg19, hg38, hs1, mm10, mm39 and dm6 are); give a \
         chrom.sizes file instead"
    )]
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
    /// A file that holds nothing to use.
    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Self {
        FileError::file(path.display(), message).into()
    }
}
