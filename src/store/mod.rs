//! The database directory: SQLite, Zarr arrays, checkpoints, locks and the commit protocol.
//!
//! This module owns everything on the disk below `NAME.persea/` and is the only one that speaks
//! SQL. It knows how things are stored and nothing of what they mean: signal is finite numbers
//! along the genome axis, or NaN in bins without data, a model is named tensors and a record.
//!
//! What it promises:
//! - A kill at any instant loses at most the item being written. Bytes come first, then the row
//!   that makes them real; bytes without a row are swept by the next writer.
//! - A reader never sees half a write, and waits for none; while a model is stored, for at most a
//!   transaction (see `bulk`).
//! - Two writers of the same track or model do not get in each other's way: the second is refused
//!   who the first is.
//! - Damage is found by checksums when it is read, and reported by name; nothing panics on it. Bytes
//!   that are whole but lie in another track's place are damage too.
//! - Committed transactions that SQLite's log has lost are noticed, and nothing is removed then.
//!
//! ```
//! use persea::genome::{Assembly, GenomeAxis};
//! use persea::store::{Database, NewDatabase, NewTrack, Transform, ValueType};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("example.persea");
//! let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chrM"])?;
//! let parts = NewDatabase { axis, mask: vec![], genes: vec![], enhancers: vec![] };
//! let database = Database::create(&path, &parts)?;
//!
//! let mut writer = database.begin_track(NewTrack {
//!     biosample: "E003".into(),
//!     assay: "H3K4me3".into(),
//!     transform: Transform::Arcsinh,
//!     unit: None,
//!     sources: vec![],
//!     values: ValueType::F32,
//!     normalisation: None,
//! })?;
//! let n_bins = database.axis().n_bins();
//! writer.write(0, &vec![1.5; n_bins as usize])?;
//! let track = writer.commit()?;
//! assert_eq!((track.mean, track.variance), (1.5, 0.0));
//!
//! let mut some = [0.0; 10];
//! database.signal(&track)?.read(100..110, &mut some)?;
//! assert_eq!(some, [1.5; 10]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(fuzzing)]
mod accept_edits;
mod annotation;
mod backup;
mod bulk;
mod check;
mod checkpoint_file;
mod checkpoints;
mod chunk_checksums;
mod commits;
mod compare;
mod connection;
mod coverage;
mod create;
mod database;
mod division;
mod durable;
mod error;
mod evaluations;
mod index_folder;
mod info;
mod locks;
mod log;
mod merge;
mod model;
mod model_copy;
mod model_record;
mod model_rows;
mod model_writer;
mod models;
mod names;
mod nearest;
mod normalisation;
mod numbered;
mod projections;
mod recent_chunks;
mod repair;
mod schema;
mod search_graphs;
mod selections;
mod shards;
mod signal;
mod statistics;
mod sweep;
mod table_checksums;
mod task_runs;
mod tasks;
mod tensors;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;
mod track;
mod track_changes;
mod track_record;
mod track_writer;
mod value_type;
mod zarr;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use accept_edits::accept_edits;
pub use backup::{BackupProgress, BackupReport};
pub use check::{Finding, Severity, check_database};
pub use checkpoints::{Checkpoint, CheckpointWriter};
pub use compare::{DatabaseDifference, compare_databases};
pub use coverage::TrackCoverage;
pub use create::NewDatabase;
pub use database::Database;
pub use error::StoreError;
pub use evaluations::{EvaluationKind, NewEvaluation, StoredEvaluation};
pub use info::DatabaseInfo;
pub use merge::{MergeReport, TrackName, merge_shards};
pub use model::{Model, TensorInfo};
pub use model_record::{ModelKind, ModelRecord, ModelTrack, Precision, TrackRole};
pub use model_writer::ModelWriter;
pub use models::ModelLock;
pub use names::{Assay, Biosample};
pub(crate) use nearest::nearest_names;
pub use normalisation::{AssayReference, Inversion};
pub use projections::{NewProjection, ProjectionColumn, StoredProjection};
pub use repair::{Repair, RepairReport, StrayArray};
pub use search_graphs::GraphRecord;
pub use selections::{NewSelection, StoredSelection};
pub use signal::SignalArray;
pub use task_runs::{NewRun, Run};
pub use tasks::{Example, LabelColumn, LabelInfo, NewTask, Task};
pub use track::{NewTrack, SourceOrigin, Track, TrackSource, Transform};
pub use track_writer::TrackWriter;
pub(crate) use track_writer::check_name;
pub use value_type::{Step, StepError, ValueType};
