//! compendium.

mod error;
pub use error::CompendiumError;
