//! formats.

mod error;
pub use error::FormatError;
