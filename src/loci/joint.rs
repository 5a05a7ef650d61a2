//! All biosamples at a locus together.
//!
//! Each departure is taken from an average of the other biosamples, so that departures depend on each
//! other: were the signals independent and alike, the correlation of two would be −1 / (n − 1), and one
//! biosample that stands out moves all others. With few biosamples that is no small matter. So what a
//! locus shows is compared with what candidates show in all biosamples at once, whose departures depend on
//! each other in the same way (Westfall and Young 1993):
//!
//! - **Extremes.** A candidate's *extreme* in a biosample is the number of candidates of that activity whose
//!   z is at least as far out on the same side, itself included; of equal ones the larger |z| is more
//!   extreme. Its joint extreme is the most extreme over the biosamples.
//! - **Adjusted p of the most extreme biosample.** The share of candidates of the nearest mean activity whose
//!   joint extreme is at least as extreme, the locus counted among them.
//! - **The others.** That biosample is left out, here and at all candidates: out of every average, and out of
//!   the joint extremes. What is then the most extreme is compared in the same way, and so on. No adjusted p
//!   is below one that came before. After [`STEPS`] steps, or where fewer than three biosamples would be
//!   left, the rest are compared without another being left out.
//!
//! The chance that any biosample that does not depart has an adjusted p up to α is at most α, whichever
//! others do. A p is never below one over one more than the effective number of loci in the comparison, and
//! undefined where fewer than [`FEWEST_MATCHED`] candidates lie within the caliper of the locus' mean activity.

use std::rc::Rc;

use rayon::prelude::*;

use super::null::{
    Background, Candidate, Departure, Extreme, FEWEST_MATCHED, STRATUM, average_of_counted,
    design_effect,
};

/// Biosamples that are left out one after another, at most.
const STEPS: usize = 4;

/// What candidates show, in all biosamples.
pub(super) struct Candidates<'a> {
    /// Of each the signal of every biosample.
    pub values: Vec<&'a [f64]>,
    /// Of each the class of distance from a transcription start.
    pub classes: Vec<usize>,
    /// Of each the block of the genome.
    pub blocks: Vec<u64>,
    /// How many are matched, and the caliper.
    pub matching: (usize, f64),
    /// Orders equally active ones.
    pub seed: u64,
}

/// Which biosamples take part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Part {
    /// Those that averages are made of.
    pub counts: Vec<bool>,
    /// Those that are compared.
    pub compared: Vec<bool>,
}

impl Part {
    fn without(&self, biosample: usize) -> Self {
        let mut part = self.clone();
        part.counts[biosample] = false;
        part.compared[biosample] = false;
        part
    }

    fn n_counted(&self) -> usize {
        self.counts.iter().filter(|c| **c).count()
    }

    /// The mean over those that count.
    fn mean(&self, values: &[f64]) -> f64 {
        let counted = values.iter().zip(&self.counts).filter(|(_, c)| **c);
        let (sum, n) = counted.fold((0.0, 0), |(sum, n), (v, _)| (sum + v, n + 1));
        sum / f64::from(n)
    }
}

/// How the loci that a locus is compared with in all biosamples match it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointMatch {
    /// The mean signal over the biosamples (arcsinh).
    pub activity: f64,
    /// Candidates of the nearest mean activity that are compared.
    pub n_compared: usize,
    /// Those of them within the caliper.
    pub n_matched: usize,
    /// The mean activity of those that are compared.
    pub matched_activity: f64,
    /// The least and the greatest.
    pub matched_range: [f64; 2],
    /// How many independent loci they are worth.
    pub n_effective: f64,
}

/// What candidates show in some biosamples: each one's departures, and the most extreme of each candidate.
pub(super) struct JointBackground {
    part: Part,
    backgrounds: Vec<Option<Background>>,
    /// Mean activity, joint extreme and block of each candidate, ascending in activity.
    pooled: Vec<(f64, Option<Extreme>, u64)>,
    caliper: f64,
}

/// A locus beside them.
#[derive(Clone)]
pub(super) struct AtLocus {
    pub departures: Vec<Option<Departure>>,
    pub extremes: Vec<Option<Extreme>>,
    activity: f64,
}

impl JointBackground {
    pub(super) fn new(candidates: &Candidates<'_>, part: Part) -> Self {
        let n = candidates.values.len();
        let background = |b: usize| {
            let each = candidates
                .values
                .iter()
                .enumerate()
                .map(|(number, values)| {
                    let average = average_of_counted(values, &part.counts).nth(b);
                    let average = average.unwrap_or(f64::NAN);
                    Candidate {
                        class: candidates.classes[number],
                        average,
                        departure: values[b] - average,
                        block: candidates.blocks[number],
                        number,
                    }
                });
            Background::new(each, candidates.matching, candidates.seed)
        };
        let backgrounds: Vec<Option<Background>> = (0..part.compared.len())
            .into_par_iter()
            .map(|b| part.compared[b].then(|| background(b)))
            .collect();
        let mut joint: Vec<Option<Extreme>> = vec![None; n];
        for background in backgrounds.iter().flatten() {
            for (number, extreme) in background.extremes() {
                let most = &mut joint[number];
                if most.is_none_or(|m| extreme.is_beyond(&m)) {
                    *most = Some(extreme);
                }
            }
        }
        let mut pooled: Vec<(f64, Option<Extreme>, u64)> = (candidates.values.iter())
            .zip(joint.into_iter().zip(&candidates.blocks))
            .map(|(values, (extreme, block))| (part.mean(values), extreme, *block))
            .filter(|p| p.0.is_finite())
            .collect();
        pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
        JointBackground {
            part,
            backgrounds,
            pooled,
            caliper: candidates.matching.1,
        }
    }

    /// A locus of a class, with the signal of every biosample.
    pub(super) fn at(&self, class: usize, values: &[f64]) -> AtLocus {
        let averages: Vec<f64> = average_of_counted(values, &self.part.counts).collect();
        let departures: Vec<Option<Departure>> = (self.backgrounds.iter().enumerate())
            .map(|(b, background)| {
                background
                    .as_ref()?
                    .departure(class, values[b], averages[b])
            })
            .collect();
        let extreme = |(background, departure): (&Option<Background>, &Option<Departure>)| {
            let departure = departure.as_ref().filter(|d| d.p.is_some())?;
            Some((background.as_ref()?).extreme(departure.average, departure.z?))
        };
        AtLocus {
            extremes: (self.backgrounds.iter().zip(&departures))
                .map(extreme)
                .collect(),
            departures,
            activity: self.part.mean(values),
        }
    }

    fn stratum(&self, activity: f64) -> &[(f64, Option<Extreme>, u64)] {
        let n = self.pooled.len().min(STRATUM);
        let below = self.pooled.partition_point(|p| p.0 < activity);
        let up_to = self.pooled.partition_point(|p| p.0 <= activity);
        let first = ((below + up_to) / 2).saturating_sub(n / 2);
        let first = first.min(self.pooled.len() - n);
        &self.pooled[first..first + n]
    }

    /// How the candidates match that a locus is compared with; `None` of none.
    pub(super) fn matched(&self, at: &AtLocus) -> Option<JointMatch> {
        let stratum = self.stratum(at.activity);
        let (first, last) = (stratum.first()?, stratum.last()?);
        let n = stratum.len();
        let sum: f64 = stratum.iter().map(|s| s.0).sum();
        let within = |s: &&(f64, _, _)| (s.0 - at.activity).abs() <= self.caliper;
        // Extremes are counts: their logarithm is what varies.
        let size = |s: &(f64, Option<Extreme>, u64)| {
            let count = s.1.map_or(n, |e| e.count);
            (s.0, (count as f64).ln(), s.2)
        };
        let sizes: Vec<(f64, f64, u64)> = stratum.iter().map(size).collect();
        Some(JointMatch {
            activity: at.activity,
            n_compared: n,
            n_matched: stratum.iter().filter(within).count(),
            matched_activity: sum / n as f64,
            matched_range: [first.0, last.0],
            n_effective: n as f64 / design_effect(&sizes),
        })
    }

    /// The chance that a candidate of a locus' activity has an extreme such as this in any biosample;
    /// `None` where too few match.
    fn p(&self, at: &AtLocus, extreme: &Extreme) -> Option<f64> {
        let matched = self.matched(at)?;
        if matched.n_matched < FEWEST_MATCHED {
            return None;
        }
        let stratum = self.stratum(at.activity);
        let beyond = |s: &&(f64, Option<Extreme>, u64)| s.1.is_some_and(|e| e.is_beyond(extreme));
        let counted = stratum.iter().filter(beyond).count();
        let share = (1 + counted) as f64 / (1 + stratum.len()) as f64;
        Some(share.max(1.0 / (1.0 + matched.n_effective)))
    }
}

/// A locus, step by step.
pub(super) struct StepDown {
    /// With all biosamples.
    pub first: AtLocus,
    /// How the loci match that all of them are compared with.
    pub matched: Option<JointMatch>,
    /// The most extreme biosample.
    pub strongest: Option<usize>,
    /// The departures where that one is left out.
    pub without: Vec<Option<Departure>>,
    /// The adjusted p of each biosample.
    pub adjusted: Vec<Option<f64>>,
}

/// Compares a locus with candidates in all biosamples. `build` makes the background of those that take part.
pub(super) fn step_down(
    all: &Part,
    class: usize,
    values: &[f64],
    build: &mut dyn FnMut(&Part) -> Rc<JointBackground>,
) -> StepDown {
    let n = values.len();
    let mut part = all.clone();
    let mut background = build(&part);
    let first = background.at(class, values);
    let mut found = StepDown {
        matched: background.matched(&first),
        strongest: None,
        without: vec![None; n],
        adjusted: vec![None; n],
        first: first.clone(),
    };
    let mut at = first;
    let mut least = 0f64;
    for step in 0..STEPS {
        let most = (0..n).filter_map(|b| Some((b, at.extremes[b]?)));
        let most = most.reduce(|a, b| if b.1.is_beyond(&a.1) { b } else { a });
        let Some((strongest, extreme)) = most else {
            break;
        };
        if step == 0 {
            found.strongest = Some(strongest);
        }
        let rest = part.without(strongest);
        if step + 1 == STEPS || rest.n_counted() < 3 {
            for b in 0..n {
                let p = at.extremes[b].and_then(|e| background.p(&at, &e));
                found.adjusted[b] = found.adjusted[b].or(p.map(|p| p.max(least)));
            }
            break;
        }
        let Some(p) = background.p(&at, &extreme) else {
            break;
        };
        least = least.max(p);
        found.adjusted[strongest] = Some(least);
        part = rest;
        background = build(&part);
        at = background.at(class, values);
        if step == 0 {
            found.without.clone_from(&at.departures);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

    const MATCHING: (usize, f64) = (200, 0.25);

    fn everybody(n: usize) -> Part {
        Part {
            counts: vec![true; n],
            compared: vec![true; n],
        }
    }

    /// Loci where no biosample does anything but what all do: the signals of n biosamples about an activity
    /// that is seldom high, with so much noise, which grows with it, is skewed and has heavy tails.
    fn null(n: usize, noise: f64, seed: u64) -> impl FnMut() -> Vec<f64> {
        let mut random = generator(seed, Purpose::Bins, 21);
        move || {
            let mut unit = || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
            let activity = -0.8 * unit().ln();
            (0..n)
                .map(|_| {
                    let (u, v) = (unit(), unit());
                    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                    let skewed = -unit().ln() - 1.0;
                    let heavy = (normal + skewed) * (1.0 + unit().powi(4));
                    activity + noise * (0.1 + 0.3 * activity) * heavy
                })
                .collect()
        }
    }

    fn candidates(values: &[Vec<f64>]) -> Candidates<'_> {
        Candidates {
            values: values.iter().map(Vec::as_slice).collect(),
            classes: vec![0; values.len()],
            blocks: (0..values.len() as u64).collect(),
            matching: MATCHING,
            seed: 0,
        }
    }

    /// `step_down` with backgrounds kept from one locus to the next.
    fn stepper(values: &[Vec<f64>]) -> impl FnMut(&[f64]) -> StepDown + '_ {
        let mut known: HashMap<Part, Rc<JointBackground>> = HashMap::new();
        let candidates = candidates(values);
        move |values| {
            step_down(&everybody(values.len()), 0, values, &mut |part| {
                let entry = known.entry(part.clone());
                Rc::clone(
                    entry.or_insert_with(|| {
                        Rc::new(JointBackground::new(&candidates, part.clone()))
                    }),
                )
            })
        }
    }

    fn share(p: &[f64], limit: f64) -> f64 {
        p.iter().filter(|p| **p <= limit).count() as f64 / p.len() as f64
    }

    #[test]
    fn of_a_planted_null_the_joint_p_is_uniform_for_four_to_six_biosamples_at_active_loci_too() {
        for n in 4..=6 {
            let mut draw = null(n, 1.0, n as u64);
            let values: Vec<Vec<f64>> = (0..8_000).map(|_| draw()).collect();
            let background = JointBackground::new(&candidates(&values), everybody(n));
            let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
            let mut activities: Vec<f64> = values.iter().map(|v| mean(v)).collect();
            activities.sort_by(f64::total_cmp);
            let active = activities[8_000 - 160];
            let (mut everywhere, mut at_active, mut any) = (Vec::new(), Vec::new(), 0);
            for _ in 0..12_000 {
                let values = draw();
                let at = background.at(0, &values);
                let most = at.extremes.iter().flatten();
                let Some(most) = most.reduce(|a, b| if b.is_beyond(a) { b } else { a }) else {
                    continue;
                };
                any += usize::from(
                    at.departures
                        .iter()
                        .flatten()
                        .any(|d| d.p.is_some_and(|p| p <= 0.05)),
                );
                if let Some(p) = background.p(&at, most) {
                    everywhere.push(p);
                    if mean(&values) >= active {
                        at_active.push(p);
                    }
                }
            }
            // Uncorrected, one locus in five to four has a biosample with p up to 0.05.
            let any = any as f64 / everywhere.len() as f64;
            assert!(any > 0.15, "{n}: {any}");
            assert!(everywhere.len() > 11_000 && at_active.len() > 100);
            // One stratum of 400 candidates has an error of its own.
            for (p, slack) in [(everywhere, 0.01), (at_active, 0.03)] {
                for limit in [0.02, 0.05, 0.2, 0.5] {
                    let found = share(&p, limit);
                    println!("{n} biosamples, {} loci: {found:.3} at {limit}", p.len());
                    let error = (limit * (1.0 - limit) / p.len() as f64).sqrt();
                    assert!(
                        (found - limit).abs() < 3.0 * error + slack,
                        "{n}, {limit}: {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_planted_departure_is_found_and_accuses_no_other_biosample() {
        for n in 4..=6 {
            let mut draw = null(n, 0.3, 50 + n as u64);
            let values: Vec<Vec<f64>> = (0..6_000).map(|_| draw()).collect();
            let mut at = stepper(&values);
            let (mut planted, mut others, mut uncorrected) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..2_000 {
                let mut values = draw();
                values[0] += 2.0;
                let found = at(&values);
                planted.extend(found.adjusted[0]);
                let least =
                    |p: &dyn Fn(usize) -> Option<f64>| (1..n).filter_map(p).reduce(f64::min);
                others.extend(least(&|b| found.adjusted[b]));
                uncorrected.extend(least(&|b| found.first.departures[b]?.p));
            }
            let (planted, others, uncorrected) = (
                share(&planted, 0.05),
                share(&others, 0.05),
                share(&uncorrected, 0.05),
            );
            println!("{n}: planted {planted:.3}, others {others:.3}, uncorrected {uncorrected:.3}");
            assert!(planted > 0.8, "{n}: {planted}");
            assert!(others < 0.07, "{n}: {others}");
            assert!(uncorrected > 0.5, "{n}: {uncorrected}");
        }
    }

    #[test]
    fn a_planted_pair_is_found_one_after_the_other() {
        let n = 6;
        let mut draw = null(n, 0.3, 77);
        let values: Vec<Vec<f64>> = (0..6_000).map(|_| draw()).collect();
        let mut at = stepper(&values);
        let mut locus = vec![0.5; n];
        (locus[1], locus[4]) = (4.5, 3.5);
        let found = at(&locus);
        assert_eq!(found.strongest, Some(1));
        let p: Vec<f64> = found.adjusted.iter().map(|p| p.unwrap()).collect();
        assert!(p[1] <= 0.05 && p[4] <= 0.05, "{p:?}");
        assert!(
            p[1] <= p[4] && [0, 2, 3, 5].iter().all(|b| p[*b] > 0.05),
            "{p:?}"
        );
        // Of the second the departure where the first is left out is larger.
        let departure = |d: &Option<Departure>| d.unwrap().departure();
        assert!(departure(&found.without[4]) > departure(&found.first.departures[4]) + 0.7);
        assert!(found.without[1].is_none());
        let matched = found.matched.unwrap();
        assert!((matched.activity - 10.0 / 6.0).abs() < 1e-12 && matched.n_compared == 400);
        assert!(matched.n_matched >= FEWEST_MATCHED && matched.n_effective > 200.0);
    }

    #[test]
    fn where_nothing_matches_there_is_no_joint_p() {
        let mut draw = null(5, 1.0, 3);
        let values: Vec<Vec<f64>> = (0..2_000).map(|_| draw()).collect();
        let mut at = stepper(&values);
        let found = at(&[90.0; 5]);
        assert!(found.adjusted.iter().all(Option::is_none));
        let matched = found.matched.unwrap();
        assert!(matched.n_matched == 0 && matched.matched_range[1] < 90.0);
    }
}
