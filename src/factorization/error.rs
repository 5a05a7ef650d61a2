//! What can go wrong while training.

/// Errors of the factorization room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorizationError {
    /// Options that cannot be.
    #[error("{0}")]
    Options(String),
    /// The loss is no longer a number.
    #[error(
        "the loss is not finite at step {step} (pass {pass}): {cause}; \
         lower the learning rate (option `learning-rate`), or clip gradients at 1 (option `clip`)"
    )]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// The pass, counted from 1.
        pass: u32,
        /// The track to blame, or that no single one is.
        cause: String,
    },
    /// A checkpoint that does not fit what is being trained.
    #[error("{0}")]
    Checkpoint(String),
    /// Stopped by the user; the last checkpoint stands.
    #[error("stopped at step {step}; {advice}")]
    Stopped {
        /// The step, counted from 1.
        step: u64,
        /// How to go on.
        advice: String,
    },
    /// The network: its backend, device or library.
    #[error(transparent)]
    Nn(#[from] crate::nn::NnError),
    /// The tracks.
    #[error(transparent)]
    Compendium(#[from] crate::compendium::CompendiumError),
    /// The database or its signal.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The model's shapes.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
    /// Coordinates.
    #[error(transparent)]
    Genome(#[from] crate::genome::GenomeError),
}
