//! Genes, enhancers and classes at a place: one look-up for search, loci, projections and the program.
//!
//! Owns which bins are promoters, gene bodies and enhancers (`promoter_intervals`, `gene_bins`,
//! `enhancer_bins`; [`promoter_bins`] for the published measures alone), the classes that a place belongs to ([`Class`]) and the nearest transcription
//! start ([`Annotation`]). It reads a database's annotation and knows nothing of signal or models.

mod bins;
mod bits;
mod bodies;
mod file;
mod lookup;
mod parts;

pub use bins::{AnnotationBins, BinSet, Definitions, promoter_bins};
pub(crate) use bins::{enhancer_bins, gene_bins, promoter_interval, promoter_intervals};
pub use bits::BinBits;
pub use lookup::{Annotation, Class, NearestGene};
