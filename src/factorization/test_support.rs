//! What the tests of this module share.

use std::ops::Range;

use super::{FactorizationError, TrackSource};

/// Tracks in memory, over the whole axis.
pub(super) struct Made(pub Vec<Vec<f32>>);

impl TrackSource for Made {
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError> {
        out.copy_from_slice(&self.0[track][bins.start as usize..bins.end as usize]);
        Ok(())
    }
}
