//! Errors of the compendium room.

/// Errors of the compendium room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompendiumError {}
