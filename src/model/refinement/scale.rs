//! A track's mean and standard deviation, estimated from those of the other tracks.

use serde::Serialize;

/// Mean and standard deviation of a track, on the scale it is stored on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrackScale {
    /// The mean over bins.
    pub mean: f32,
    /// The standard deviation over bins, above 0.
    pub deviation: f32,
}

/// A track whose signal the refinement reads, by the places of its names in the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputTrack {
    /// The biosample.
    pub biosample: u32,
    /// The assay.
    pub assay: u32,
    /// What it is standardised by.
    pub scale: TrackScale,
    /// Whether the model was extended with it after training. Such a track informs only what was
    /// unknown before: what could be imputed already stays as it was, to the bit.
    pub added: bool,
}

/// A track without any signal is standardised as if it had this standard deviation.
const LEAST_DEVIATION: f32 = 1e-3;
/// How many tracks the assumption that biosamples and assays do not differ is worth.
const SHRINKAGE: f64 = 1.0;
/// Rounds of backfitting: far more than tables of this kind need to settle.
const ROUNDS: usize = 200;

impl TrackScale {
    /// Of a mean and a variance.
    pub fn new(mean: f64, variance: f64) -> Self {
        TrackScale {
            mean: mean as f32,
            deviation: (variance.max(0.0).sqrt() as f32).max(LEAST_DEVIATION),
        }
    }

    /// How far this mean lies from an expected one, and how many times the expected standard deviation this
    /// one is: a value that is v standardised is shift + ratio × v in the expected units.
    pub fn relative_to(&self, expected: TrackScale) -> (f32, f32) {
        (
            (self.mean - expected.mean) / expected.deviation,
            self.deviation / expected.deviation,
        )
    }

    /// From the scale that tracks are stored on.
    pub fn standardise(&self, value: f32) -> f32 {
        (value - self.mean) / self.deviation
    }
}

/// Two effects, of the biosample and of the assay, on top of a common value: ridge regression on
/// the two-way table of tracks, once for the mean and once for the logarithm of the standard
/// deviation.
///
/// Both effects are shrunk as if each biosample and each assay had one more track that shows none.
/// So a biosample with one track is believed half, one with many all but wholly.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleModel {
    mean: TwoWay,
    deviation: TwoWay,
}

impl ScaleModel {
    /// Fits the tracks given, those of `without` (biosample, assay) left out.
    pub fn fit(tracks: &[InputTrack], without: Option<(u32, u32)>) -> Self {
        let used = || {
            tracks
                .iter()
                .filter(|t| Some((t.biosample, t.assay)) != without)
        };
        let table = |value: fn(&TrackScale) -> f64| {
            TwoWay::fit(used().map(|t| (t.biosample, t.assay, value(&t.scale))))
        };
        ScaleModel {
            mean: table(|s| f64::from(s.mean)),
            deviation: table(|s| f64::from(s.deviation).ln()),
        }
    }

    /// The scale to expect of an experiment.
    pub fn expect(&self, biosample: u32, assay: u32) -> TrackScale {
        TrackScale {
            mean: self.mean.expect(biosample, assay) as f32,
            deviation: self.deviation.expect(biosample, assay).exp() as f32,
        }
    }
}

/// common + biosample + assay.
#[derive(Debug, Clone, PartialEq)]
struct TwoWay {
    common: f64,
    biosamples: Vec<f64>,
    assays: Vec<f64>,
}

impl TwoWay {
    fn fit(values: impl Iterator<Item = (u32, u32, f64)>) -> Self {
        let values: Vec<(usize, usize, f64)> = values
            .map(|(b, a, v)| (b as usize, a as usize, v))
            .collect();
        let size = |of: fn(&(usize, usize, f64)) -> usize| {
            values.iter().map(|v| of(v) + 1).max().unwrap_or(0)
        };
        let mut fitted = TwoWay {
            common: 0.0,
            biosamples: vec![0.0; size(|v| v.0)],
            assays: vec![0.0; size(|v| v.1)],
        };
        if values.is_empty() {
            return fitted;
        }
        for _ in 0..ROUNDS {
            let rest =
                |t: &TwoWay, v: &(usize, usize, f64)| v.2 - t.biosamples[v.0] - t.assays[v.1];
            fitted.common =
                values.iter().map(|v| rest(&fitted, v)).sum::<f64>() / values.len() as f64;
            fitted.biosamples = shrunk(fitted.biosamples.len(), &values, |v| {
                (v.0, v.2 - fitted.common - fitted.assays[v.1])
            });
            fitted.assays = shrunk(fitted.assays.len(), &values, |v| {
                (v.1, v.2 - fitted.common - fitted.biosamples[v.0])
            });
        }
        fitted
    }

    fn expect(&self, biosample: u32, assay: u32) -> f64 {
        // An entry that no track showed has no effect.
        let of = |effects: &[f64], place: u32| effects.get(place as usize).copied().unwrap_or(0.0);
        self.common + of(&self.biosamples, biosample) + of(&self.assays, assay)
    }
}

/// Means by group, shrunk towards 0.
fn shrunk(
    n: usize,
    values: &[(usize, usize, f64)],
    residual: impl Fn(&(usize, usize, f64)) -> (usize, f64),
) -> Vec<f64> {
    let mut sums = vec![(0.0, SHRINKAGE); n];
    for value in values {
        let (group, rest) = residual(value);
        sums[group].0 += rest;
        sums[group].1 += 1.0;
    }
    sums.into_iter().map(|(sum, weight)| sum / weight).collect()
}
