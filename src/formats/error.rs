//! Errors of the formats room.

/// Errors of the formats room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {}
