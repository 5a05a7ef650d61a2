//! What an assay's tracks are normalised to, and the power law that brings a track there.
//!
//! Background and peaks are looked for in a part of the axis that is the same for all tracks. Of the bins that
//! are common to the assay's tracks, some thousands are recorded with the reference.

use std::ops::Range;

use super::CompendiumError;
use crate::genome::{GenomeAxis, Mask};
use crate::measures::{
    ComponentLimits, ComponentTally, ComponentValues, Components, NoPowerLaw, PowerLaw, median,
};
use crate::store::{AssayReference, Database, SignalArray, StoreError, Track};

/// So many tracks of an assay, at least, make a reference.
const LEAST_TRACKS: usize = 3;

/// About how many bins of the axis the components are looked for in.
const SAMPLE_BINS: u64 = 1_500_000;

/// Bins of the stretches that are read where that is not the whole axis.
const STRETCH_BINS: u64 = 1 << 13;

/// Bins of a reference at most, of each kind.
const REFERENCE_BINS: usize = 20_000;

/// The bins that components are looked for in: spread evenly over the axis, the same for all tracks.
pub(super) struct Sample {
    spans: Vec<Range<u64>>,
    mask: Mask,
}

impl Sample {
    pub(super) fn of(database: &Database) -> Result<Self, CompendiumError> {
        Ok(Sample {
            spans: spans(database.axis()),
            mask: database.mask()?,
        })
    }

    /// A track's values at the bins; NaN at those that are masked.
    fn read(&self, signal: &SignalArray) -> Result<Vec<f32>, StoreError> {
        let mut values = Vec::new();
        for bins in &self.spans {
            let first = values.len();
            values.resize(first + (bins.end - bins.start) as usize, 0f32);
            signal.read(bins.clone(), &mut values[first..])?;
            let masked = &self.mask.as_slice()[bins.start as usize..bins.end as usize];
            for (value, masked) in values[first..].iter_mut().zip(masked) {
                if *masked {
                    *value = f32::NAN;
                }
            }
        }
        Ok(values)
    }

    /// The reference that tracks of an assay make; an error is why they make none.
    pub(super) fn reference(
        &self,
        database: &Database,
        tracks: &[&Track],
    ) -> Result<Result<AssayReference, String>, CompendiumError> {
        let usable: Vec<SignalArray> = (tracks.iter())
            .filter(|t| t.n_negative_bins == 0)
            .map(|t| database.signal(t))
            .collect::<Result<_, _>>()?;
        let too_few = |n: usize, what: &str| {
            Ok(Err(format!(
                "{n} of its tracks {what}, and a reference needs {LEAST_TRACKS}"
            )))
        };
        if usable.len() < LEAST_TRACKS {
            return too_few(usable.len(), "are without negative bins");
        }
        let n_bins: u64 = self.spans.iter().map(|s| s.end - s.start).sum();
        let mut tally = ComponentTally::new(n_bins as usize);
        for signal in &usable {
            let values = self.read(signal)?;
            if let Some(limits) = ComponentLimits::of(&values) {
                tally.add(&values, limits);
            }
        }
        let common = tally.common(REFERENCE_BINS);
        let mut found: Vec<Components> = Vec::new();
        for signal in &usable {
            let values = self.read(signal)?;
            if let Some(limits) = ComponentLimits::of(&values) {
                found.extend(ComponentValues::of(&values, &common, limits).components());
            }
        }
        if found.len() < LEAST_TRACKS {
            return too_few(
                found.len(),
                "have enough of its common background and peaks",
            );
        }
        let medians = (
            median(found.iter().map(|c| c.background).collect()),
            median(found.iter().map(|c| c.peaks).collect()),
        );
        let components = match medians {
            (Some(background), Some(peaks)) if peaks > background => {
                Components { background, peaks }
            }
            _ => return Ok(Err(NoPowerLaw::NoPeaks.to_string())),
        };
        Ok(Ok(AssayReference {
            components,
            n_tracks: found.len() as u64,
            background_bins: self.on_axis(&common.background),
            peak_bins: self.on_axis(&common.peaks),
        }))
    }

    /// The axis' bins of some places of the sample, ascending.
    fn on_axis(&self, places: &[u32]) -> Vec<u64> {
        let mut bins = Vec::with_capacity(places.len());
        let mut rest = places;
        let mut before = 0u64;
        for span in &self.spans {
            let n = span.end - span.start;
            let inside = rest.partition_point(|place| u64::from(*place) < before + n);
            let (now, later) = rest.split_at(inside);
            bins.extend(
                now.iter()
                    .map(|place| span.start + u64::from(*place) - before),
            );
            rest = later;
            before += n;
        }
        bins
    }

    /// The power law that brings a track to a reference.
    pub(super) fn law(
        &self,
        signal: &SignalArray,
        reference: &AssayReference,
    ) -> Result<Result<PowerLaw, NoPowerLaw>, CompendiumError> {
        let Some(limits) = ComponentLimits::of(&self.read(signal)?) else {
            return Ok(ComponentValues::default().law_to(reference.components));
        };
        let background = values_at(signal, &reference.background_bins)?;
        let peaks = values_at(signal, &reference.peak_bins)?;
        let values = ComponentValues::new(background.into_iter(), peaks.into_iter(), limits);
        Ok(values.law_to(reference.components))
    }
}

/// Stretches of the axis in its own order, of as many bins as are wanted; all of it if it has no more.
fn spans(axis: &GenomeAxis) -> Vec<Range<u64>> {
    let n_bins = axis.n_bins();
    if n_bins <= SAMPLE_BINS {
        return std::iter::once(0..n_bins).collect();
    }
    let (all, n) = (
        n_bins.div_ceil(STRETCH_BINS),
        SAMPLE_BINS.div_ceil(STRETCH_BINS),
    );
    (0..n)
        .map(|i| (2 * i + 1) * all / (2 * n) * STRETCH_BINS)
        .map(|start| start..(start + STRETCH_BINS).min(n_bins))
        .collect()
}

/// A track's values at ascending bins.
fn values_at(signal: &SignalArray, bins: &[u64]) -> Result<Vec<f32>, StoreError> {
    let mut values = Vec::with_capacity(bins.len());
    let mut block = Vec::new();
    for of_block in bins.chunk_by(|a, b| a / STRETCH_BINS == b / STRETCH_BINS) {
        let start = of_block[0] / STRETCH_BINS * STRETCH_BINS;
        let end = (start + STRETCH_BINS).min(signal.n_bins());
        block.resize(end.saturating_sub(start) as usize, 0f32);
        signal.read(start..end, &mut block)?;
        let value = |bin: &u64| block.get((bin - start) as usize).copied();
        values.extend(of_block.iter().map(|bin| value(bin).unwrap_or(f32::NAN)));
    }
    Ok(values)
}

/// The power law that brings values, along an axis inside the database's, to a reference of the database.
/// Masked bins are left out.
///
/// # Errors
/// When the axis is not inside the database's.
pub(crate) fn law_of_values(
    values: &[f32],
    mask: &Mask,
    axis: &GenomeAxis,
    database: &Database,
    reference: &AssayReference,
) -> Result<Result<PowerLaw, NoPowerLaw>, CompendiumError> {
    let starts =
        (axis.starts_in(database.axis())).map_err(|e| CompendiumError::Invalid(e.to_string()))?;
    let kept: Vec<f32> = (values.iter().zip(mask.as_slice()))
        .map(|(value, masked)| if *masked { f32::NAN } else { *value })
        .collect();
    let Some(limits) = ComponentLimits::of(&kept) else {
        return Ok(ComponentValues::default().law_to(reference.components));
    };
    let mut stretches: Vec<(Range<u64>, u64)> = (starts.into_iter().enumerate())
        .map(|(region, start)| {
            let own = axis.region_bins(region);
            (start..start + (own.end - own.start), own.start)
        })
        .collect();
    stretches.sort_by_key(|(bins, _)| bins.start);
    let at = |bin: &u64| {
        let place = stretches.partition_point(|(bins, _)| bins.end <= *bin);
        let (bins, first) = stretches.get(place)?;
        let own = first + bin.checked_sub(bins.start)?;
        kept.get(own as usize).copied()
    };
    let background = reference.background_bins.iter().filter_map(at);
    let peaks = reference.peak_bins.iter().filter_map(at);
    Ok(ComponentValues::new(background, peaks, limits).law_to(reference.components))
}
