//! Errors of the model room.

/// Errors of the model room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {}
