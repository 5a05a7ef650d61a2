//! A place where there is something to see.

use crate::compendium::Experiment;
use crate::genome::{GenomeAxis, Interval};
use crate::store::{Database, StoreError};

/// Bins of a window: 100 kb.
const WINDOW: u64 = 4_000;
/// Bins of a stretch: 5 kb, so that one odd bin does not choose.
const STRETCH: usize = 200;
/// Windows that are looked at, evenly spaced over the axis.
const MOST_WINDOWS: u64 = 1_000;

/// A hundred kb in which every one of some measured experiments has signal: of evenly spaced windows of an axis the
/// one in which the weakest experiment's highest 5 kb come nearest to the highest that it has in any window. Where
/// nothing was measured of them, the axis' beginning.
///
/// ```
/// use persea::compendium::Experiment;
/// use persea::plot::some_locus;
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let locus = some_locus(&database, database.axis(), &[Experiment::new("S1", "H3K4me3")])?;
/// assert_eq!(locus.len(), 100_000);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When signal cannot be read.
pub fn some_locus(
    database: &Database,
    axis: &GenomeAxis,
    experiments: &[Experiment],
) -> Result<Interval, StoreError> {
    let windows = windows(database, axis);
    let mut weakest = vec![f32::INFINITY; windows.len()];
    let mask = database.mask()?;
    let mut is_measured = false;
    let mut values = Vec::new();
    for experiment in experiments {
        let Some(track) = database.track(&experiment.biosample, &experiment.assay)? else {
            continue;
        };
        is_measured = true;
        let signal = database.signal(&track)?;
        let mut highest = vec![0f32; windows.len()];
        for (highest, (_, first, n_bins)) in highest.iter_mut().zip(&windows) {
            values.resize(*n_bins as usize, 0f32);
            signal.read(*first..first + n_bins, &mut values)?;
            for (i, value) in values.iter_mut().enumerate() {
                if mask.is_masked(first + i as u64) {
                    *value = f32::NAN;
                }
            }
            *highest = (values.chunks(STRETCH))
                .map(|part| part.iter().sum::<f32>() / part.len() as f32)
                // A stretch with bins without data tells less than one without.
                .filter(|mean| mean.is_finite())
                .fold(0.0, f32::max);
        }
        let most = highest.iter().copied().fold(0.0, f32::max);
        if most > 0.0 {
            for (weakest, highest) in weakest.iter_mut().zip(highest) {
                *weakest = weakest.min(highest / most);
            }
        }
    }
    let mut best = 0;
    for (i, score) in weakest.iter().enumerate() {
        if is_measured && score.is_finite() && *score > weakest[best] {
            best = i;
        }
    }
    match windows.get(best) {
        Some((interval, ..)) => Ok(interval.clone()),
        None => Ok(axis.region_interval(0)),
    }
}

/// Windows with their first bin in the database and how many bins they have, within regions of the axis that the
/// database has.
fn windows(database: &Database, axis: &GenomeAxis) -> Vec<(Interval, u64, u64)> {
    let step = (axis.n_bins() / MOST_WINDOWS).max(WINDOW);
    let mut windows = Vec::new();
    for region in 0..axis.regions().len() {
        let bins = axis.region_bins(region);
        let mut first = bins.start;
        loop {
            // The last window ends with the region.
            let start = first.min(bins.end.saturating_sub(WINDOW)).max(bins.start);
            let end = (start + WINDOW).min(bins.end);
            let (from, to) = (axis.bin_interval(start), axis.bin_interval(end - 1));
            let interval = Interval::new(from.chrom, from.start, to.end);
            let stored = database.axis().bins_within(&interval);
            if let [one] = stored.as_slice() {
                windows.push((interval, one.start, one.end - one.start));
            }
            first += step;
            if first >= bins.end {
                break;
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compendium::example_compendium;

    /// The highest 5 kb of the weaker of two tracks, looked up bin by bin.
    #[test]
    fn the_locus_is_one_where_every_track_has_signal() {
        let (_folder, database) = example_compendium().unwrap();
        let both = [
            Experiment::new("S1", "H3K4me3"),
            Experiment::new("S2", "H3K4me3"),
        ];
        let locus = some_locus(&database, database.axis(), &both).unwrap();
        let mask = database.mask().unwrap();
        let highest = |experiment: &Experiment, bins: std::ops::Range<u64>| {
            let track = database.track(&experiment.biosample, &experiment.assay);
            let signal = database.signal(&track.unwrap().unwrap()).unwrap();
            let mut values = vec![0f32; (bins.end - bins.start) as usize];
            signal.read(bins.clone(), &mut values).unwrap();
            for (value, bin) in values.iter_mut().zip(bins) {
                if mask.is_masked(bin) {
                    *value = f32::NAN;
                }
            }
            let means = values
                .chunks(STRETCH)
                .map(|p| p.iter().sum::<f32>() / p.len() as f32);
            means.filter(|m| m.is_finite()).fold(0.0, f32::max)
        };
        let windows = windows(&database, database.axis());
        assert!(windows.len() > 1);
        let of = |i: usize| {
            let share = |e: &Experiment| {
                let all = windows.iter().map(|w| highest(e, w.1..w.1 + w.2));
                highest(e, windows[i].1..windows[i].1 + windows[i].2) / all.fold(0.0, f32::max)
            };
            share(&both[0]).min(share(&both[1]))
        };
        let found = windows.iter().position(|w| w.0 == locus).unwrap();
        assert!((0..windows.len()).all(|i| of(i) <= of(found)), "{locus}");
        assert!(of(found) > 0.0);
    }
}
