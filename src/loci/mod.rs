//! Biosamples at loci: who does the unexpected, where two differ, what lies at a site, and which
//! tracks are not what they are called.
//!
//! Works on the completed compendium: every experiment as it was measured, or else as a model imputes
//! it, and says which ([`Source`]). Signal is on the scale that tracks are stored on (arcsinh).
//! Everything streams: memory is a few numbers a window and experiment, never a track.
//!
//! - [`at_locus`]: one locus, all biosamples: profiles, clusters, departures from average activity;
//! - [`scan`]: many loci, ranked by such departures;
//! - [`differences`]: where two biosamples differ;
//! - [`annotate`]: signal, specificity, genes and embeddings at sites; [`enrichment`] of their set;
//! - [`quality`]: tracks that disagree with the rest, or look like another's.
//!
//! The book (`docs/src/method/statistics.md`) states what each p-value means and what the methods cannot
//! show. This module draws nothing.

mod annotate;
mod blocks;
mod cluster;
mod completed;
mod diff;
mod enrichment;
mod error;
mod fdr;
mod joint;
mod locus;
mod null;
mod qc;
mod scan;
mod sites;
mod windows;

pub use annotate::{AnnotatedSite, SignalAtSite, SiteEmbeddings, annotate, experiments_of};
pub use cluster::{Join, Tree};
pub use completed::{CompletedCompendium, Source, SourcedExperiment};
pub use diff::{DiffOptions, Difference, Differences, differences};
pub use enrichment::{Enriched, Enrichment, EnrichmentOptions, enrichment};
pub use error::LociError;
pub use joint::JointMatch;
pub use locus::{ClusterAtLocus, Column, Locus, LocusOptions, LocusRow, MatchOptions, at_locus};
pub use null::Departure;
pub use qc::{Flag, Quality, QualityOptions, Rival, ScaleShift, TrackQuality, quality};
pub use scan::{ScanOptions, Scanned, ScannedLocus, scan};
pub use sites::{Site, promoters, read_sites};
