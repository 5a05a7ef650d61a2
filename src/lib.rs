//! Persea: an embedded database of the epigenome's learned representation.
//!
//! A deep tensor factorisation (Avocado, Schreiber et al. 2020) compresses a compendium of signal
//! tracks (biosample × assay × 25 bp genome position) into factors for every biosample, assay and
//! position; the factors live in one directory with SQLite; imputation, evaluation and search
//! build on them. Rooms are listed in the order in which data passes through them; each imports
//! only those above it.

pub mod compendium;
mod error;
pub mod evaluation;
#[cfg(feature = "torch")]
pub mod factorization;
pub mod formats;
pub mod genome;
pub mod imputation;
pub mod measures;
pub mod model;
pub mod random;
pub mod simulation;
pub mod store;

pub use error::Error;

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
