//! store.

mod error;
pub use error::StoreError;
