//! Errors of the store room.

/// Errors of the store room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {}
