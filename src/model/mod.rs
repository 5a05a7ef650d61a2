//! The deep tensor factorisation as numbers: its configuration, its parameters, and the forward
//! pass without libtorch.
//!
//! Owns what a trained model is and how it predicts; training belongs to `factorization`, reading
//! signal to `compendium`. Everything here builds and works without the feature `torch`.

mod avocado;
mod config;
mod error;
mod factor_table;
mod forward;
mod hidden;
mod packed;
mod panels;
mod parameters;
pub(crate) mod product;
mod refinement;
mod single_layer;
mod stored;

pub use avocado::{AvocadoPart, ExportedAvocado, ImportOptions, export_avocado, import_avocado};
pub use config::{Architecture, ModelConfig, Preset, Sizes};
pub use error::ModelError;
pub use factor_table::{GenomeRows, GenomeTable, NamedAxis, NamedTable};
pub use forward::{Forward, GenomeBlock};
#[cfg(feature = "torch")]
pub(crate) use parameters::initial_factors;
pub use parameters::{Dense, GenomeFactors, InputRows, Network};
pub use refinement::{
    Features, InputTrack, Inputs, Member, Plan, Refinement, RefinementConfig, ScaleModel,
    SignalBlock, Spread, Standardisation, TrackScale,
};
pub use stored::{TrainedModel, save};
