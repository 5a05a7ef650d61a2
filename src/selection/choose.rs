//! One choice, whole: what was chosen, how near to the best it is, whom it represents, and random
//! choices beside it.

use rayon::prelude::*;

use super::SelectionError;
use super::dispersion::Distances;
use super::features::Features;
use super::greedy::{Limits, Method, Run, Step, greedy};
use super::guarantee::{Conditions, Guarantee, guarantee};
use super::objective::Objective;
use super::objective_kind::ObjectiveKind;
use super::similarity::{Similarity, fold_rows, whole_row};
use crate::random::{Purpose, generator, shuffle};

/// Up to this many choices are all evaluated, and the best of them is the bound.
const MOST_EXAMINED: f64 = 3_000.0;

/// What is to be chosen, of items that are known by their numbers.
pub struct Problem<'a> {
    /// How alike the items are.
    pub similarity: &'a dyn Similarity,
    /// Their features, for the objective that needs them.
    pub features: Option<&'a Features>,
    /// What a good choice is.
    pub objective: ObjectiveKind,
    /// What is there already: it covers, and is not chosen.
    pub given: &'a [usize],
    /// What must be chosen.
    pub required: &'a [usize],
    /// What must not be.
    pub excluded: &'a [usize],
    /// How many, and at what cost.
    pub limits: Limits<'a>,
    /// How.
    pub method: Method,
    /// How many random choices stand beside it.
    pub n_random: usize,
    /// What they derive from.
    pub seed: u64,
}

/// A point of the curve of coverage against the number of choices.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CurvePoint {
    /// How many choices.
    pub k: usize,
    /// The objective's value.
    pub value: Option<f64>,
    /// The mean over random choices.
    pub random_mean: Option<f64>,
    /// The 5th and the 95th percentile of them.
    pub random_band: Option<[f64; 2]>,
}

/// A choice.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The value of the starting set alone.
    pub before: Option<f64>,
    /// The choices, in order.
    pub steps: Vec<Step>,
    /// The value if everything were chosen; `None` where more is not always worth more.
    pub everything: Option<f64>,
    /// The value that no choice within the limits can pass, by the gains that are left.
    pub bound: Option<f64>,
    /// Whether the bound is reached: all choices were evaluated, since there are few.
    pub bound_is_reached: bool,
    /// What is known beforehand.
    pub guarantee: Guarantee,
    /// The item of starting set and choices that is most like each target; `None`: none is at all.
    pub represented_by: Vec<Option<usize>>,
    /// Value against number, random choice beside it. With a budget: one point, at its end.
    pub curve: Vec<CurvePoint>,
    /// How often a gain was computed.
    pub evaluations: u64,
}

impl Problem<'_> {
    /// Chooses.
    ///
    /// # Errors
    /// When what is asked for contradicts itself: nothing is left to choose from, more than there
    /// are, an item both required and excluded, costs that are no costs.
    pub fn solve(&self) -> Result<Choice, SelectionError> {
        let candidates = self.candidates()?;
        let start = self.start()?;
        let start = start.as_ref();
        let run = self.run(start, &candidates);
        let before = start.value();
        let everything = self.everything(start, &candidates);
        let bound = match (before, run.bound) {
            // No more than everything, where that is known.
            (Some(before), Some(gain)) => {
                let bound = before + gain;
                Some(everything.map_or(bound, |all| bound.min(all)))
            }
            _ => None,
        };
        let best = self.best_of_all(start, &candidates);
        let (bound, bound_is_reached) = match best {
            Some(best) => (Some(best), true),
            None => (bound, false),
        };
        let chosen = run.steps.iter().map(|s| s.candidate);
        let represented_by = representatives(
            self.similarity,
            &self.given.iter().copied().chain(chosen).collect::<Vec<_>>(),
        );
        let metric = match self.objective {
            ObjectiveKind::SumOfDistances | ObjectiveKind::MinimumDistance => {
                Distances::new(self.similarity).are_a_metric()
            }
            _ => None,
        };
        let conditions = Conditions {
            budget: self.limits.budget.is_some(),
            number_and_budget: self.limits.budget.is_some() && self.limits.k < candidates.len(),
            given: !self.given.is_empty(),
            required: !self.required.is_empty(),
            metric,
        };
        Ok(Choice {
            curve: self.curve(start, &candidates, &run),
            before,
            everything,
            bound,
            bound_is_reached,
            guarantee: guarantee(self.objective, self.method, conditions),
            represented_by,
            evaluations: run.evaluations,
            steps: run.steps,
        })
    }

    /// The choice alone, in order.
    ///
    /// # Errors
    /// As [`Problem::solve`].
    pub fn chosen(&self) -> Result<Vec<usize>, SelectionError> {
        let candidates = self.candidates()?;
        let start = self.start()?;
        let run = self.run(start.as_ref(), &candidates);
        Ok(run.steps.iter().map(|s| s.candidate).collect())
    }

    /// The highest value of all choices of `k`, where they are few enough to look at each.
    fn best_of_all(&self, start: &dyn Objective, candidates: &[usize]) -> Option<f64> {
        let optional: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|c| !self.required.contains(c))
            .collect();
        let free = self.limits.k.saturating_sub(self.required.len());
        let mut n_choices = 1f64;
        for i in 0..free {
            n_choices *= optional.len().saturating_sub(i) as f64 / (i + 1) as f64;
        }
        let work = n_choices * (self.similarity.n_targets() * self.limits.k) as f64;
        if self.limits.budget.is_some() || n_choices > MOST_EXAMINED || work > 1e8 {
            return None;
        }
        let mut best = f64::NEG_INFINITY;
        // Places in `optional`, ascending: the next choice moves the last place that can be.
        let mut places: Vec<usize> = (0..free).collect();
        loop {
            let mut objective = start.copy();
            let free_ones = places.iter().map(|p| &optional[*p]);
            for item in self.required.iter().chain(free_ones) {
                objective.add(*item);
            }
            if let Some(value) = objective.value() {
                best = best.max(value);
            }
            let last = optional.len() - free;
            let Some(i) = (0..free).rev().find(|i| places[*i] < last + i) else {
                break;
            };
            places[i] += 1;
            for j in i + 1..free {
                places[j] = places[j - 1] + 1;
            }
        }
        best.is_finite().then_some(best)
    }

    /// The objective with the starting set in it.
    fn start(&self) -> Result<Box<dyn Objective + '_>, SelectionError> {
        let built = self.objective.build(self.similarity, self.features);
        let mut objective = built.ok_or_else(|| {
            SelectionError::question(format!("{} needs features of the items", self.objective))
        })?;
        for item in self.given {
            objective.add(*item);
        }
        Ok(objective)
    }

    /// What may be chosen, ascending, once everything that was asked for makes sense.
    fn candidates(&self) -> Result<Vec<usize>, SelectionError> {
        let n = self.similarity.n_candidates();
        let k = self.limits.k;
        if let Some(both) = self.required.iter().find(|i| self.excluded.contains(i)) {
            return Err(SelectionError::question(format!(
                "item {both} is required and excluded"
            )));
        }
        let mut open = vec![true; n];
        for i in self.given.iter().chain(self.excluded) {
            open[*i] = false;
        }
        let candidates: Vec<usize> = (0..n).filter(|i| open[*i]).collect();
        if candidates.is_empty() {
            return Err(SelectionError::NothingToChoose(
                "nothing is left to choose from: everything is in the starting set or excluded"
                    .into(),
            ));
        }
        if k == 0 {
            return Err(SelectionError::question("k is 0; choose at least one"));
        }
        if self.limits.budget.is_none() && k > candidates.len() {
            return Err(SelectionError::TooMany {
                k,
                left: candidates.len(),
            });
        }
        if self.required.len() > k {
            return Err(SelectionError::question(format!(
                "{} are required, and k is {k}",
                self.required.len()
            )));
        }
        if let Some((costs, budget)) = self.limits.budget {
            self.check_costs(costs, budget, &candidates)?;
        }
        Ok(candidates)
    }

    fn check_costs(
        &self,
        costs: &[f64],
        budget: f64,
        candidates: &[usize],
    ) -> Result<(), SelectionError> {
        let bad = |c: &&usize| !costs.get(**c).is_some_and(|c| c.is_finite() && *c >= 0.0);
        if let Some(c) = candidates.iter().find(bad) {
            return Err(SelectionError::question(format!(
                "the cost of item {c} is missing, negative or no number"
            )));
        }
        if !(budget.is_finite() && budget > 0.0) {
            return Err(SelectionError::question(format!(
                "the budget is {budget}; it must be a number above 0"
            )));
        }
        let required: f64 = self.required.iter().map(|c| costs[*c]).sum();
        if required > budget {
            return Err(SelectionError::question(format!(
                "what is required costs {required}, and the budget is {budget}"
            )));
        }
        if !candidates.iter().any(|c| costs[*c] <= budget) {
            return Err(SelectionError::question(format!(
                "nothing costs as little as the budget of {budget}"
            )));
        }
        Ok(())
    }

    /// Greedy; of a budget the better of by gain and by gain for cost.
    fn run(&self, start: &dyn Objective, candidates: &[usize]) -> Run {
        let go = |by_cost: bool| -> Run {
            let mut objective = start.copy();
            let objective = objective.as_mut();
            let (limits, method) = (&self.limits, self.method);
            greedy(
                objective,
                candidates,
                self.required,
                limits,
                method,
                by_cost,
            )
        };
        let by_gain = go(false);
        if self.limits.budget.is_none() {
            return by_gain;
        }
        let by_cost = go(true);
        let bound = match (by_gain.bound, by_cost.bound) {
            (Some(a), Some(b)) => Some(a.min(b)),
            _ => None,
        };
        let evaluations = by_gain.evaluations + by_cost.evaluations;
        let better = match by_cost.gain() > by_gain.gain() {
            true => by_cost,
            false => by_gain,
        };
        Run {
            bound,
            evaluations,
            ..better
        }
    }

    /// The value of the starting set and all candidates.
    fn everything(&self, start: &dyn Objective, candidates: &[usize]) -> Option<f64> {
        match self.objective {
            ObjectiveKind::FacilityLocation => {
                // The matrix is symmetric: a target's row is what all have for it.
                let n = self.similarity.n_targets();
                if n == self.similarity.n_candidates() {
                    let mut open = vec![false; n];
                    for i in candidates.iter().chain(self.given) {
                        open[*i] = true;
                    }
                    let all: Vec<usize> = (0..n).collect();
                    let best = fold_rows(self.similarity, &all, 0f32, |best, _, targets, row| {
                        let of = targets.zip(row).filter(|(t, _)| open[*t]);
                        of.fold(best, |best, (_, s)| best.max(*s))
                    });
                    return Some(best.iter().map(|s| f64::from(*s)).sum());
                }
                None
            }
            ObjectiveKind::SaturatedCoverage { .. } | ObjectiveKind::FeatureBased { .. } => {
                let mut objective = start.copy();
                for c in candidates {
                    objective.add(*c);
                }
                objective.value()
            }
            _ => None,
        }
    }

    fn curve(&self, start: &dyn Objective, candidates: &[usize], run: &Run) -> Vec<CurvePoint> {
        let before = start.value();
        let optional: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|c| !self.required.contains(c))
            .collect();
        // What is required is in every random choice as well, first, as it is in this one.
        let required: Vec<usize> = (run.steps.iter().filter(|s| s.required))
            .map(|s| s.candidate)
            .collect();
        let walks: Vec<Vec<Option<f64>>> = (0..self.n_random as u64)
            .into_par_iter()
            .map(|i| {
                let mut order = optional.clone();
                shuffle(
                    &mut generator(self.seed, Purpose::RandomChoice, i),
                    &mut order,
                );
                let mut objective = start.copy();
                let mut spent = 0.0;
                let mut values = vec![before];
                for c in required.iter().chain(&order) {
                    if values.len() > self.limits.k {
                        break;
                    }
                    if let Some((costs, budget)) = self.limits.budget {
                        if spent + costs[*c] > budget {
                            continue;
                        }
                        spent += costs[*c];
                    }
                    objective.add(*c);
                    values.push(objective.value());
                }
                if self.limits.budget.is_some() {
                    values = values.pop().into_iter().collect();
                }
                values
            })
            .collect();
        let point = |k: usize, value: Option<f64>, at: usize| {
            let drawn = walks.iter().filter_map(|w| w.get(at).copied().flatten());
            let mut drawn: Vec<f64> = drawn.collect();
            drawn.sort_by(f64::total_cmp);
            let n = drawn.len();
            let mean = (n > 0).then(|| drawn.iter().sum::<f64>() / n as f64);
            CurvePoint {
                k,
                value,
                random_mean: mean,
                random_band: mean.map(|_| [percentile(&drawn, 0.05), percentile(&drawn, 0.95)]),
            }
        };
        let values = [before]
            .into_iter()
            .chain(run.steps.iter().map(|s| s.value));
        match self.limits.budget {
            None => values.enumerate().map(|(k, v)| point(k, v, k)).collect(),
            Some(_) => {
                let value = run.steps.last().map_or(before, |s| s.value);
                vec![point(run.steps.len(), value, 0)]
            }
        }
    }
}

/// A percentile of sorted values, between neighbours where it falls between them.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (low, rest) = (at.floor() as usize, at.fract());
    let value = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    match rest > 0.0 {
        true => value(low) + rest * (value(low + 1) - value(low)),
        false => value(low),
    }
}

/// For each target the item that is most like it; of equals the first of the list.
pub fn representatives(similarity: &dyn Similarity, items: &[usize]) -> Vec<Option<usize>> {
    let n = similarity.n_targets();
    let mut best: Vec<(f32, Option<usize>)> = vec![(0.0, None); n];
    for item in items {
        for (best, s) in best.iter_mut().zip(whole_row(similarity, *item)) {
            if s > best.0 {
                *best = (s, Some(*item));
            }
        }
    }
    best.into_iter().map(|(_, item)| item).collect()
}
