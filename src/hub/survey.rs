//! What is learned of the signal while its files are written: limits for drawing, ranges, and a place
//! where there is something to see.

use std::collections::BTreeMap;
use std::ops::Range;

use super::track::{HubTrack, Limits};
use crate::genome::{GenomeAxis, Interval};

/// Bins that are sampled of a track, about.
const SAMPLED: u64 = 20_000;
/// The share of sampled bins that are drawn below the upper limit.
const DRAWN: f64 = 0.995;
/// Bins of a window that a browser opens at: 100 kbp.
const WINDOW_BINS: u64 = 4_000;

/// Samples of signal as it passes.
pub(super) struct Survey<'a> {
    axis: &'a GenomeAxis,
    step: u64,
    /// By assay, the values of sampled bins.
    samples: BTreeMap<String, Vec<f32>>,
    /// By track, its lowest and highest value.
    ranges: Vec<Option<(f32, f32)>>,
    /// Windows, none of which leaves a span, and the logarithms of the signal in each, summed over its sampled
    /// bins and all tracks.
    windows: Vec<(Range<u64>, f64)>,
}

impl<'a> Survey<'a> {
    /// Of tracks over spans of an axis, which come in the order of the axis' bins.
    pub fn new(axis: &'a GenomeAxis, spans: &[Range<u64>], n_tracks: usize) -> Self {
        let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
        let mut windows: Vec<(Range<u64>, f64)> = (spans.iter())
            .flat_map(|span| {
                let starts = span.clone().step_by(WINDOW_BINS as usize);
                starts.map(|start| (start..(start + WINDOW_BINS).min(span.end), 0.0))
            })
            .collect();
        windows.sort_by_key(|(bins, _)| bins.start);
        Survey {
            axis,
            step: (n_bins / SAMPLED).max(1),
            samples: BTreeMap::new(),
            ranges: vec![None; n_tracks],
            windows,
        }
    }

    /// Takes note of a piece of a track, which begins at a bin of the axis.
    pub fn add(&mut self, track: usize, assay: &str, first: u64, values: &[f32]) {
        let known = || (first..).zip(values).filter(|(_, v)| !v.is_nan());
        for (_, value) in known() {
            let range = self.ranges[track].get_or_insert((*value, *value));
            *range = (range.0.min(*value), range.1.max(*value));
        }
        let samples = match self.samples.get_mut(assay) {
            Some(samples) => samples,
            None => self.samples.entry(assay.to_string()).or_default(),
        };
        for (bin, value) in known().filter(|(bin, _)| bin % self.step == 0) {
            samples.push(*value);
            let after = self.windows.partition_point(|(bins, _)| bins.start <= bin);
            if let Some((_, sum)) = after.checked_sub(1).and_then(|i| self.windows.get_mut(i)) {
                // Peaks of an assay with high values should not decide alone.
                *sum += f64::from(*value).max(0.0).ln_1p();
            }
        }
    }

    /// Gives each track its range, and the limits that all tracks of its assay share.
    pub fn apply(&mut self, tracks: &mut [HubTrack]) {
        let limits: BTreeMap<&String, Limits> = (self.samples.iter_mut())
            .map(|(assay, values)| (assay, limits(values)))
            .collect();
        for (track, range) in tracks.iter_mut().zip(&self.ranges) {
            if let Some(limits) = limits.get(&track.experiment.assay) {
                track.limits = *limits;
            }
            track.range = range.unwrap_or_default();
        }
    }

    /// The window with most signal; of equal ones the first.
    pub fn busiest(&self) -> Option<Interval> {
        let windows = self.windows.iter();
        let (bins, _) = windows.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let (first, last) = (
            self.axis.bin_interval(bins.start),
            self.axis.bin_interval(bins.end - 1),
        );
        Some(Interval::new(first.chrom, first.start, last.end))
    }
}

/// From 0, or from below it where there are negative values, to a round number that most values do not reach.
fn limits(values: &mut [f32]) -> Limits {
    values.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| {
        let place = (share * values.len().saturating_sub(1) as f64).round() as usize;
        values.get(place).map_or(0.0, |v| f64::from(*v))
    };
    let (low, high) = (at(1.0 - DRAWN), at(DRAWN));
    Limits {
        low: if low < 0.0 { -round_up(-low) } else { 0.0 },
        high: if high > 0.0 { round_up(high) } else { 1.0 },
    }
}

/// 1, 2 or 5 times a power of ten, not below a positive value.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps
        .into_iter()
        .find(|step| step * power >= value * (1.0 - 1e-9));
    let rounded = found.unwrap_or(10.0) * power;
    // 0.2 and not 0.2000…4.
    format!("{rounded:.6e}").parse().unwrap_or(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    #[test]
    fn limits_are_round_numbers_that_most_values_do_not_reach() {
        for (value, expected) in [
            (0.13, 0.2),
            (1.0, 1.0),
            (3.0, 5.0),
            (51.0, 100.0),
            (0.2, 0.2),
        ] {
            assert_eq!(round_up(value), expected);
        }
        // 1,000 values: rank 994 of 0 to 999 is drawn, and the five highest are not.
        let mut values: Vec<f32> = (0..1_000)
            .map(|i| if i < 995 { 0.3 } else { 90.0 })
            .collect();
        assert_eq!(
            limits(&mut values),
            Limits {
                low: 0.0,
                high: 0.5
            }
        );
        let mut values: Vec<f32> = (-100..101).map(|i| i as f32).collect();
        assert_eq!(
            limits(&mut values),
            Limits {
                low: -100.0,
                high: 100.0
            }
        );
        assert_eq!(
            limits(&mut []),
            Limits {
                low: 0.0,
                high: 1.0
            }
        );
    }

    #[test]
    fn the_busiest_window_is_found_within_the_spans() {
        let chromosomes = ["chr1", "chr2"].map(|name| (name.to_string(), 202_500));
        let assembly = Assembly::from_chromosomes("toy", &chromosomes).unwrap();
        let region = |chrom: &str| Region {
            chrom: chrom.into(),
            first_bin: 0,
            n_bins: 8_100,
            name: None,
        };
        let axis = GenomeAxis::new(assembly, vec![region("chr1"), region("chr2")]).unwrap();
        let busiest = |spans: &[Range<u64>]| {
            let mut survey = Survey::new(&axis, spans, 1);
            survey.step = 1;
            for span in spans {
                let mut values = vec![0f32; 16_200];
                values[5_000] = 9.0;
                // At the beginning of chr2, in one window with which the end of chr1 is not.
                values[8_200] = 30.0;
                values[9_000] = f32::NAN;
                let part = &values[span.start as usize..span.end as usize];
                survey.add(0, "a", span.start, part);
            }
            survey.busiest().unwrap().to_string()
        };
        assert_eq!(busiest(&[0..8_100, 8_100..16_200]), "chr2:1-100000");
        let first = 0..8_100;
        assert_eq!(busiest(&[first]), "chr1:100001-200000");
        assert_eq!(busiest(&[4_900..8_100, 9_000..9_100]), "chr1:122501-202500");
    }
}
