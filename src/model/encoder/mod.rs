//! The encoder: genome factors as a function of the tracks around a row.
//!
//! For each resolution a network reads every track's signal around a row of factors: its means over
//! windows, maxima, and the share of the window that has data. It reads no coordinates and no other
//! row's factors, so that a position is embedded by one forward pass, whether or not it was trained
//! on. The factors are canonical: principal axes of what the network predicts of the tracks, so that
//! a squared distance is a mean squared difference of predicted signal.
//!
//! Owns the description of signal around rows ([`Surroundings`]), the encoder's numbers and its
//! forward pass. Training belongs to `factorization`, reading signal to the caller.

mod config;
mod encode;
mod read_tracks;
mod stored;
mod surroundings;
#[cfg(test)]
mod tests;
mod windows;

pub use config::EncoderConfig;
pub(crate) use config::saturated;
pub use encode::{CodeMap, Encoder, InputScale};
pub(crate) use encode::{forward_hidden, input_rows, view};
pub use read_tracks::ReadTracks;
pub(super) use stored::{read, write};
pub use surroundings::{HALO, Stretch, Surroundings};
pub(crate) use windows::{FAR_WINDOW, WINDOWS};
