//! What a departure from average activity is compared with: the same biosample's departures at
//! loci that are matched.
//!
//! For a biosample b and a locus l, A is the mean signal over the other biosamples and
//! d = signal − A. Candidates of the locus' width are sorted by A within classes of distance from a
//! transcription start.
//!
//! - **Matches.** The K candidates of the class whose A is nearest, and of those only the ones within a
//!   caliper of the locus' own A.
//! - **z.** d grows with A even among matches, above all where loci of such activity are rare. So d is
//!   regressed on A within the matches, and z is the distance of the locus from that line over the
//!   standard error of predicting one more locus.
//! - **p.** z's tail is not normal, and it is heavier at active loci. So p is the share of candidates in
//!   the locus' stratum of activity (those of the nearest ranks), each standardised by its own matches in
//!   the same way, whose z is as extreme on the same side, times two. It counts the locus among them, and
//!   equal values count as extreme.
//! - **Effective number.** Candidates near each other depend on each other. The stratum's z are summed
//!   by block of the genome; the variance of these sums says how many independent loci they are worth. p
//!   is never below twice one over one more than that.
//!
//! Where fewer than [`FEWEST_MATCHED`] candidates lie within the caliper nothing matches: z is by the
//! nearest ones, and p is undefined.

use std::collections::BTreeMap;

use rand_chacha::rand_core::RngCore;

use super::windows::TSS_CLASSES;
use crate::random::{Purpose, generator};

/// Fewer candidates than this in a class of distance, and the class is not distinguished.
const FEWEST: usize = 50;
/// Fewer matches than this within the caliper, and there is no p.
pub(super) const FEWEST_MATCHED: usize = 20;
/// Candidates of a stratum of activity.
pub(super) const STRATUM: usize = 400;

/// A locus' departure beside those of matched loci.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Departure {
    /// The biosample's mean signal, as stored (arcsinh).
    pub signal: f64,
    /// The mean over the other biosamples: average activity.
    pub average: f64,
    /// The departure (signal − average) that the line through the matched loci gives at this average.
    pub expected: f64,
    /// How far the departure lies from the expected one, in standard errors of one more locus; `None`
    /// where the matched loci do not vary about their line.
    pub z: Option<f64>,
    /// The probability of a departure so extreme at a candidate of this activity; `None` where too few
    /// match. See the module.
    pub p: Option<f64>,
    /// How many loci were matched.
    pub n_matched: usize,
    /// Their mean average activity, to be held beside `average`.
    pub matched_average: f64,
    /// The least and the greatest average activity among them.
    pub matched_range: [f64; 2],
    /// How many independent loci the stratum is worth that p is counted in.
    pub n_effective: f64,
    /// Whether fewer loci than p needs are of this activity, to within the caliper, or the locus is more,
    /// or less, active than every candidate of its class: then z extrapolates.
    pub beyond: bool,
}

impl Departure {
    /// Signal − average.
    pub fn departure(&self) -> f64 {
        self.signal - self.average
    }
}

/// A candidate of one biosample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Its class of distance from a transcription start.
    pub class: usize,
    /// The mean over the other biosamples.
    pub average: f64,
    /// Signal − average.
    pub departure: f64,
    /// Which block of the genome it lies in.
    pub block: u64,
    /// Its number among the candidates given.
    pub number: usize,
}

/// How far out a departure lies among candidates of its activity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extreme {
    /// How many candidates, itself included, lie as far out on the same side.
    pub count: usize,
    /// |z|, which orders equal counts.
    pub size: f64,
}

impl Extreme {
    /// Whether this one lies at least as far out.
    pub(super) fn is_beyond(&self, other: &Extreme) -> bool {
        self.count < other.count || (self.count == other.count && self.size >= other.size)
    }
}

/// Candidates of a class in the order of average activity.
#[derive(Debug, Clone, Default)]
struct Class {
    members: Vec<Candidate>,
    /// Running sums over departures, activity, their squares and their product.
    sums: Vec<[f64; 5]>,
}

fn terms(c: &Candidate) -> [f64; 5] {
    let (a, d) = (c.average, c.departure);
    [d, a, d * d, a * a, a * d]
}

impl Class {
    fn new(mut members: Vec<(Candidate, u64)>) -> Self {
        // Equal activities (zeros above all) in a random order, not in that of the genome.
        members.sort_by(|a, b| a.0.average.total_cmp(&b.0.average).then(a.1.cmp(&b.1)));
        let members: Vec<Candidate> = members.into_iter().map(|m| m.0).collect();
        let mut sums = vec![[0f64; 5]];
        let mut total = [0f64; 5];
        for candidate in &members {
            for (sum, term) in total.iter_mut().zip(terms(candidate)) {
                *sum += term;
            }
            sums.push(total);
        }
        Class { members, sums }
    }

    fn len(&self) -> usize {
        self.members.len()
    }

    /// The places of the `width` candidates nearest to an activity; around `place` where all of them
    /// equal it.
    fn nearest(&self, average: f64, place: usize, width: usize) -> std::ops::Range<usize> {
        let n = self.len();
        let width = width.min(n);
        let at = |i: usize| self.members[i].average;
        // The first place whose candidate is nearer than the one that would replace it.
        let (mut low, mut high) = (0, n - width);
        while low < high {
            let middle = (low + high) / 2;
            if average - at(middle) > at(middle + width) - average {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let first = low;
        if width > 0 && at(first) == average && at(first + width - 1) == average {
            let first = place.saturating_sub(width / 2).min(n - width);
            if at(first) == average && at(first + width - 1) == average {
                return first..first + width;
            }
        }
        first..first + width
    }

    /// The matches of an activity; `own` leaves out the candidate at the place.
    fn around(
        &self,
        average: f64,
        place: usize,
        (matched, caliper): (usize, f64),
        own: bool,
    ) -> Option<Matched> {
        let mut range = self.nearest(average, place, matched + usize::from(own));
        let within = |c: &Candidate| (c.average - average).abs() <= caliper;
        let (first, last) = (range.start, range.end);
        let inside = &self.members[first..last];
        let cut = inside.iter().position(within).unwrap_or(inside.len());
        let end = inside.iter().rposition(within).map_or(cut, |i| i + 1);
        let holds_own = |r: &std::ops::Range<usize>| own && r.contains(&place);
        let enough = FEWEST_MATCHED + usize::from(holds_own(&(first + cut..first + end)));
        let in_caliper = end - cut >= enough;
        range = match in_caliper {
            true => first + cut..first + end,
            // Nothing matches: the nearest there are, so that z can be given at all.
            false => self.nearest(average, place, FEWEST_MATCHED + usize::from(own)),
        };
        let (low, high) = (&self.sums[range.start], &self.sums[range.end]);
        let mut total: [f64; 5] = std::array::from_fn(|i| high[i] - low[i]);
        let mut n = range.len();
        if holds_own(&range) {
            for (sum, term) in total.iter_mut().zip(terms(&self.members[place])) {
                *sum -= term;
            }
            n -= 1;
        }
        if n < 3 {
            return None;
        }
        let count = n as f64;
        let (mean, middle) = (total[0] / count, total[1] / count);
        let spread_d = total[2] - total[0] * mean;
        let spread_a = total[3] - total[1] * middle;
        let product = total[4] - total[1] * mean;
        // What rounding leaves of equal numbers is not a spread.
        let varies = spread_a > 1e-10 * count * (1.0 + middle * middle);
        let slope = if varies { product / spread_a } else { 0.0 };
        let freedom = if varies { count - 2.0 } else { count - 1.0 };
        let away = average - middle;
        let variance = (spread_d - slope * product) / freedom;
        let is_noise = variance <= (1e-10 * (1.0 + middle.abs())).powi(2)
            || variance <= 1e-12 * total[2] / count;
        let leverage = 1.0 + 1.0 / count + if varies { away * away / spread_a } else { 0.0 };
        Some(Matched {
            n,
            expected: mean + slope * away,
            error: (!is_noise).then(|| (variance * leverage).sqrt()),
            average: middle,
            range: [
                self.members[range.start].average,
                self.members[range.end - 1].average,
            ],
            in_caliper,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Matched {
    n: usize,
    expected: f64,
    error: Option<f64>,
    average: f64,
    range: [f64; 2],
    in_caliper: bool,
}

/// One biosample's departures at candidates of one width.
#[derive(Debug, Clone)]
pub(super) struct Background {
    /// By class of distance; the last holds all candidates, for classes of too few.
    classes: Vec<Class>,
    /// Every candidate's average activity and z, ascending in activity.
    pooled: Vec<(f64, f64)>,
    /// Of each its number, and whether enough loci match it.
    numbers: Vec<(usize, bool)>,
    /// How many candidates one independent one stands for, by stretch of half a stratum.
    design_effects: Vec<f64>,
    matching: (usize, f64),
}

impl Background {
    /// From candidates. `matched` are K and the caliper.
    pub(super) fn new(
        candidates: impl Iterator<Item = Candidate>,
        matching: (usize, f64),
        seed: u64,
    ) -> Self {
        let mut random = generator(seed, Purpose::MatchedLoci, 0);
        let n_classes = TSS_CLASSES.len() + 1;
        let mut members: Vec<Vec<(Candidate, u64)>> = vec![Vec::new(); n_classes + 1];
        for candidate in candidates {
            if candidate.average.is_finite() && candidate.departure.is_finite() {
                let member = (candidate, random.next_u64());
                members[candidate.class.min(n_classes - 1)].push(member);
                members[n_classes].push(member);
            }
        }
        let classes: Vec<Class> = members.into_iter().map(Class::new).collect();
        let all = &classes[n_classes];
        type Pooled = ((f64, f64, u64), (usize, bool));
        let mut pooled: Vec<Pooled> = Vec::with_capacity(all.len());
        let own_class = classes[..n_classes].iter().filter(|c| c.len() >= FEWEST);
        let is_large_enough: Vec<&Class> = own_class.collect();
        let in_all = |c: &Candidate| classes[c.class.min(n_classes - 1)].len() < FEWEST;
        for (class, only_small) in is_large_enough
            .into_iter()
            .map(|c| (c, false))
            .chain([(all, true)])
        {
            for (place, candidate) in class.members.iter().enumerate() {
                if only_small && !in_all(candidate) {
                    continue;
                }
                let around = class.around(candidate.average, place, matching, true);
                let z = around.and_then(|m| {
                    Some(((candidate.departure - m.expected) / m.error?, m.in_caliper))
                });
                pooled.extend(z.map(|(z, matches)| {
                    let of = (candidate.average, z, candidate.block);
                    (of, (candidate.number, matches))
                }));
            }
        }
        pooled.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (pooled, numbers): (Vec<_>, Vec<_>) = pooled.into_iter().unzip();
        let starts = (0..pooled.len()).step_by(STRATUM / 2);
        let design_effects = starts
            .map(|start| {
                let end = pooled.len().min(start + STRATUM);
                design_effect(&pooled[end.saturating_sub(STRATUM)..end])
            })
            .collect();
        Background {
            classes,
            pooled: pooled.into_iter().map(|(a, z, _)| (a, z)).collect(),
            numbers,
            design_effects,
            matching,
        }
    }

    /// A locus of a class, with the biosample's signal and the average over the others.
    pub(super) fn departure(&self, class: usize, signal: f64, average: f64) -> Option<Departure> {
        let all = self.classes.len() - 1;
        let is_large_enough = self.classes.get(class).is_some_and(|c| c.len() >= FEWEST);
        let class = &self.classes[if is_large_enough { class.min(all) } else { all }];
        if !signal.is_finite() || !average.is_finite() || class.len() < 3 {
            return None;
        }
        let below = class.members.partition_point(|c| c.average < average);
        let up_to = class.members.partition_point(|c| c.average <= average);
        let matched = class.around(average, (below + up_to) / 2, self.matching, false)?;
        let departure = signal - average;
        let z = matched.error.map(|e| (departure - matched.expected) / e);
        let (n_effective, probability) = self.probability(average, z.unwrap_or(0.0));
        let p = match z {
            Some(_) => probability.filter(|_| matched.in_caliper),
            // Nothing varies: what is the same as all is as usual as can be.
            None if (departure - matched.expected).abs() <= 1e-9 => Some(1.0),
            None => None,
        };
        Some(Departure {
            signal,
            average,
            expected: matched.expected,
            z,
            p,
            n_matched: matched.n,
            matched_average: matched.average,
            matched_range: matched.range,
            n_effective,
            beyond: up_to == 0 || below == class.len() || !matched.in_caliper,
        })
    }

    /// The places of the stratum about a place.
    fn stratum(&self, middle: usize) -> std::ops::Range<usize> {
        let n = self.pooled.len().min(STRATUM);
        let first = middle.saturating_sub(n / 2).min(self.pooled.len() - n);
        first..first + n
    }

    /// How many candidates of a stratum have a z as far out, on the side where there are fewer.
    fn as_far_out(&self, stratum: std::ops::Range<usize>, z: f64) -> usize {
        let stratum = &self.pooled[stratum];
        let low = stratum.iter().filter(|p| p.1 <= z).count();
        let high = stratum.iter().filter(|p| p.1 >= z).count();
        low.min(high)
    }

    /// The place of an activity among the candidates.
    fn place(&self, average: f64) -> usize {
        let below = self.pooled.partition_point(|p| p.0 < average);
        let up_to = self.pooled.partition_point(|p| p.0 <= average);
        (below + up_to) / 2
    }

    /// How far out the z of a locus lies.
    pub(super) fn extreme(&self, average: f64, z: f64) -> Extreme {
        Extreme {
            count: 1 + self.as_far_out(self.stratum(self.place(average)), z),
            size: z.abs(),
        }
    }

    /// How far out each candidate's own z lies, with the candidate's number; of those that enough loci match.
    pub(super) fn extremes(&self) -> impl Iterator<Item = (usize, Extreme)> + '_ {
        let each = self.numbers.iter().enumerate().filter(|(_, n)| n.1);
        each.map(|(place, (number, _))| {
            let z = self.pooled[place].1;
            let extreme = Extreme {
                count: self.as_far_out(self.stratum(place), z),
                size: z.abs(),
            };
            (*number, extreme)
        })
    }

    /// How many independent candidates a locus' stratum is worth, and the two-sided p of a z there.
    fn probability(&self, average: f64, z: f64) -> (f64, Option<f64>) {
        let stratum = self.stratum(self.place(average));
        let (first, n) = (stratum.start, stratum.len());
        if n == 0 {
            return (0.0, None);
        }
        let place = (first / (STRATUM / 2)).min(self.design_effects.len() - 1);
        let n_effective = n as f64 / self.design_effects[place];
        let counted = 2.0 * (1 + self.as_far_out(stratum, z)) as f64 / (1 + n) as f64;
        (
            n_effective,
            Some(counted.max(2.0 / (1.0 + n_effective)).min(1.0)),
        )
    }
}

/// The variance of sums over blocks of the genome, over what it would be were candidates independent:
/// not below 1, and not above the number of candidates.
pub(super) fn design_effect(stratum: &[(f64, f64, u64)]) -> f64 {
    let n = stratum.len() as f64;
    let mean = stratum.iter().map(|s| s.1).sum::<f64>() / n;
    let mut blocks: BTreeMap<u64, f64> = BTreeMap::new();
    let mut squares = 0.0;
    for (_, z, block) in stratum {
        *blocks.entry(*block).or_default() += z - mean;
        squares += (z - mean).powi(2);
    }
    let of_blocks: f64 = blocks.values().map(|sum| sum * sum).sum();
    match squares > 0.0 {
        true => (of_blocks / squares).clamp(1.0, n),
        false => 1.0,
    }
}

/// For each of some values the mean of the other values that count and are known: NaN where none is.
pub(super) fn average_of_counted<'v>(
    values: &'v [f64],
    counts: &'v [bool],
) -> impl Iterator<Item = f64> + 'v {
    let counted = || {
        values
            .iter()
            .zip(counts)
            .filter(|(v, counts)| **counts && !v.is_nan())
    };
    let (sum, n) = counted().fold((0.0, 0.0), |(sum, n), (v, _)| (sum + v, n + 1.0));
    values.iter().zip(counts).map(move |(value, counts)| {
        let (sum, n) = if *counts && !value.is_nan() {
            (sum - value, n - 1.0)
        } else {
            (sum, n)
        };
        if n >= 1.0 { sum / n } else { f64::NAN }
    })
}

/// For each of some values the mean of the others that are known: of one value alone, NaN.
pub(super) fn average_of_others(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let known = || values.iter().filter(|v| !v.is_nan());
    let (sum, n) = (known().sum::<f64>(), known().count() as f64);
    values.iter().map(move |v| {
        let (sum, n) = match v.is_nan() {
            true => (sum, n),
            false => (sum - v, n - 1.0),
        };
        if n >= 1.0 { sum / n } else { f64::NAN }
    })
}

#[cfg(test)]
mod tests;
