//! Which tracks a bin shows, and the genome factors that it shows them by, where these change from pass to
//! pass.

use super::FactorizationError;
use crate::model::GenomeFactors;

/// Genome factors of each pass, with the tracks that each bin shows in it.
pub trait PassFactors: Send + Sync {
    /// The tracks, by their place in the set, that are shown at a bin of the axis in a pass; at least one.
    fn shown(&self, axis_bin: u64, pass: u32) -> &[u32];

    /// The factors of a pass.
    ///
    /// # Errors
    /// When signal cannot be read.
    fn factors(&self, pass: u32) -> Result<GenomeFactors, FactorizationError>;
}
