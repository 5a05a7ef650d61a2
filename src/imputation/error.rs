//! What can keep experiments from being imputed.

/// Errors of the imputation module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImputationError {
    /// A model that reads observed tracks, one of which is no longer what it was trained on.
    #[error(
        "model {model} reads observed tracks, and {biosample} {assay} {change}: ingest the file \
         it was trained on again, or train anew"
    )]
    TrackChanged {
        /// The model.
        model: String,
        /// The track's biosample.
        biosample: String,
        /// The track's assay.
        assay: String,
        /// What has become of it.
        change: &'static str,
    },
    /// A model that has not measured how uncertain its imputations are.
    #[error(
        "model {model} cannot tell how uncertain it is: train a model persea, and let it validate"
    )]
    NoUncertainty {
        /// The model.
        model: String,
    },
}
