//! How stable a choice is: the same question asked of resamples of what items were compared at.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SelectionError;
use super::choose::Problem;
use super::product::{Combination, Experiments};
use super::profiles::resample;
use super::similarity::{Similarity, SimilarityMatrix};
use super::vectors::{Kernel, Vectors};

/// Multiplications that all resamples together may cost.
const MOST_WORK: f64 = 2e12;
/// Of fewer resamples nothing is reported.
const LEAST: usize = 10;
/// Items that are named as chosen instead.
const NAMED: usize = 5;

/// How often resamples give the same choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// How many resamples were drawn.
    pub n_resamples: usize,
    /// What was drawn with replacement, in words.
    pub unit: String,
    /// How many of these there are.
    pub n_units: usize,
    /// The share of resamples that choose the same set.
    pub same: f64,
    /// What resamples choose that was not chosen, and the share that do; the most frequent first.
    pub instead: Vec<(String, f64)>,
}

/// What is drawn, and how often each position counts in each resample.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    pub(super) unit: &'static str,
    pub(super) n_units: usize,
    /// A weight for each position, for each resample.
    pub(super) weights: Vec<Vec<f32>>,
}

impl Draws {
    /// As many of the resamples as `work` multiplications each allow; the reason is noted where they are
    /// fewer than asked for.
    pub(super) fn new(
        blocks: &[usize],
        unit: &'static str,
        (asked, seed): (usize, u64),
        work: f64,
        notes: &mut Vec<String>,
    ) -> Self {
        let n_units = blocks.last().map_or(0, |last| last + 1);
        let possible = (MOST_WORK / work.max(1.0)) as usize;
        let n = match asked <= possible {
            true => asked,
            false if possible < LEAST => 0,
            false => possible,
        };
        if n < asked {
            notes.push(match n {
                0 => "stability was not measured: one resample alone takes too long with so many items".into(),
                _ => format!("stability rests on {n} resamples, not {asked}: more take too long with so many items"),
            });
        }
        // A single unit is the same in each.
        let n = if n_units < 2 { 0 } else { n };
        Draws {
            unit,
            n_units,
            weights: (0..n as u64)
                .map(|number| resample(blocks, seed, number))
                .collect(),
        }
    }

    /// What items are compared by, in each resample.
    pub(super) fn with(self, similarities: Similarities) -> Resampled {
        Resampled {
            draws: self,
            similarities,
        }
    }
}

/// Similarities in resamples, in whatever form they are held.
pub(super) enum Similarities {
    /// Of each resample one, where all items could be compared.
    Matrices(Vec<Option<SimilarityMatrix>>),
    /// Of each resample those of biosamples and of assays.
    Products(
        Vec<Option<SimilarityMatrix>>,
        Vec<Option<SimilarityMatrix>>,
        Combination,
    ),
    /// The vectors themselves, `[items, width]`.
    Vectors {
        width: usize,
        values: Vec<f32>,
        kernel: Kernel,
    },
}

/// The choice by a similarity.
type Choose<'a> = dyn Fn(&dyn Similarity) -> Result<Vec<usize>, SelectionError> + Sync + 'a;

/// The similarity of items in each of some resamples.
pub(super) struct Resampled {
    draws: Draws,
    similarities: Similarities,
}

impl Resampled {
    /// The similarity in a resample; `None` where an item cannot be compared in it (all of its signal
    /// lies in blocks that were not drawn).
    fn similarity(&self, number: usize) -> Option<Box<dyn Similarity + '_>> {
        match &self.similarities {
            Similarities::Matrices(all) => Some(Box::new(all.get(number)?.clone()?)),
            Similarities::Products(biosamples, assays, combination) => {
                let (b, a) = (biosamples.get(number)?, assays.get(number)?);
                let all = Experiments::new(b.clone()?, a.clone()?, *combination);
                Some(Box::new(all))
            }
            Similarities::Vectors {
                width,
                values,
                kernel,
            } => {
                let weights = self.draws.weights.get(number).map(Vec::as_slice);
                let vectors =
                    Vectors::weighted(*width, values, weights, *kernel, &|i| i.to_string());
                Some(Box::new(vectors.ok()?))
            }
        }
    }

    /// How often each item is chosen, and how stable the choice is; `None` where there are too few
    /// resamples. `choose` makes the problem of a similarity.
    pub(super) fn stability<'a>(
        &self,
        chosen: &[usize],
        names: &[String],
        choose: &Choose<'a>,
    ) -> Result<Option<(Vec<f64>, Stability)>, SelectionError> {
        let again: Vec<Option<Vec<usize>>> = (0..self.draws.weights.len())
            .into_par_iter()
            .map(|number| {
                let similarity = self.similarity(number);
                similarity.map(|s| choose(s.as_ref())).transpose()
            })
            .collect::<Result<_, _>>()?;
        let again: Vec<Vec<usize>> = again.into_iter().flatten().collect();
        let n = again.len();
        if n < LEAST {
            return Ok(None);
        }
        let mut counts: HashMap<usize, usize> = HashMap::new();
        let mut n_same = 0;
        for choice in &again {
            n_same += usize::from(
                choice.len() == chosen.len() && choice.iter().all(|c| chosen.contains(c)),
            );
            for item in choice {
                *counts.entry(*item).or_default() += 1;
            }
        }
        let share = |item: &usize| counts.get(item).map_or(0.0, |c| *c as f64 / n as f64);
        let shares = chosen.iter().map(share).collect();
        let mut instead: Vec<(usize, usize)> = (counts.iter().map(|(i, c)| (*i, *c)))
            .filter(|(item, _)| !chosen.contains(item))
            .collect();
        instead.sort_by_key(|(item, count)| (std::cmp::Reverse(*count), *item));
        instead.truncate(NAMED);
        let stability = Stability {
            n_resamples: n,
            unit: self.draws.unit.into(),
            n_units: self.draws.n_units,
            same: n_same as f64 / n as f64,
            instead: (instead.into_iter())
                .map(|(item, count)| (names[item].clone(), count as f64 / n as f64))
                .collect(),
        };
        Ok(Some((shares, stability)))
    }
}

/// The choice of a problem in a resample.
pub(super) fn again(
    problem: &Problem<'_>,
    similarity: &dyn Similarity,
) -> Result<Vec<usize>, SelectionError> {
    Problem {
        similarity,
        limits: problem.limits.clone(),
        n_random: 0,
        ..*problem
    }
    .chosen()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{Limits, Method, ObjectiveKind};

    /// Items at positions of two kinds. In 30 units each, `a` and `b` are alike in all; `c` is like `d` in
    /// most units, and like `e` in `n_odd` of them.
    fn resampled(n_odd: usize) -> (Vec<f32>, Vec<usize>) {
        let wave = |kind: usize, i: usize| {
            ((i * i * (kind + 1) + i * kind + (i / 10) * (kind + 3)) % 13) as f32
        };
        let width = 300;
        let blocks: Vec<usize> = (0..width).map(|i| i / 10).collect();
        let of = |item: usize| {
            move |i: usize| match item {
                0 => wave(0, i),
                1 => wave(0, i) + 0.01 * ((i * 5) % 3) as f32,
                2 if i / 10 < n_odd => wave(2, i),
                2 | 3 => wave(1, i),
                _ => wave(2, i),
            }
        };
        let values = (0..5).flat_map(|item| (0..width).map(of(item))).collect();
        (values, blocks)
    }

    fn stability(n_odd: usize) -> (Vec<usize>, Vec<f64>, Stability) {
        let (values, blocks) = resampled(n_odd);
        let kernel = Kernel::SquaredCorrelation;
        let vectors = Vectors::new(300, &values, kernel, &|i| i.to_string()).unwrap();
        let problem = Problem {
            similarity: &vectors,
            features: None,
            objective: ObjectiveKind::FacilityLocation,
            given: &[],
            required: &[],
            excluded: &[1],
            limits: Limits { k: 3, budget: None },
            method: Method::Lazy,
            n_random: 0,
            seed: 0,
        };
        let chosen = problem.chosen().unwrap();
        let mut notes = Vec::new();
        let draws = Draws::new(&blocks, "blocks", (200, 3), 1.0, &mut notes);
        assert!(notes.is_empty());
        let resampled = draws.with(Similarities::Vectors {
            width: 300,
            values: values.clone(),
            kernel,
        });
        let names: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let found = resampled.stability(&chosen, &names, &|s| again(&problem, s));
        let (shares, stability) = found.unwrap().unwrap();
        (chosen, shares, stability)
    }

    #[test]
    fn a_choice_that_every_block_supports_is_made_again_in_every_resample() {
        // c is d: one of them represents both, always.
        let (chosen, shares, stability) = stability(0);
        assert_eq!((shares, stability.same), (vec![1.0; 3], 1.0));
        assert!(chosen.contains(&0) && chosen.contains(&4));
        assert_eq!((stability.n_resamples, stability.n_units), (200, 30));
        assert!(stability.instead.is_empty());
    }

    #[test]
    fn a_choice_that_rests_on_half_of_the_blocks_is_made_again_in_about_half_of_the_resamples() {
        // c is d in 15 blocks and e in 15: whose part it takes is chance.
        let (chosen, shares, stability) = stability(15);
        let share = |item: usize| chosen.iter().position(|c| *c == item).map(|i| shares[i]);
        assert_eq!(share(0), Some(1.0));
        assert!((0.3..0.7).contains(&stability.same), "{stability:?}");
        let least = shares.iter().copied().fold(1.0, f64::min);
        assert!((0.3..0.7).contains(&least), "{shares:?} {stability:?}");
        // What was chosen instead makes up for it: three in each resample.
        let instead: f64 = stability.instead.iter().map(|(_, s)| s).sum();
        assert!((shares.iter().sum::<f64>() + instead - 3.0).abs() < 1e-9);
    }

    #[test]
    fn resamples_that_take_too_long_are_fewer_and_it_is_noted() {
        let blocks: Vec<usize> = (0..50).collect();
        for (work, n, note) in [
            (1e9, 100, None),
            (1e11, 20, Some("rests on 20 resamples, not 100")),
            (1e12, 0, Some("was not measured")),
        ] {
            let mut notes = Vec::new();
            let draws = Draws::new(&blocks, "blocks", (100, 0), work, &mut notes);
            assert_eq!(draws.weights.len(), n);
            assert_eq!(notes.len(), usize::from(note.is_some()));
            assert!(note.is_none_or(|n| notes[0].contains(n)), "{notes:?}");
        }
    }
}
