//! Errors by how many other biosamples have a peak where the target has one, or has none.
//!
//! A peak is one of the 1 % of bins with the highest signal of a track, if it is above 0; so it means
//! the same in every unit.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::fitted::Baseline;
use super::learned::LearnedBaseline;
use super::score::unmasked;
use crate::measures::{TopBins, n_of_percent};

/// Bins where a number of other biosamples have a peak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeakStratum {
    /// How many of the other biosamples' training tracks of the assay have a peak there.
    pub others: usize,
    /// Whether the target's own peaks are meant, and not all bins.
    pub peaks_only: bool,
    /// How many bins these are.
    pub n_bins: usize,
    /// Each predictor's mean squared error over them, by name.
    #[serde(deserialize_with = "by_predictor")]
    pub mse: BTreeMap<&'static str, f64>,
}

/// Reads what is kept by the name of a predictor.
pub(super) fn by_predictor<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<&'static str, V>, D::Error> {
    let read = BTreeMap::<String, V>::deserialize(from)?;
    let simple = Baseline::ALL.map(Baseline::name);
    let learned = LearnedBaseline::ALL.map(LearnedBaseline::name);
    let known = |name: &str| {
        let mut all = std::iter::once("model").chain(simple).chain(learned);
        all.find(|known| *known == name)
    };
    (read.into_iter())
        .map(|(name, value)| match known(&name) {
            Some(name) => Ok((name, value)),
            None => Err(D::Error::custom(format!("{name} is no predictor"))),
        })
        .collect()
}

/// Which of a track's bins are peaks; `masked` ones and those without data never.
pub(super) fn peaks(values: &[f32], masked: &[bool]) -> Vec<bool> {
    let mut kept = unmasked(values, Some(masked));
    if kept.iter().any(|v| v.is_nan()) {
        kept.to_mut().retain(|v| !v.is_nan());
    }
    let mut is_peak = vec![false; values.len()];
    // All that tie for the last places are peaks: none goes to the genome's start.
    if let Some(top) = TopBins::new(&kept, n_of_percent(kept.len(), 1)) {
        for bin in (0..values.len()).filter(|bin| !masked[*bin]) {
            is_peak[bin] = values[bin] > 0.0 && top.reaches(values[bin]);
        }
    }
    is_peak
}

/// The strata of one target, which predictors are scored in one after another.
#[derive(Debug, Clone)]
pub(super) struct PeakStrata<'a> {
    observed: &'a [f32],
    masked: &'a [bool],
    own: Vec<bool>,
    /// For each bin, how many others have a peak.
    others: Vec<u16>,
    n_others: usize,
    mse: Vec<(&'static str, Vec<f64>)>,
}

impl<'a> PeakStrata<'a> {
    /// Of an observed track, on the scale that is scored.
    pub fn new(observed: &'a [f32], masked: &'a [bool]) -> Self {
        PeakStrata {
            own: peaks(observed, masked),
            others: vec![0; observed.len()],
            observed,
            masked,
            n_others: 0,
            mse: Vec::new(),
        }
    }

    /// Takes in another biosample's track of the assay.
    pub fn other(&mut self, values: &[f32]) {
        self.n_others += 1;
        let is_peak = peaks(values, self.masked);
        for (count, is_peak) in self.others.iter_mut().zip(is_peak) {
            *count = count.saturating_add(u16::from(is_peak));
        }
    }

    /// Σ of something over the bins of each stratum: those of all bins, then those of own peaks.
    fn sums(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let n = self.n_others + 1;
        let mut sums = vec![0.0; 2 * n];
        let bins = (0..self.observed.len()).filter(|bin| !self.masked[*bin]);
        for bin in bins {
            let (others, value) = (usize::from(self.others[bin]).min(n - 1), of(bin));
            sums[others] += value;
            if self.own[bin] {
                sums[n + others] += value;
            }
        }
        sums
    }

    /// Scores a predictor.
    pub fn score(&mut self, name: &'static str, imputed: &[f32]) {
        let squared =
            |bin: usize| (f64::from(imputed[bin]) - f64::from(self.observed[bin])).powi(2);
        let sums = self.sums(squared);
        self.mse.push((name, sums));
    }

    /// The strata that have bins.
    pub fn finish(self) -> Vec<PeakStratum> {
        let n = self.n_others + 1;
        let counts = self.sums(|_| 1.0);
        let stratum = |place: usize| PeakStratum {
            others: place % n,
            peaks_only: place >= n,
            n_bins: counts[place] as usize,
            mse: (self.mse.iter())
                .map(|(name, sums)| (*name, sums[place] / counts[place]))
                .collect(),
        };
        (0..2 * n)
            .filter(|place| counts[*place] > 0.0)
            .map(stratum)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_grouped_by_which_biosamples_have_a_peak_there() {
        // Two peaks a track: 1 % of 200 bins; bin 9 is masked and the highest of all.
        let track = |peaks: &[usize]| -> Vec<f32> {
            let value = |i| if peaks.contains(&i) { 5.0 } else { 1.0 };
            let mut values: Vec<f32> = (0..201).map(value).collect();
            values[9] = 99.0;
            values
        };
        let mut masked = vec![false; 201];
        masked[9] = true;
        let observed = track(&[10, 20]);
        let mut strata = PeakStrata::new(&observed, &masked);
        strata.other(&track(&[10, 30]));
        strata.other(&track(&[10, 40]));
        // Off by 1 everywhere, by 3 where the target alone has its peak.
        let mut imputed: Vec<f32> = observed.iter().map(|v| v + 1.0).collect();
        imputed[20] = 8.0;
        strata.score("model", &imputed);
        let found = strata.finish();
        let rows: Vec<(usize, bool, usize, f64)> = (found.iter())
            .map(|s| (s.others, s.peaks_only, s.n_bins, s.mse["model"]))
            .collect();
        let none = (197.0 - 1.0 + 9.0) / 197.0;
        let expected = [
            (0, false, 197, none),
            (1, false, 2, 1.0),
            (2, false, 1, 1.0),
            (0, true, 1, 9.0),
            (2, true, 1, 1.0),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn bins_without_signal_are_no_peaks() {
        let mut values = vec![0f32; 300];
        values[7] = 2.0;
        let found = peaks(&values, &vec![false; 300]);
        assert_eq!(found.iter().filter(|p| **p).count(), 1);
        assert!(found[7]);
        // 1 % of the 100 bins with data is one.
        let mut values = vec![f32::NAN; 300];
        values[..100].fill(1.0);
        values[7] = 2.0;
        let found = peaks(&values, &vec![false; 300]);
        assert_eq!(found.iter().filter(|p| **p).count(), 1);
        assert!(found[7]);
    }
}
