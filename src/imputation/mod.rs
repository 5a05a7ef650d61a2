//! Experiments imputed along the genome.
//!
//! Streams: the genome is walked once a group of experiments, block by block; memory depends on
//! neither the region's length nor the number of experiments. Files are `formats`' work, scoring
//! `evaluation`'s.

mod completed;
mod error;
mod experiment;
mod inversions;
mod observed;
mod shard;
mod stream;
mod table;
mod uncertainty;
mod write;
mod writers;

pub use completed::{
    CompletedTrack, Provenance, completed_tracks, signal_unit, write_completed_files,
    write_completed_zarr, write_tracks,
};
pub use error::ImputationError;
pub use experiment::{missing_experiments, read_experiments};
#[cfg(feature = "serve")]
pub(crate) use inversions::Inversions;
pub use inversions::{SignalScale, on_reference_scale};
pub(crate) use observed::{Observed, tracks_read};
pub use shard::{ShardReport, write_shard};
pub(crate) use stream::impute_from_factors;
pub use stream::{PieceSink, Stream, impute_track, spans};
pub use table::ImputedTable;
pub use uncertainty::Uncertainty;
#[cfg(feature = "serve")]
pub(crate) use write::deviation_of_signal;
pub use write::{Output, UncertaintyFiles, write_experiments};
