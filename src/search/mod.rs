//! Where else does it look like this? Similar positions, regions and genes, exactly.
//!
//! This module owns `index/`: flat files of a model's genome factors, derived from the database,
//! checked, memory-mapped. It knows what a model's factors are and nothing of how they came about.
//!
//! **Exact multi-scale search.** The squared distance between two positions is a sum over scales,
//! d² = (d²(5 kbp) + d²(250 bp)) + d²(25 bp), each part a sum over the factors from first to last, all in
//! f32 and in this order; equal distances are ordered by coordinate. The 5 kbp part bounds everything in a
//! 5 kbp bin from below, 5 kbp + 250 bp everything in a 250 bp bin. Bins are searched from the least bound
//! up until the bound passes the k-th best: what is left out cannot have been a hit. An [`Answer`] says how many
//! rows were read.
//!
//! - [`similar()`] and [`Database::similar`](crate::store::Database::similar) ask one question;
//! - [`Searcher`] keeps a model's index open for many;
//! - [`Filter`] says which part of the genome is searched, [`Annotation`] what lies at a hit;
//! - [`RandomPairs`] say how near a hit is, compared with random pairs of positions;
//! - [`explain()`] says which tracks make a distance;
//! - [`GroupComparison`] keeps the hits at which a group of biosamples has more signal than the others;
//! - [`similar_samples`] compares biosamples and assays;
//! - [`Similar::approximate`] asks a graph (HNSW) instead, [`build_graph`] builds it;
//! - [`Searcher::stored_rows`], [`Searcher::copy_factors`] and [`Searcher::copy_embeddings`] read the index
//!   along the genome;
//! - [`write_index`] writes the files beforehand, [`check_index`] says whether they are whole.

mod align;
mod allowed;
mod approximate;
mod ask;
mod best;
mod code_products;
mod error;
mod exact;
mod example;
mod explain;
mod explained;
mod filter;
mod flat;
mod gathered;
mod graph;
mod group;
mod index;
mod layout;
mod measure;
mod memory;
mod parts;
mod pruning;
mod query;
mod random_pairs;
mod ranked;
mod rows;
mod samples;
mod searcher;
mod signal;
mod similar;
mod sketch;
mod tables;
mod terms;
#[cfg(test)]
mod tests;
mod track_axes;
mod view;
mod weights;

pub use crate::annotation::{Annotation, Class, NearestGene};
pub use allowed::Allowed;
#[cfg(test)]
pub(crate) use approximate::search_approximately;
pub use approximate::{build_graph, similar_samples_approximately};
pub use error::SearchError;
pub use exact::RowsRead;
#[doc(hidden)]
pub use example::{example_database, example_database_of};
pub use explain::{Explanation, GroupShare, TrackShare, explain};
pub use filter::Filter;
pub use graph::{GraphOptions, GraphReport, GraphVectors};
pub use group::GroupComparison;
pub use index::{IndexFile, check_index};
pub use query::{GenePart, Query, find_gene, place};
pub use random_pairs::{CLOSE_PERCENTILE, RANDOM_PAIRS, RANDOM_PAIRS_SEED, RandomPairs};
pub use ranked::write_index;
pub use samples::{Profile, SampleAxis, SampleHit, SampleSum, similar_samples};
pub use searcher::{Answer, Hit, SearchOptions, Searcher};
pub use signal::{around, signal_over};
pub use similar::{Similar, similar};
pub use view::Metric;
pub use weights::Weights;
