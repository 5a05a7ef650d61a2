//! formats.

mod contract_stub;
mod error;
pub use contract_stub::*;
pub use error::FormatError;
