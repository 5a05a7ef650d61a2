//! Training a model's refinement: networks that impute from the tracks observed around a bin.
//!
//! Every training track is imputed from the others, as an experiment will be: its own signal
//! masked, some of its biosample's other tracks dropped. Owns the samples of a step, the networks
//! in training and what a checkpoint needs of them. What the networks see is `model`'s.

mod fit;
mod kept;
mod member;
mod options;
mod sampling;
#[cfg(test)]
mod tests;
mod training;

pub(super) use fit::{begin, inputs, refine};
pub(super) use kept::{RefinementHeader, RefinementKept, read, write};
pub use options::RefinementOptions;
pub(super) use training::Advance;
#[cfg(test)]
use training::{RefinementSettings, RefinementTraining, Trial};
