//! What can keep a hub from being written.

/// Errors of the hub module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No experiment is left to show.
    #[error("no track to show: {why}")]
    NoTrack {
        /// What was asked for.
        why: String,
    },
    /// Imputed tracks without a model.
    #[error("imputed tracks need a model: train one, or choose measured tracks (option `tracks`)")]
    NoModel,
    /// A bigBed of other chromosomes.
    #[error("{file}: its chromosome {chrom} of {length} bp is none of {assembly}")]
    OtherAssembly {
        /// The bigBed.
        file: String,
        /// Its chromosome.
        chrom: String,
        /// How long the file says it is.
        length: u64,
        /// The database's assembly.
        assembly: String,
    },
}
