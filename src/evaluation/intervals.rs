//! Whether what was observed lies as near to what was imputed as a model says.

use serde::{Deserialize, Serialize};

/// How well a model's intervals and standard deviations describe the observed signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Share of bins whose observed signal lies in the central 50 %.
    pub coverage_50: f64,
    /// Share of bins whose observed signal lies in the central 90 %.
    pub coverage_90: f64,
    /// The continuous ranked probability score of a normal distribution about the imputed, in the mean; it is the absolute error's where the
    /// standard deviation is 0.
    pub crps: f64,
    /// Bins.
    pub n_bins: usize,
}

/// The same over all bins, and by how strong the imputed signal is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IntervalsByStratum {
    /// All bins.
    pub all: Intervals,
    /// The 1 % of bins with the highest imputed signal.
    pub highest: Option<Intervals>,
    /// The next 9 %.
    pub high: Option<Intervals>,
    /// The rest.
    pub rest: Option<Intervals>,
}

impl Intervals {
    /// Of some bins: (observed, imputed, standard deviation); `None` of none. `ends` gives, by what is
    /// imputed, the ends of the 90 % and 50 % intervals, ascending.
    pub fn of(bins: &[(f32, f32, f32)], ends: &dyn Fn(f32) -> [f32; 4]) -> Option<Self> {
        if bins.is_empty() {
            return None;
        }
        let n = bins.len() as f64;
        let mut within = [0usize; 2];
        for (observed, imputed, _) in bins {
            let ends = ends(*imputed);
            within[0] += usize::from(ends[1] <= *observed && *observed <= ends[2]);
            within[1] += usize::from(ends[0] <= *observed && *observed <= ends[3]);
        }
        Some(Intervals {
            coverage_50: within[0] as f64 / n,
            coverage_90: within[1] as f64 / n,
            crps: bins.iter().map(|b| score(*b)).sum::<f64>() / n,
            n_bins: bins.len(),
        })
    }
}

impl IntervalsByStratum {
    /// Of a track's bins that are not masked; `None` of none. `ends` is as in [`Intervals::of`].
    pub fn of(mut bins: Vec<(f32, f32, f32)>, ends: &dyn Fn(f32) -> [f32; 4]) -> Option<Self> {
        bins.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (one, ten) = (bins.len() / 100, bins.len() / 10);
        Some(IntervalsByStratum {
            all: Intervals::of(&bins, ends)?,
            highest: Intervals::of(&bins[..one], ends),
            high: Intervals::of(&bins[one..ten], ends),
            rest: Intervals::of(&bins[ten..], ends),
        })
    }

    /// The mean over tracks, of each stratum over those that have it; bins are summed. `None` of no track.
    pub fn mean(tracks: &[IntervalsByStratum]) -> Option<Self> {
        let of = |stratum: &dyn Fn(&IntervalsByStratum) -> Option<Intervals>| {
            let found: Vec<Intervals> = tracks.iter().filter_map(stratum).collect();
            let n = found.len() as f64;
            let mean = |value: fn(&Intervals) -> f64| found.iter().map(value).sum::<f64>() / n;
            (!found.is_empty()).then(|| Intervals {
                coverage_50: mean(|i| i.coverage_50),
                coverage_90: mean(|i| i.coverage_90),
                crps: mean(|i| i.crps),
                n_bins: found.iter().map(|i| i.n_bins).sum(),
            })
        };
        Some(IntervalsByStratum {
            all: of(&|t| Some(t.all))?,
            highest: of(&|t| t.highest),
            high: of(&|t| t.high),
            rest: of(&|t| t.rest),
        })
    }
}

/// The continuous ranked probability score of a normal distribution (Gneiting and Raftery 2007,
/// equation 21).
fn score((observed, imputed, deviation): (f32, f32, f32)) -> f64 {
    let (apart, deviation) = (f64::from(observed - imputed), f64::from(deviation));
    if deviation <= 0.0 {
        return apart.abs();
    }
    let z = apart / deviation;
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let central = error_function(z / std::f64::consts::SQRT_2);
    deviation * (z * central + 2.0 * density - 1.0 / std::f64::consts::PI.sqrt())
}

/// erf, within 1.5e-7 (Abramowitz and Stegun 7.1.26).
fn error_function(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let terms = [
        0.254_829_592,
        -0.284_496_736,
        1.421_413_741,
        -1.453_152_027,
        1.061_405_429,
    ];
    let sum = terms.iter().rev().fold(0.0, |sum, a| t * (a + sum));
    (1.0 - sum * (-x * x).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of a normal distribution's central 90 % and 50 % about what is imputed.
    fn normal_ends(deviation: f32) -> impl Fn(f32) -> [f32; 4] {
        move |imputed| {
            [-1.644_854, -0.674_490, 0.674_490, 1.644_854].map(|z| imputed + z * deviation)
        }
    }

    #[test]
    fn coverage_and_score_are_those_of_a_normal_distribution() {
        // Quantiles of the standard normal distribution by bisection of its distribution function.
        let quantile = |p: f64| {
            let (mut low, mut high) = (-9.0f64, 9.0f64);
            for _ in 0..80 {
                let x = 0.5 * (low + high);
                let below = 0.5 * (1.0 + error_function(x / std::f64::consts::SQRT_2));
                if below < p { low = x } else { high = x }
            }
            0.5 * (low + high)
        };
        let n = 20_000;
        let bins: Vec<(f32, f32, f32)> = (0..n)
            .map(|i| {
                (
                    2.0 * quantile((i as f64 + 0.5) / n as f64) as f32 + 3.0,
                    3.0,
                    2.0,
                )
            })
            .collect();
        let found = Intervals::of(&bins, &normal_ends(2.0)).unwrap();
        assert!((found.coverage_50 - 0.5).abs() < 1e-3, "{found:?}");
        assert!((found.coverage_90 - 0.9).abs() < 1e-3, "{found:?}");
        // The expected score of a normal distribution that is right: its deviation over √π.
        assert!(
            (found.crps - 2.0 / std::f64::consts::PI.sqrt()).abs() < 1e-3,
            "{found:?}"
        );
    }

    #[test]
    fn quantiles_cover_what_one_deviation_cannot() {
        // Skewed and heavy: nine bins in ten lie 0.1 below what is imputed or less, one far above. Its
        // mean is what is imputed, its root mean square about 3.
        let residual = |i: usize| match i % 10 {
            9 => 9.0,
            r => -1.0 - 0.1 * (r as f32 - 4.0) / 10.0,
        };
        let bins: Vec<(f32, f32, f32)> = (0..1000).map(|i| (5.0 + residual(i), 5.0, 3.0)).collect();
        let normal = Intervals::of(&bins, &normal_ends(3.0)).unwrap();
        assert_eq!((normal.coverage_50, normal.coverage_90), (0.9, 0.9));
        let mut sorted: Vec<f32> = (0..1000).map(residual).collect();
        sorted.sort_by(f32::total_cmp);
        let ends = |imputed: f32| [50, 250, 749, 949].map(|place| imputed + sorted[place]);
        let found = Intervals::of(&bins, &ends).unwrap();
        // Each of the nine values is a tenth of the bins, so the half is met to a tenth.
        assert!((found.coverage_50 - 0.5).abs() <= 0.11, "{found:?}");
        assert!((found.coverage_90 - 0.9).abs() <= 0.11, "{found:?}");
    }

    #[test]
    fn a_certain_prediction_scores_its_absolute_error_and_strata_are_by_imputed_signal() {
        assert_eq!(score((1.0, 3.0, 0.0)), 2.0);
        assert!((error_function(0.5) - 0.520_499_878).abs() < 2e-7);
        let bins: Vec<(f32, f32, f32)> = (0..1000).map(|i| (i as f32, i as f32, 1.0)).collect();
        let found = IntervalsByStratum::of(bins, &normal_ends(1.0)).unwrap();
        let sizes = [found.highest, found.high, found.rest].map(|s| s.unwrap().n_bins);
        assert_eq!(sizes, [10, 90, 900]);
        assert_eq!(found.all.coverage_50, 1.0);
        assert_eq!(IntervalsByStratum::of(Vec::new(), &normal_ends(1.0)), None);
        // The mean over tracks; a track of few bins has no highest 1 %.
        let few = IntervalsByStratum::of(vec![(9.0, 0.0, 1.0); 50], &normal_ends(1.0)).unwrap();
        let mean = IntervalsByStratum::mean(&[found, few]).unwrap();
        assert_eq!((mean.all.coverage_50, mean.all.n_bins), (0.5, 1050));
        assert_eq!(mean.highest, found.highest);
        assert_eq!(IntervalsByStratum::mean(&[]), None);
    }
}
