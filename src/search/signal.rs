//! The signal at places of a model's axis.

use std::ops::Range;

use crate::genome::GenomeAxis;
use crate::store::{Database, Track};

/// Stored signal of a track over stretches of a model's axis: one list of values a stretch, NaN in bins without
/// data.
///
/// # Errors
/// When a region of the model is not the database's, or a chunk of the track is damaged.
pub fn signal_over(
    database: &Database,
    axis: &GenomeAxis,
    track: &Track,
    stretches: &[Range<u64>],
) -> crate::Result<Vec<Vec<f32>>> {
    let starts = axis.starts_in(database.axis())?;
    let signal = database.signal(track)?;
    let mut all = Vec::with_capacity(stretches.len());
    for bins in stretches {
        let region = axis.locate(bins.start).region;
        let own = axis.region_bins(region);
        let first = starts[region] + bins.start - own.start;
        let mut values = vec![0f32; (bins.end.min(own.end) - bins.start) as usize];
        signal.read(first..first + values.len() as u64, &mut values)?;
        all.push(values);
    }
    Ok(all)
}

/// The bins around the middle of some, `reach` on either side, as far as the region goes.
pub fn around(axis: &GenomeAxis, bins: &Range<u64>, reach: u64) -> Range<u64> {
    let middle = bins.start + (bins.end - bins.start) / 2;
    let own = axis.region_bins(axis.locate(bins.start).region);
    middle.saturating_sub(reach).max(own.start)..(middle + reach + 1).min(own.end)
}
