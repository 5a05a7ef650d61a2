//! The genome axis: assemblies, regions, 25 bp bins, the three scales, masks and genes.
//!
//! This crate knows nothing of signal. Everything here is 0-based and half-open, as in BED; only
//! [`Interval::parse_browser`] reads the 1-based inclusive form that genome browsers show.

mod aliases;
mod annotation;
mod assembly;
mod axis;
mod bed;
mod error;
mod gaps;
mod gene_files;
mod genes;
mod interval;
mod mask;
mod names;
mod resolution;
mod sequences;
#[cfg(test)]
#[path = "../../../src/skipped.rs"]
mod skipped;
mod tss;

pub use aliases::read_aliases;
pub use assembly::{Assembly, Chromosome};
pub use axis::{AxisBin, GenomeAxis, Region};
pub use bed::{BedLines, read_bed, read_bed_from, read_bed_lines};
pub use error::GenomeError;
pub use gaps::assembly_gaps;
pub use gene_files::{GeneSet, read_genes, read_genes_from};
pub use genes::{Gene, Strand};
pub use interval::Interval;
pub use mask::Mask;
pub use resolution::{BIN_BP, Resolution};
pub use sequences::{SequenceNames, SequenceReport};
pub use tss::{NearestTss, TssIndex};
