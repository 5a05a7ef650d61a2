//! What can be wrong with coordinates and the files that hold them.

use std::path::Path;

use persea_files::FileError;

/// Errors of this crate.
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
    /// An interval that begins behind its chromosome's end, or holds no base.
    #[error("{interval} lies beyond the end of {chrom}, which has {length} bp in {assembly}")]
    Beyond {
        /// What was asked for, 1-based and inclusive, as a browser shows it.
        interval: String,
        /// Its chromosome.
        chrom: String,
        /// The chromosome's length.
        length: u64,
        /// The assembly's name.
        assembly: String,
    },
    /// An interval that no region of the axis touches.
    #[error("{interval} is not covered: {}", match nearest {
        Some(region) => format!("the nearest covered region is {region}"),
        None => format!("no region of {chrom} is covered"),
    })]
    NotCovered {
        /// What was asked for, up to the end of its chromosome, 1-based and inclusive.
        interval: String,
        /// Its chromosome.
        chrom: String,
        /// The nearest region of the axis on that chromosome.
        nearest: Option<String>,
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
