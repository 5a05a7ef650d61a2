//! The deep tensor factorisation as numbers: its configuration, its parameters, and the forward
//! pass without libtorch.
//!
//! Owns what a trained model is and how it predicts; training belongs to `factorization`, reading
//! signal to `compendium`. Everything here builds and works without the feature `torch`.

mod config;
mod error;
mod forward;
mod parameters;
mod refinement;
mod stored;

pub use config::{Architecture, ModelConfig, Preset, Sizes};
pub use error::ModelError;
pub use forward::{Forward, GenomeBlock};
#[cfg(feature = "torch")]
pub(crate) use parameters::initial_factors;
pub use parameters::{Dense, GenomeFactors, InputRows, Network};
pub use refinement::{
    Features, InputTrack, Inputs, Member, Plan, Refinement, RefinementConfig, ScaleModel,
    SignalBlock, Spread, Standardisation, TrackScale,
};
pub use stored::{TrainedModel, save};
