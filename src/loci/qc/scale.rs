//! Tracks whose background or peaks lie on another scale than their assay's.
//!
//! The means of a track's background and of its peaks, over windows that are background, or peaks, in several
//! tracks of its assay, against the medians of the assay's tracks: what normalising would bring together.

use rayon::prelude::*;

use crate::compendium::Experiment;
use crate::measures::{ComponentLimits, ComponentTally, ComponentValues, Components, median};

/// Tracks of an assay that make a scale.
const LEAST_TRACKS: usize = 3;
/// Good tracks vary by so much (log2) at least: 7 %.
const LEAST_SPREAD: f64 = 0.1;

/// How far a mean of a track lies from its assay's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleShift {
    /// log2 of the mean over the assay's: −1 is half of it.
    pub log2_ratio: f64,
    /// That in robust standard deviations over all tracks.
    pub z: f64,
}

/// The shifts of each track's background and of its peaks; `None` where the assay has fewer than three tracks
/// with enough of either, or no background above 0.
pub(super) fn shifts(
    experiments: &[Experiment],
    values: &[Vec<f32>],
) -> Vec<[Option<ScaleShift>; 2]> {
    let mut assays: Vec<&str> = experiments.iter().map(|e| e.assay.as_str()).collect();
    assays.sort_unstable();
    assays.dedup();
    let found: Vec<Vec<(usize, [Option<f64>; 2])>> = assays
        .into_par_iter()
        .map(|assay| {
            let of_assay = (0..experiments.len()).filter(|i| experiments[*i].assay == assay);
            ratios(&of_assay.collect::<Vec<usize>>(), values)
        })
        .collect();
    let mut ratios = vec![[None; 2]; experiments.len()];
    for (i, of_track) in found.into_iter().flatten() {
        ratios[i] = of_track;
    }
    let spread = [0, 1].map(|kind| {
        let sizes = ratios.iter().filter_map(|r| r[kind]).map(f64::abs);
        (1.4826 * median(sizes.collect()).unwrap_or(0.0)).max(LEAST_SPREAD)
    });
    let shift = |ratio: Option<f64>, spread: f64| {
        ratio.map(|log2_ratio| ScaleShift {
            log2_ratio,
            z: log2_ratio / spread,
        })
    };
    (ratios.into_iter())
        .map(|[background, peaks]| [shift(background, spread[0]), shift(peaks, spread[1])])
        .collect()
}

/// log2 of each track's two means over the medians of an assay's tracks (their places).
fn ratios(tracks: &[usize], values: &[Vec<f32>]) -> Vec<(usize, [Option<f64>; 2])> {
    if tracks.len() < LEAST_TRACKS {
        return Vec::new();
    }
    let limits: Vec<Option<ComponentLimits>> = (tracks.iter())
        .map(|i| ComponentLimits::of(&values[*i]))
        .collect();
    let mut tally = ComponentTally::new(values[tracks[0]].len());
    for (i, limits) in tracks.iter().zip(&limits) {
        if let Some(limits) = limits {
            tally.add(&values[*i], *limits);
        }
    }
    let common = tally.common(usize::MAX);
    let found: Vec<(usize, Components)> = (tracks.iter().zip(limits))
        .filter_map(|(i, limits)| {
            let own = ComponentValues::of(&values[*i], &common, limits?);
            Some((*i, own.components()?))
        })
        .collect();
    if found.len() < LEAST_TRACKS {
        return Vec::new();
    }
    let of_assay = |of: fn(&Components) -> f64| median(found.iter().map(|(_, c)| of(c)).collect());
    let (background, peaks) = (of_assay(|c| c.background), of_assay(|c| c.peaks));
    let ratio = |own: f64, of_assay: Option<f64>| {
        let ratio = (own / of_assay?).log2();
        ratio.is_finite().then_some(ratio)
    };
    (found.iter())
        .map(|(i, c)| {
            let of_background = (ratio(c.background, background)).filter(|_| c.has_background());
            (*i, [of_background, ratio(c.peaks, peaks)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

    /// Four tracks of each of two assays over 5,000 windows, of one background and peaks of one height in the
    /// same places.
    fn tracks() -> (Vec<Experiment>, Vec<Vec<f32>>) {
        let mut experiments = Vec::new();
        let mut values = Vec::new();
        for (a, assay) in ["P", "Q"].into_iter().enumerate() {
            for biosample in ["w", "x", "y", "z"] {
                let mut random = generator(values.len() as u64, Purpose::Bins, 0);
                let mut unit = || random.next_u32() as f32 / u32::MAX as f32;
                let value = |i: usize| match i % 50 == 7 + a {
                    true => 2.0 + unit(),
                    false => 0.2 + 0.2 * unit(),
                };
                values.push((0..5_000).map(value).collect());
                experiments.push(Experiment::new(biosample, assay));
            }
        }
        (experiments, values)
    }

    #[test]
    fn a_planted_shift_of_the_background_or_the_peaks_is_found_in_its_track_alone() {
        let (experiments, values) = tracks();
        let limit = 3.0;
        let flagged = |values: &[Vec<f32>]| {
            let found = shifts(&experiments, values);
            let is_flagged = |kind: usize| {
                let of = |i: &usize| found[*i][kind].unwrap().z.abs() >= limit;
                (0..8).filter(of).collect::<Vec<usize>>()
            };
            (is_flagged(0), is_flagged(1), found)
        };
        let (background, peaks, _) = flagged(&values);
        assert_eq!((background, peaks), (vec![], vec![]));

        let mut shifted = values.clone();
        for value in &mut shifted[5] {
            *value *= if *value < 1.0 { 2.0 } else { 1.0 };
        }
        let (background, peaks, found) = flagged(&shifted);
        assert_eq!((background, peaks), (vec![5], vec![]));
        assert!(
            (found[5][0].unwrap().log2_ratio - 1.0).abs() < 0.02,
            "{found:?}"
        );

        let mut shifted = values;
        for value in &mut shifted[2] {
            *value *= if *value < 1.0 { 1.0 } else { 0.5 };
        }
        let (background, peaks, found) = flagged(&shifted);
        assert_eq!((background, peaks), (vec![], vec![2]));
        assert!(
            (found[2][1].unwrap().log2_ratio + 1.0).abs() < 0.02,
            "{found:?}"
        );
    }

    #[test]
    fn two_tracks_of_an_assay_have_no_scale_and_zeros_no_background() {
        let (mut experiments, mut values) = tracks();
        experiments.truncate(6);
        values.truncate(6);
        for track in &mut values[..4] {
            track
                .iter_mut()
                .filter(|v| **v < 1.0)
                .for_each(|v| *v = 0.0);
        }
        let found = shifts(&experiments, &values);
        assert!(
            found[..4].iter().all(|s| s[0].is_none() && s[1].is_some()),
            "{found:?}"
        );
        assert_eq!(found[4..], [[None; 2]; 2]);
    }
}
