//! factorization.

mod error;
pub use error::FactorizationError;
