//! Stored tracks read along a model's axis, which may cover less than the compendium's.

use std::ops::Range;

use super::CompendiumError;
use crate::genome::GenomeAxis;
use crate::store::{Database, SignalArray, StoreError, Track};

/// Some tracks of a database, read by the bins of another axis that lies inside the database's.
#[derive(Debug)]
pub struct TracksOnAxis {
    axis: GenomeAxis,
    /// For each region of the axis, the bin of the stored arrays it starts at.
    starts: Vec<u64>,
    arrays: Vec<SignalArray>,
}

impl TracksOnAxis {
    /// Opens tracks.
    ///
    /// # Errors
    /// When a region of the axis is not covered by the database, or an array cannot be opened.
    pub fn open(
        database: &Database,
        axis: &GenomeAxis,
        tracks: &[Track],
    ) -> Result<Self, CompendiumError> {
        Ok(TracksOnAxis {
            starts: (axis.starts_in(database.axis()))
                .map_err(|e| CompendiumError::Invalid(e.to_string()))?,
            axis: axis.clone(),
            arrays: tracks
                .iter()
                .map(|t| database.signal(t))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Reads consecutive bins of a track (its place in the list opened), across regions if need be.
    ///
    /// # Errors
    /// When a chunk is damaged or cannot be read.
    pub fn read(&self, track: usize, bins: Range<u64>, out: &mut [f32]) -> Result<(), StoreError> {
        let mut first = bins.start;
        let mut rest = out;
        while first < bins.end {
            let region = self.axis.locate(first).region;
            let of_region = self.axis.region_bins(region);
            let end = bins.end.min(of_region.end);
            let (now, later) = rest.split_at_mut((end - first) as usize);
            let start = self.starts[region] + (first - of_region.start);
            self.arrays[track].read(start..start + (end - first), now)?;
            rest = later;
            first = end;
        }
        Ok(())
    }

    /// Reads a whole track, in the axis' order.
    ///
    /// # Errors
    /// As [`TracksOnAxis::read`].
    pub fn read_all(&self, track: usize) -> Result<Vec<f32>, StoreError> {
        let mut values = vec![0f32; self.axis.n_bins() as usize];
        self.read(track, 0..self.axis.n_bins(), &mut values)?;
        Ok(values)
    }
}
