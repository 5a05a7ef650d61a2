//! What can go wrong with loci.

use crate::compendium::Experiment;
use crate::files::FileError;
use crate::genome::Interval;

/// Errors of the module `loci`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LociError {
    /// Options that cannot be, alone or together; the message names them.
    #[error("{0}")]
    Options(String),
    /// Too few tracks, loci, sites or windows are left to compare, or none.
    #[error("{0}")]
    TooFew(String),
    /// A locus without an unmasked bin.
    #[error("{interval} is masked: there is nothing to compare")]
    Masked {
        /// The locus.
        interval: Interval,
    },
    /// An experiment that was imputed, where only what was measured is compared.
    #[error(
        "{experiment} was not measured, and what differs from an imputation is its error as well: \
         give the option `count-imputed` to compare them all the same"
    )]
    NotMeasured {
        /// The experiment.
        experiment: Experiment,
    },
    /// A file that cannot be read, or holds something else than was expected.
    #[error(transparent)]
    File(#[from] FileError),
    /// Profiles could not be clustered.
    #[error("cannot cluster the biosamples: {0}")]
    Clustering(String),
}

impl LociError {
    pub(super) fn options(message: impl Into<String>) -> Self {
        LociError::Options(message.into())
    }

    pub(super) fn too_few(message: impl Into<String>) -> Self {
        LociError::TooFew(message.into())
    }
}
