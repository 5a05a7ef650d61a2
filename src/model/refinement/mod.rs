//! The refinement: what makes a model of architecture `persea` more accurate than its factors.
//!
//! An experiment is imputed from the signal that was observed at and around a bin: the other tracks
//! of its biosample, the tracks of its assay in other biosamples, and how far the biosample's tracks
//! are from their assays' averages. Every track is standardised by its own mean and standard
//! deviation over the bins where it has data; a small network predicts the standardised signal, and the experiment's mean and
//! standard deviation are estimated from those of the other tracks ([`ScaleModel`]).
//!
//! Owns which tracks stand for an experiment ([`Inputs`], [`Plan`]), what the network sees of them
//! ([`SignalBlock`]) and its predictions. An experiment's own track is
//! never among its inputs, neither in training nor in imputation. Training belongs to
//! `factorization`, reading signal to the caller.

mod block;
mod config;
mod features;
mod gaps;
mod member;
mod plan;
mod predict;
mod scale;
mod spread;
mod standardisation;
mod stored;
#[cfg(test)]
mod tests;

pub use block::SignalBlock;
pub use config::RefinementConfig;
pub use features::Features;
pub(crate) use member::LayerValues;
pub use member::Member;
pub use plan::{Inputs, Plan};
pub use predict::Refinement;
pub use scale::{InputTrack, ScaleModel, TrackScale};
pub use spread::{QUANTILES, Spread};
pub use standardisation::Standardisation;
pub(super) use stored::{read, write};
