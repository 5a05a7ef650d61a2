//! Compendia with known truth: chromatin states, the tracks and the labels that follow from them.
//!
//! A simulation draws a genome's chromatin at three scales (5 kbp domains, 250 bp elements, 25 bp
//! shapes), lets groups of biosamples and single biosamples differ from it, and then sequences
//! every experiment: fragments are drawn at the depth and with the efficiency of each library, and
//! scored against a control as MACS does. Labels of all four tasks follow from the same states.
//! `docs/src/method/simulation.md` states every choice and compares the result with real tracks.
//!
//! This crate owns the truth and writes it as the files that a user would have. It knows nothing of
//! databases, models or how anything is learned from those files.
//!
//! The same settings give the same bytes, on any number of threads. Memory grows with the elements
//! of the genome, not with its bins, tracks or biosamples: signal is generated in stretches.

mod activity;
mod assay;
mod chromosome;
mod config;
mod domains;
mod elements;
mod enrichment;
mod error;
mod experiments;
mod labels;
mod links;
mod pileup;
mod random;
mod sampler;
mod segments;
mod shape;
#[cfg(test)]
#[path = "../../../src/skipped.rs"]
mod skipped;
mod state;
mod truth;
mod uncovered;
mod write;

pub use assay::{AssayModel, DEFAULT_ASSAYS, assay_names};
pub use config::SimulationConfig;
pub use domains::{DomainRun, MEAN_DOMAIN_BP, NEXT_DOMAIN};
pub use error::SimulationError;
pub use experiments::{SimulatedBiosample, SimulatedTrack};
pub use labels::{FireLabel, InteractionLabel, ReplicationLabel};
pub use sampler::SignalKind;
pub use shape::{Body, Shape};
pub use state::{Domain, State, StateSegment};
pub use truth::Simulation;
pub use write::{WriteOptions, WrittenSimulation};

#[cfg(test)]
mod tests;
