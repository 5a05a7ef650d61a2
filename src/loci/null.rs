//! What a departure from average activity is compared with: the same biosample's departures at
//! loci that are matched.
//!
//! For a biosample b and a locus l, A is the mean signal over the other biosamples and
//! d = signal − A. Candidates of the locus' width are sorted by A within classes of distance from a
//! transcription start. The matched loci are the K candidates of the class nearest to the locus in
//! rank of A, half on either side. z is d less their mean departure, over its standard deviation: what
//! is usual for this biosample at loci of this activity (its scale included) does not count.
//! z's tail is not normal. p is the share of all candidates, each standardised by its own matched loci
//! in the same way, whose z is as extreme on the same side, times two. It counts the locus among them,
//! so that it is never 0, and equal values count as extreme.

use rand_chacha::rand_core::RngCore;

use super::windows::TSS_CLASSES;
use crate::random::{Purpose, generator};

/// Fewer candidates than this in a class of distance, and the class is not told apart.
const FEWEST: usize = 50;

/// A locus' departure beside those of matched loci.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Departure {
    /// The biosample's mean signal, as stored (arcsinh).
    pub signal: f64,
    /// The mean over the other biosamples: average activity.
    pub average: f64,
    /// The mean departure (signal − average) of this biosample at matched loci.
    pub expected: f64,
    /// How far the departure lies from the expected one, in standard deviations over the matched
    /// loci; `None` where those do not vary.
    pub z: Option<f64>,
    /// The probability of a departure so extreme at a candidate; see the module.
    pub p: Option<f64>,
    /// How many loci were matched.
    pub n_matched: usize,
    /// Their mean average activity, to be held beside `average`.
    pub matched_average: f64,
    /// Whether the locus is more, or less, active than every candidate of its class: then nothing
    /// matches, and z extrapolates.
    pub beyond: bool,
}

impl Departure {
    /// Signal − average.
    pub fn departure(&self) -> f64 {
        self.signal - self.average
    }
}

/// Candidates of a class in the order of average activity.
#[derive(Debug, Clone, Default)]
struct Class {
    average: Vec<f64>,
    /// Running sums over departures, their squares, and average activity.
    sums: Vec<[f64; 3]>,
}

impl Class {
    fn new(mut members: Vec<(f64, f64, u64)>) -> (Self, Vec<f64>) {
        // Equal activities (zeros above all) in a random order, not in that of the genome.
        members.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        let mut sums = vec![[0f64; 3]];
        let mut total = [0f64; 3];
        for (average, departure, _) in &members {
            total[0] += departure;
            total[1] += departure * departure;
            total[2] += average;
            sums.push(total);
        }
        let class = Class {
            average: members.iter().map(|m| m.0).collect(),
            sums,
        };
        (class, members.into_iter().map(|m| m.1).collect())
    }

    fn len(&self) -> usize {
        self.average.len()
    }

    /// Around a place in the order: number, mean and standard deviation of departures, mean
    /// activity; `own` leaves out the departure that stands at the place.
    fn around(&self, place: usize, matched: usize, own: Option<f64>) -> Option<Matched> {
        let width = (matched + usize::from(own.is_some())).min(self.len());
        let first = place.saturating_sub(width / 2).min(self.len() - width);
        let (low, high) = (&self.sums[first], &self.sums[first + width]);
        let mut total: [f64; 3] = std::array::from_fn(|i| high[i] - low[i]);
        let mut n = width;
        if let Some(departure) = own {
            total[0] -= departure;
            total[1] -= departure * departure;
            total[2] -= self.average[place];
            n -= 1;
        }
        if n < 2 {
            return None;
        }
        let mean = total[0] / n as f64;
        let variance = (total[1] - total[0] * mean) / (n - 1) as f64;
        // What rounding leaves of equal numbers is no variance.
        let average = total[2] / n as f64;
        let is_noise = variance <= (1e-10 * (1.0 + average.abs())).powi(2)
            || variance <= 1e-12 * total[1] / n as f64;
        Some(Matched {
            n,
            mean,
            deviation: (!is_noise).then(|| variance.sqrt()),
            average,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Matched {
    n: usize,
    mean: f64,
    deviation: Option<f64>,
    average: f64,
}

/// One biosample's departures at candidates of one width.
#[derive(Debug, Clone)]
pub(super) struct Background {
    /// By class of distance; the last holds all candidates, for classes of too few.
    classes: Vec<Class>,
    /// Every candidate's z, ascending.
    pooled: Vec<f64>,
    matched: usize,
}

impl Background {
    /// From candidates (class of distance, average activity, departure).
    pub(super) fn new(
        candidates: impl Iterator<Item = (usize, f64, f64)>,
        matched: usize,
        seed: u64,
    ) -> Self {
        let mut random = generator(seed, Purpose::MatchedLoci, 0);
        let n_classes = TSS_CLASSES.len() + 1;
        let mut members: Vec<Vec<(f64, f64, u64)>> = vec![Vec::new(); n_classes + 1];
        for (class, average, departure) in candidates {
            if average.is_finite() && departure.is_finite() {
                let member = (average, departure, random.next_u64());
                members[class.min(n_classes - 1)].push(member);
                members[n_classes].push(member);
            }
        }
        let small: Vec<bool> = members.iter().map(|m| m.len() < FEWEST).collect();
        let mut classes = Vec::with_capacity(n_classes + 1);
        let mut pooled = Vec::new();
        let n_all = members[n_classes].len();
        for (i, members) in members.into_iter().enumerate() {
            let (class, departures) = Class::new(members);
            let counts = match i == n_classes {
                // Candidates of classes that are told apart have been pooled by then.
                true => pooled.is_empty() && n_all > 0,
                false => !small[i],
            };
            if counts {
                for (place, departure) in departures.iter().enumerate() {
                    let around = class.around(place, matched, Some(*departure));
                    pooled.extend(around.and_then(|m| Some((departure - m.mean) / m.deviation?)));
                }
            }
            classes.push(class);
        }
        pooled.sort_by(f64::total_cmp);
        Background {
            classes,
            pooled,
            matched,
        }
    }

    /// A locus of a class, with the biosample's signal and the average over the others.
    pub(super) fn departure(&self, class: usize, signal: f64, average: f64) -> Option<Departure> {
        let all = self.classes.len() - 1;
        let told = self.classes.get(class).is_some_and(|c| c.len() >= FEWEST);
        let class = &self.classes[if told { class.min(all) } else { all }];
        if !signal.is_finite() || !average.is_finite() || class.len() < 2 {
            return None;
        }
        let below = class.average.partition_point(|a| *a < average);
        let up_to = class.average.partition_point(|a| *a <= average);
        let place = (below + up_to) / 2;
        let matched = class.around(place, self.matched, None)?;
        let departure = signal - average;
        let z = matched.deviation.map(|d| (departure - matched.mean) / d);
        let p = match z {
            Some(z) => self.probability(z),
            // Nothing varies: what is the same as all is as usual as can be.
            None if (departure - matched.mean).abs() <= 1e-9 => Some(1.0),
            None => None,
        };
        Some(Departure {
            signal,
            average,
            expected: matched.mean,
            z,
            p,
            n_matched: matched.n,
            matched_average: matched.average,
            beyond: up_to == 0 || below == class.len(),
        })
    }

    /// Two-sided, from the candidates' own z.
    fn probability(&self, z: f64) -> Option<f64> {
        let n = self.pooled.len();
        let low = self.pooled.partition_point(|other| *other <= z);
        let high = n - self.pooled.partition_point(|other| *other < z);
        (n > 0).then(|| (2.0 * (1 + low.min(high)) as f64 / (1 + n) as f64).min(1.0))
    }
}

/// For each of some values the mean of the others: of one value alone, NaN.
pub(super) fn average_of_others(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let sum: f64 = values.iter().sum();
    let n = values.len() as f64;
    values.iter().map(move |v| match n > 1.0 {
        true => (sum - v) / (n - 1.0),
        false => f64::NAN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(n: usize) -> Background {
        // Departures −1, 1, −1, 1 … about twice the activity.
        let candidates = (0..n).map(|i| {
            let average = i as f64 / n as f64;
            let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
            (3, average, 2.0 * average + sign)
        });
        Background::new(candidates, 100, 0)
    }

    #[test]
    fn what_is_usual_at_loci_of_that_activity_is_no_surprise() {
        let background = ramp(1_000);
        let d = background.departure(3, 1.5, 0.5).unwrap();
        assert_eq!(d.n_matched, 100);
        assert!((d.matched_average - 0.5).abs() < 0.01 && !d.beyond);
        // Expected 2 × 0.5; the locus departs by just that.
        assert!((d.expected - 1.0).abs() < 0.02 && d.z.unwrap().abs() < 0.05);
        assert!(d.p.unwrap() > 0.9);
        let far = background.departure(3, 6.5, 0.5).unwrap();
        assert!((far.z.unwrap() - 5.0).abs() < 0.1);
        assert_eq!(far.p, Some(2.0 / 1_001.0));
        assert!(background.departure(3, 6.0, 7.0).unwrap().beyond);
    }

    #[test]
    fn candidates_themselves_have_uniform_probabilities() {
        let mut random = generator(3, Purpose::Bins, 0);
        let mut unit = || f64::from(random.next_u32()) / 4_294_967_296.0;
        // A skewed departure whose scale grows with activity.
        let mut draw = || {
            let average = unit();
            (0, average, (1.0 + 3.0 * average) * -unit().max(1e-9).ln())
        };
        let candidates: Vec<(usize, f64, f64)> = (0..4_000).map(|_| draw()).collect();
        let background = Background::new(candidates.into_iter(), 200, 0);
        let p: Vec<f64> = (0..4_000)
            .map(|_| {
                let (class, average, departure) = draw();
                let d = background.departure(class, average + departure, average);
                d.unwrap().p.unwrap()
            })
            .collect();
        for limit in [0.01, 0.05, 0.2, 0.5] {
            let share = p.iter().filter(|p| **p <= limit).count() as f64 / p.len() as f64;
            let error = (limit * (1.0 - limit) / p.len() as f64).sqrt();
            assert!(
                (share - limit).abs() < 4.0 * error + 0.003,
                "{limit}: {share}"
            );
        }
    }

    #[test]
    fn identical_biosamples_surprise_nobody() {
        let same = (0..200).map(|i| (0, f64::from(i), 0.0));
        let background = Background::new(same, 50, 0);
        let d = background.departure(0, 7.0, 7.0).unwrap();
        assert_eq!((d.z, d.p), (None, Some(1.0)));
        // One that does differ where nothing ever did has no scale to be measured by.
        let d = background.departure(0, 8.0, 7.0).unwrap();
        assert_eq!((d.z, d.p), (None, None));
    }

    #[test]
    fn a_class_of_few_candidates_is_not_told_apart() {
        let candidates = (0..300).map(|i| (usize::from(i < 10), f64::from(i), f64::from(i % 7)));
        let background = Background::new(candidates, 400, 0);
        assert_eq!(background.departure(1, 5.0, 5.0).unwrap().n_matched, 300);
        assert_eq!(background.departure(0, 5.0, 5.0).unwrap().n_matched, 290);
    }

    #[test]
    fn averages_leave_out_their_own() {
        let of: Vec<f64> = average_of_others(&[1.0, 2.0, 6.0]).collect();
        assert_eq!(of, [4.0, 3.5, 1.5]);
        assert!(average_of_others(&[1.0]).all(f64::is_nan));
    }
}
