//! Errors of the factorization room.

/// Errors of the factorization room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorizationError {}
