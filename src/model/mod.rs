//! model.

mod error;
pub use error::ModelError;
