//! What can go wrong while training.

/// Errors of the module `factorization`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorizationError {
    /// Options that cannot be, alone or together; the message names them.
    #[error("{0}")]
    Options(String),
    /// There is no track, or no bin, to train on.
    #[error("{why}")]
    NothingToTrain {
        /// What there is none of, and what to do.
        why: &'static str,
    },
    /// The model has what was to be added.
    #[error("{why}")]
    NothingToAdd {
        /// What it has.
        why: String,
    },
    /// A track that decides when to stop, or is held out, is not in the database.
    #[error("{option}: the database has no track {biosample} {assay}")]
    NoSuchTrack {
        /// The option that names it.
        option: &'static str,
        /// The track's biosample.
        biosample: String,
        /// The track's assay.
        assay: String,
    },
    /// An earlier training of a model of that name has left a checkpoint.
    #[error(
        "an earlier training of {name} stopped at step {step}: go on with option `resume`, or begin anew with option `replace`"
    )]
    Unfinished {
        /// The model.
        name: String,
        /// The step of its last checkpoint, counted from 1.
        step: u64,
    },
    /// There is no checkpoint to go on from.
    #[error("there is no checkpoint of model {name} to go on from")]
    NoCheckpoint {
        /// The model.
        name: String,
    },
    /// The training tracks are no longer those of the checkpoint.
    #[error(
        "the training tracks have changed since the checkpoint was written; train anew without option `resume`"
    )]
    TracksChanged,
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
    /// A file of factors that cannot be put together with the others.
    #[error("{file} {why}")]
    Part {
        /// The file.
        file: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Stopped by the user; the last checkpoint stands.
    #[error("stopped at step {step}; {advice}")]
    Stopped {
        /// The step, counted from 1.
        step: u64,
        /// How to go on.
        advice: String,
    },
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
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
    /// Coordinates.
    #[error(transparent)]
    Genome(#[from] crate::genome::GenomeError),
}
