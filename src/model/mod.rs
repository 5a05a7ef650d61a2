//! The deep tensor factorisation as numbers: its configuration, its parameters, and its
//! predictions.
//!
//! Owns what a trained model is and how it predicts; training belongs to `factorization`, reading
//! signal to `compendium`.

mod avocado;
mod config;
mod encoder;
mod error;
mod factor_table;
mod foreign;
mod genome_block;
mod hidden;
mod parameters;
mod prediction;
mod refinement;
mod stored;

pub use avocado::{AvocadoPart, ExportedAvocado, ImportOptions, export_avocado, import_avocado};
pub use config::{Architecture, ModelConfig, Preset, Sizes};
pub use encoder::{
    CodeMap, Encoder, EncoderConfig, HALO, InputScale, ReadTracks, Stretch, Surroundings,
};
pub(crate) use encoder::{
    FAR_WINDOW, WINDOWS, forward_hidden, input_rows, saturated, view as layer_view,
};
pub use error::ModelError;
pub use factor_table::{GenomeRows, GenomeTable, NamedAxis, NamedTable};
pub use foreign::{EmbeddingOptions, ImportedEmbedding, import_embedding};
pub use genome_block::GenomeBlock;
pub(crate) use parameters::initial_factors;
pub use parameters::{Dense, GenomeFactors, Network};
pub use prediction::Forward;
#[cfg(test)]
pub(crate) use refinement::LayerValues;
pub(crate) use refinement::Refinement;
pub(crate) use refinement::{
    Features, InputTrack, Inputs, Member, ScaleModel, SignalBlock, Spread, Standardisation,
    TrackScale,
};
pub use refinement::{QUANTILES, RefinementConfig};
pub use stored::TrainedModel;
#[doc(hidden)]
pub use stored::save;
