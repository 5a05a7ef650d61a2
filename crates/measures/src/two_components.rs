//! The background and the peaks of a series, and the power law that brings both to a reference.
//!
//! The idea is S3norm's (Xiang et al., 2020, Nucleic Acids Research 48, e43): two series of one kind have a
//! common background and common peaks. A power law y = a·x^b has two parameters, so it can match both means,
//! and it ascends, keeps 0 and has an inverse. What is common is decided by ranks within each series. Ranks
//! do not change under a power law, so a shifted copy of a series has the same bins.
//!
//! Owns the rules: which bins are background or peaks, which are common to several series, and the fit. A
//! value that is NaN is missing. Leaves to the caller which scale the values are on.

/// A bin of a series is background if it is among the lowest 9 tenths.
const BACKGROUND_SHARE: f64 = 0.9;

/// A bin of a series is a peak if it is among the highest 2 %.
const PEAK_SHARE: f64 = 0.02;

/// So many peaks at least are needed for their mean.
const LEAST_BINS: usize = 30;

/// A background below this share of the peaks counts as none: only the peaks are matched.
const LEAST_BACKGROUND: f64 = 1e-3;

/// The exponents that a fit may have: beyond, two series are not of one kind.
const EXPONENTS: (f64, f64) = (0.25, 4.0);

/// How often the interval of exponents is halved: to the precision of f64.
const HALVINGS: usize = 60;

/// y = factor · x^exponent; of a negative x the negative of it. 0 stays 0, and NaN stays NaN.
///
/// ```
/// use persea_measures::PowerLaw;
///
/// let law = PowerLaw { factor: 2.0, exponent: 0.5 };
/// assert_eq!([law.apply(9.0), law.apply(0.0), law.apply(-9.0)], [6.0, 0.0, -6.0]);
/// assert_eq!(law.invert(6.0), 9.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// What is multiplied by; above 0.
    pub factor: f64,
    /// The exponent; above 0.
    pub exponent: f64,
}

impl PowerLaw {
    /// The value that it gives, computed in f64 and rounded once.
    pub fn apply(self, value: f32) -> f32 {
        let size = f64::from(value.abs());
        ((self.factor * size.powf(self.exponent)) as f32).copysign(value)
    }

    /// The value that [`PowerLaw::apply`] gives this for.
    pub fn invert(self, value: f32) -> f32 {
        let size = f64::from(value.abs());
        ((size / self.factor).powf(1.0 / self.exponent) as f32).copysign(value)
    }
}

/// The means of a series' background and peaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// The mean of the background.
    pub background: f64,
    /// The mean of the peaks.
    pub peaks: f64,
}

impl Components {
    /// Whether the background counts: it is above a thousandth of the peaks.
    pub fn has_background(&self) -> bool {
        self.background > LEAST_BACKGROUND * self.peaks
    }
}

/// Up to where a series is background, and from where on it is peaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComponentLimits {
    background: f32,
    peak: f32,
}

impl ComponentLimits {
    /// Those of a series; `None` where it has no value.
    pub fn of(values: &[f32]) -> Option<Self> {
        let mut known: Vec<f32> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        let n = known.len();
        let last = n.checked_sub(1)?;
        let background = ((n as f64 * BACKGROUND_SHARE).ceil() as usize).saturating_sub(1);
        let (_, background, above) =
            known.select_nth_unstable_by(background.min(last), f32::total_cmp);
        let background = *background;
        let n_peaks = ((n as f64 * PEAK_SHARE) as usize).max(1);
        let peak = match above.len().checked_sub(n_peaks) {
            Some(place) => *above.select_nth_unstable_by(place, f32::total_cmp).1,
            None => background,
        };
        Some(ComponentLimits { background, peak })
    }

    /// Whether a value is background.
    pub fn is_background(self, value: f32) -> bool {
        value <= self.background
    }

    /// Whether a value is of a peak. In a series with few values above 0 all of them are.
    pub fn is_peak(self, value: f32) -> bool {
        value >= self.peak && value > self.background
    }
}

/// In how many of several series each bin is what.
#[derive(Debug, Clone, Default)]
pub struct ComponentTally {
    n: Vec<u32>,
    n_background: Vec<u32>,
    n_peaks: Vec<u32>,
}

impl ComponentTally {
    /// Of series of so many bins.
    pub fn new(n_bins: usize) -> Self {
        ComponentTally {
            n: vec![0; n_bins],
            n_background: vec![0; n_bins],
            n_peaks: vec![0; n_bins],
        }
    }

    /// Counts a series, as far as it has the bins.
    pub fn add(&mut self, values: &[f32], limits: ComponentLimits) {
        let counts = (self.n.iter_mut()).zip(self.n_background.iter_mut().zip(&mut self.n_peaks));
        for (value, (n, (n_background, n_peaks))) in values.iter().zip(counts) {
            *n += u32::from(!value.is_nan());
            *n_background += u32::from(limits.is_background(*value));
            *n_peaks += u32::from(limits.is_peak(*value));
        }
    }

    /// The common bins, at most so many of each kind, evenly spread. A peak is common if it is one in half of the
    /// series that have a value there, and in two at least; background if it is in nine tenths of them, and
    /// in two at least.
    pub fn common(&self, most: usize) -> CommonBins {
        let of = |is_it: &dyn Fn(usize) -> bool| {
            let all: Vec<u32> = (0..self.n.len() as u32)
                .filter(|i| is_it(*i as usize))
                .collect();
            match all.len() > most {
                true => (0..most).map(|i| all[i * all.len() / most]).collect(),
                false => all,
            }
        };
        CommonBins {
            background: of(&|i| {
                self.n_background[i] >= 2 && 10 * self.n_background[i] >= 9 * self.n[i]
            }),
            peaks: of(&|i| self.n_peaks[i] >= 2 && 2 * self.n_peaks[i] >= self.n[i]),
        }
    }
}

/// Bins that are background, or peaks, in several series; ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommonBins {
    /// Of the background.
    pub background: Vec<u32>,
    /// Of the peaks.
    pub peaks: Vec<u32>,
}

/// The values of one series at common bins that are its own background, or its own peaks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentValues {
    background: Vec<f64>,
    peaks: Vec<f64>,
}

impl ComponentValues {
    /// From the series' values at the common bins of the background and at those of the peaks. What is
    /// below 0 counts as 0.
    pub fn new(
        at_background: impl Iterator<Item = f32>,
        at_peaks: impl Iterator<Item = f32>,
        limits: ComponentLimits,
    ) -> Self {
        let size = |v: f32| f64::from(v.max(0.0));
        ComponentValues {
            background: (at_background.filter(|v| limits.is_background(*v)))
                .map(size)
                .collect(),
            peaks: at_peaks.filter(|v| limits.is_peak(*v)).map(size).collect(),
        }
    }

    /// Of a series of which all bins are at hand.
    pub fn of(values: &[f32], common: &CommonBins, limits: ComponentLimits) -> Self {
        let at = |bins: &'_ [u32]| -> Vec<f32> {
            let value = |i: &u32| values.get(*i as usize).copied().unwrap_or(f32::NAN);
            bins.iter().map(value).collect()
        };
        let (background, peaks) = (at(&common.background), at(&common.peaks));
        Self::new(background.into_iter(), peaks.into_iter(), limits)
    }

    /// The two means; `None` where fewer than 30 bins are of either kind.
    pub fn components(&self) -> Option<Components> {
        let enough = self.background.len().min(self.peaks.len()) >= LEAST_BINS;
        enough.then(|| Components {
            background: mean_power(&self.background, 1.0),
            peaks: mean_power(&self.peaks, 1.0),
        })
    }

    /// The power law after which the means are those of the reference. Where there is no background on either
    /// side (below a thousandth of the peaks) it is a factor, which matches the peaks.
    ///
    /// # Errors
    /// When the series has too few of the common bins, or its shape is too far from the reference's.
    pub fn law_to(&self, reference: Components) -> Result<PowerLaw, NoPowerLaw> {
        let own = self.components().ok_or(NoPowerLaw::FewBins {
            background: self.background.len(),
            peaks: self.peaks.len(),
        })?;
        if own.peaks <= own.background || reference.peaks <= reference.background {
            return Err(NoPowerLaw::NoPeaks);
        }
        if !own.has_background() || !reference.has_background() {
            return Ok(PowerLaw {
                factor: reference.peaks / own.peaks,
                exponent: 1.0,
            });
        }
        // How far the peaks' mean is above the background's grows with the exponent.
        let ratio = |b: f64| mean_power(&self.peaks, b) / mean_power(&self.background, b);
        let wanted = reference.peaks / reference.background;
        let (mut low, mut high) = EXPONENTS;
        if !(ratio(low) <= wanted && wanted <= ratio(high)) {
            return Err(NoPowerLaw::Shape {
                own: own.peaks / own.background,
                reference: wanted,
            });
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            match ratio(middle) < wanted {
                true => low = middle,
                false => high = middle,
            }
        }
        let exponent = 0.5 * (low + high);
        Ok(PowerLaw {
            factor: reference.peaks / mean_power(&self.peaks, exponent),
            exponent,
        })
    }
}

/// Why a series has no power law to a reference.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPowerLaw {
    /// It has too few of the common bins.
    #[error(
        "{background} bins of the common background and {peaks} of the common peaks, and 30 of each are needed"
    )]
    FewBins {
        /// Bins of the common background that are its own.
        background: usize,
        /// Bins of the common peaks that are its own.
        peaks: usize,
    },
    /// Its peaks, or the reference's, are not above the background.
    #[error("peaks that are not above the background")]
    NoPeaks,
    /// No exponent from 1/4 to 4 would bring it there.
    #[error(
        "peaks {own:.3} times the background, against {reference:.3} times: beyond any exponent from 1/4 to 4"
    )]
    Shape {
        /// The peaks' mean in units of the background's.
        own: f64,
        /// The same of the reference.
        reference: f64,
    },
}

/// The middle one of some numbers, or the mean of the middle two; `None` of none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let high = values.get(n / 2)?;
    Some(match n % 2 {
        1 => *high,
        _ => (values[n / 2 - 1] + high) / 2.0,
    })
}

fn mean_power(values: &[f64], exponent: f64) -> f64 {
    let sum: f64 = values.iter().map(|v| v.powf(exponent)).sum();
    sum / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of 5,000 bins with a background that varies and 100 peaks, in the places of all such series.
    fn series(seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).max(1);
        let mut unit = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32
        };
        (0..5_000)
            .map(|i| match i % 50 {
                7 => 2.0 + unit(),
                8 => f32::NAN,
                9 => 0.0,
                _ => 0.1 + 0.3 * unit(),
            })
            .collect()
    }

    fn common(of: &[Vec<f32>]) -> CommonBins {
        let mut tally = ComponentTally::new(of[0].len());
        for values in of {
            tally.add(values, ComponentLimits::of(values).unwrap());
        }
        tally.common(20_000)
    }

    fn values(of: &[f32], common: &CommonBins) -> ComponentValues {
        ComponentValues::of(of, common, ComponentLimits::of(of).unwrap())
    }

    #[test]
    fn limits_are_the_ninetieth_percentile_and_the_highest_two_in_a_hundred() {
        let mut values: Vec<f32> = (1..=100).map(|i| i as f32).collect();
        values.push(f32::NAN);
        let limits = ComponentLimits::of(&values).unwrap();
        let found = (limits.background, limits.peak);
        assert_eq!(found, (90.0, 99.0));
        assert!(limits.is_peak(99.0) && !limits.is_peak(98.0) && !limits.is_peak(f32::NAN));
        assert!(limits.is_background(90.0) && !limits.is_background(91.0));
        assert!(!limits.is_background(f32::NAN));
        assert_eq!(ComponentLimits::of(&[f32::NAN]), None);
        // One in a hundred is above 0: it is the only peak, whatever the highest 2 % are.
        let mut sparse = vec![0.0; 100];
        sparse[3] = 5.0;
        let limits = ComponentLimits::of(&sparse).unwrap();
        assert!(limits.is_peak(5.0) && !limits.is_peak(0.0) && limits.is_background(0.0));
    }

    #[test]
    fn a_planted_power_law_is_undone_and_zeros_and_missing_bins_stay() {
        let all: Vec<Vec<f32>> = (1..=3).map(series).collect();
        let common = common(&all);
        // The places of the peaks, which every series has; 98 of 4,900 values are 2 %.
        assert!((96..=100).contains(&common.peaks.len()), "{common:?}");
        assert!(common.peaks.iter().all(|i| i % 50 == 7));
        let reference = values(&all[0], &common).components().unwrap();
        for planted in [(0.6, 1.0), (1.4, 0.7), (0.8, 1.6)] {
            let planted = PowerLaw {
                factor: planted.0,
                exponent: planted.1,
            };
            let shifted: Vec<f32> = all[0].iter().map(|v| planted.apply(*v)).collect();
            let law = values(&shifted, &common).law_to(reference).unwrap();
            // y = a x^b is undone by (1 / a)^(1 / b) y^(1 / b).
            assert!(
                (law.exponent * planted.exponent - 1.0).abs() < 1e-5,
                "{law:?}"
            );
            for (i, (was, shifted)) in all[0].iter().zip(&shifted).enumerate() {
                let back = law.apply(*shifted);
                match was.is_nan() {
                    true => assert!(back.is_nan(), "bin {i}"),
                    false => assert!((back - was).abs() <= 1e-5 * was, "bin {i}: {was} {back}"),
                }
                if *was == 0.0 {
                    assert_eq!(back.to_bits(), 0, "bin {i}");
                }
            }
        }
    }

    #[test]
    fn the_means_are_the_references_after_the_law() {
        let all: Vec<Vec<f32>> = (1..=4).map(series).collect();
        let common = common(&all);
        let reference = Components {
            background: 0.4,
            peaks: 2.1,
        };
        let law = values(&all[2], &common).law_to(reference).unwrap();
        let there: Vec<f32> = all[2].iter().map(|v| law.apply(*v)).collect();
        let found = values(&there, &common).components().unwrap();
        assert!((found.background - 0.4).abs() < 1e-6, "{found:?}");
        assert!((found.peaks - 2.1).abs() < 1e-6, "{found:?}");
        let order = |v: &[f32]| {
            let mut places: Vec<usize> = (0..v.len()).filter(|i| !v[*i].is_nan()).collect();
            places.sort_by(|a, b| v[*a].total_cmp(&v[*b]));
            places
        };
        assert_eq!(order(&there), order(&all[2]));
    }

    #[test]
    fn a_law_is_inverted_to_the_rounding_of_f32() {
        for (factor, exponent) in [(0.3, 0.25), (1.7, 0.8), (1.0, 1.0), (2.5, 4.0)] {
            let law = PowerLaw { factor, exponent };
            for value in [-6.0f32, 1e-6, 1e-3, 0.1, 0.7, 1.0, 3.3, 11.0] {
                let back = law.invert(law.apply(value));
                // One rounding between: 2^-24, times 1 / exponent, and one at the end.
                let allowed = 6e-8 * (1.0 + 1.0 / exponent) * f64::from(value.abs());
                let error = f64::from(back) - f64::from(value);
                assert!(error.abs() <= allowed, "{law:?}: {value} {back}");
            }
            assert_eq!(law.invert(law.apply(0.0)).to_bits(), 0);
            assert!(law.apply(f32::NAN).is_nan() && law.invert(f32::NAN).is_nan());
        }
    }

    #[test]
    fn a_sparse_series_of_zeros_gets_a_factor() {
        let peaks = |height: f32| -> Vec<f32> {
            let value = |i: usize| {
                if i.is_multiple_of(100) {
                    height + (i % 7) as f32
                } else {
                    0.0
                }
            };
            (0..10_000).map(value).collect()
        };
        let all = [peaks(4.0), peaks(4.0), peaks(4.0)];
        let common = common(&all);
        assert_eq!(common.peaks.len(), 100);
        let reference = values(&all[0], &common).components().unwrap();
        assert_eq!(reference.background, 0.0);
        let doubled: Vec<f32> = all[0].iter().map(|v| 2.0 * v).collect();
        let law = values(&doubled, &common).law_to(reference).unwrap();
        let half = PowerLaw {
            factor: 0.5,
            exponent: 1.0,
        };
        assert_eq!(law, half);
    }

    #[test]
    fn what_is_of_another_kind_is_refused() {
        let all: Vec<Vec<f32>> = (1..=3).map(series).collect();
        let common = common(&all);
        let of = values(&all[0], &common);
        let flat = Components {
            background: 1.0,
            peaks: 1.0,
        };
        assert_eq!(of.law_to(flat), Err(NoPowerLaw::NoPeaks));
        // An exponent of 1/4 makes ten times the background 1.8 times, and this is less.
        let shallow = Components {
            background: 1.0,
            peaks: 1.05,
        };
        let refused = of.law_to(shallow).unwrap_err();
        assert!(matches!(refused, NoPowerLaw::Shape { .. }), "{refused}");
        let few = ComponentValues::default().law_to(flat).unwrap_err();
        assert!(matches!(few, NoPowerLaw::FewBins { peaks: 0, .. }), "{few}");
    }

    #[test]
    fn common_bins_are_thinned_evenly() {
        let all: Vec<Vec<f32>> = (1..=2).map(series).collect();
        let mut tally = ComponentTally::new(5_000);
        for values in &all {
            tally.add(values, ComponentLimits::of(values).unwrap());
        }
        let (all, some) = (tally.common(usize::MAX), tally.common(10));
        let n = all.peaks.len();
        assert!(n > 90, "{n}");
        let kept: Vec<u32> = (0..10).map(|i| all.peaks[i * n / 10]).collect();
        assert_eq!(some.peaks, kept);
    }
}
