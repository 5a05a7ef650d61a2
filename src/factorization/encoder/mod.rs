//! Training an encoder: three networks that describe a row of the genome from the tracks around it,
//! and the canonical factors that follow from them.
//!
//! In training, some tracks are left out of a sample's description, and a decoder has to predict all
//! tracks from the codes, those left out above all. Then every track is predicted as if it had not
//! been read. The factors of a row are the principal axes of what the networks' last hidden layers and
//! the description itself predict, linearly, of a mixture of both: what was observed, and what the other
//! tracks predict. So two seeds give almost the same distances. The linear prediction is learned from rows
//! with tracks left out as well, so that factors say little about which tracks were read.

mod axes;
mod descriptions;
mod fit;
mod kept;
mod least_squares;
mod left_out;
mod masks;
mod options;
mod pools;
mod sampling;
#[cfg(test)]
mod tests;
mod trained;
mod training;

pub(super) use fit::{begin, encode, encode_stretches, genome_factors, place_rows};
pub(super) use kept::{EncoderHeader, EncoderKept, read, write};
pub(super) use left_out::{LeftOut, Standardised};
pub use options::EncoderOptions;
pub(super) use training::EncoderTraining;
