//! The compendium: manifests of tracks, their way into the database, and what averages say.
//!
//! This module knows what signal means: replicates, multipliers, the transform, units, and that an
//! assay has one of each. Files are read by `formats`, bytes are kept by `store`.

mod average;
mod biosample_names;
mod columns;
pub mod encode;
mod epirr;
mod error;
mod example;
mod ingest;
mod manifest;
mod metadata;
mod normalise;
mod on_axis;
mod read;
mod reference;
mod report;
mod shard;
#[cfg(test)]
mod tests;
mod warnings;

pub use average::{AverageActivity, assay_scale, average_activity};
pub use biosample_names::{BiosampleNames, Named};
pub use columns::ColumnMap;
pub use error::CompendiumError;
#[doc(hidden)]
pub use example::example_compendium;
pub use ingest::ingest;
pub use manifest::{Manifest, ManifestRow, ManifestTrack, Replicates, SkippedRow};
pub use metadata::{MetadataReport, ingest_metadata};
pub use normalise::{NormaliseReport, normalise};
pub use on_axis::TracksOnAxis;
pub(crate) use read::read_track;
pub(crate) use reference::law_of_values;
pub use report::{Experiment, IngestEvent, IngestOptions, IngestReport, Outcome};
pub use shard::Shard;
