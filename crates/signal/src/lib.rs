//! Signal files: readers that turn them into the bins of a genome axis, writers that turn bins
//! into files.
//!
//! Owns the file formats (bigWig, bedGraph, peaks, NumPy arrays), reading them over HTTP, and the
//! one rule by which intervals become bins ([`SignalReader::read`]): every reader gives the same
//! bins for the same signal. Bins leave as the plain mean; transforms, units and what a track is
//! are left to the compendium. What is read is bounded in memory by pieces, never by a track.
//!
//! ```no_run
//! use persea_signal::{Location, ReadOptions, open_signal};
//! use persea_genome::{Assembly, GenomeAxis};
//!
//! let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chr21"])?;
//! let location = Location::parse("E003-H3K4me3.bigwig", ".".as_ref());
//! let mut sum = 0.0;
//! open_signal(&location, None)?.read(&axis, &ReadOptions::default(), &mut |_bin, values| {
//!     sum += values.iter().sum::<f32>();
//!     Ok(())
//! })?;
//! # Ok::<(), persea_signal::FormatError>(())
//! ```

mod array;
mod bigbed;
mod bigwig;
mod bins;
mod error;
mod format;
mod http;
mod identity;
mod location;
mod open;
mod panics;
mod pieces;
mod runs;
mod signal;
#[cfg(test)]
#[path = "../../../src/skipped.rs"]
mod skipped;
mod source;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub use array::npy_header;
pub use bigbed::{BigBedFields, bigbed_fields, bigbed_lines};
pub use bigwig::{BedRow, BedSchema, BigWigLayout, Chunk, Section, write_bigbed};
pub use error::FormatError;
pub use format::Format;
pub use http::{Fetched, fetch};
pub use identity::{Identity, checksum, identity, md5};
pub use location::Location;
pub use open::{create_labelled_signal, create_signal, open_signal};
pub use panics::{catch_panic, panic_becomes_error};
pub use signal::{BinSink, Missing, ReadOptions, ReadReport, SignalReader, SignalWriter};
