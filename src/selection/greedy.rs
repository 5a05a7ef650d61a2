//! Greedy algorithms: plain, lazy and stochastic, for a number of choices or a budget.

use persea_vocabulary::vocabulary;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::objective::Objective;
use crate::random::{Purpose, below, generator};

vocabulary! {
    /// The ways to find the best next choice, by name; [`Method`] has their parameters.
    pub enum MethodName {
        /// Greedy with lazy updates of gains
        Lazy = "lazy",
        /// Greedy, computing every gain at each step
        Plain = "plain",
        /// Greedy over random subsets
        Stochastic = "stochastic",
    }
}

/// How the best next choice is found.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
#[non_exhaustive]
pub enum Method {
    /// Every candidate is evaluated at each step.
    Plain,
    /// A candidate is evaluated only while its last gain, which is a bound, is above the best
    /// (Minoux 1978): the same choice as [`Method::Plain`] to the bit.
    Lazy,
    /// At each step the best of n/k · ln(1/ε) candidates drawn at random (Mirzasoleiman et al. 2015).
    Stochastic {
        /// ε.
        epsilon: f64,
        /// What the draws derive from.
        seed: u64,
    },
}

/// What may be chosen.
#[derive(Debug, Clone, Default)]
pub struct Limits<'a> {
    /// How many at most.
    pub k: usize,
    /// A cost for each candidate, and what all may cost together.
    pub budget: Option<(&'a [f64], f64)>,
}

impl Limits<'_> {
    fn cost(&self, candidate: usize) -> f64 {
        self.budget.map_or(0.0, |(costs, _)| costs[candidate])
    }

    fn left(&self, spent: f64) -> f64 {
        self.budget
            .map_or(f64::INFINITY, |(_, budget)| budget - spent)
    }
}

/// One choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The candidate.
    pub candidate: usize,
    /// What it added.
    pub gain: f64,
    /// The objective's value with it.
    pub value: Option<f64>,
    /// Whether it was required.
    pub required: bool,
}

/// What a greedy algorithm came to.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The choices, in order.
    pub steps: Vec<Step>,
    /// What any choice within the limits (holding what is required) can add at most; `None` where gains are no bounds.
    pub bound: Option<f64>,
    /// How often a candidate's gain was computed.
    pub evaluations: u64,
}

impl Run {
    /// What the choices added, all together.
    pub fn gain(&self) -> f64 {
        self.steps.iter().map(|s| s.gain).sum()
    }
}

/// An old gain, the key by which a candidate is found.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: f64,
    gain: f64,
    candidate: usize,
    /// Before how many choices it was computed.
    at: usize,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The highest key first; of equal ones the first candidate.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.key.total_cmp(&other.key)).then(other.candidate.cmp(&self.candidate))
    }
}

/// Chooses from `candidates` (in ascending order): first what is `required`, then what adds most, or
/// most for its cost where `by_cost` is set.
pub fn greedy(
    objective: &mut dyn Objective,
    candidates: &[usize],
    required: &[usize],
    limits: &Limits<'_>,
    method: Method,
    by_cost: bool,
) -> Run {
    let mut search = Search {
        open: candidates
            .iter()
            .copied()
            .filter(|c| !required.contains(c))
            .collect(),
        limits: limits.clone(),
        by_cost,
        run: Run::default(),
        spent: 0.0,
        best_bound: f64::INFINITY,
    };
    let bounded = objective.is_submodular() && objective.is_monotone();
    // What is required is taken in the order of its gains.
    let mut waiting: Vec<usize> = required.to_vec();
    while !waiting.is_empty() && search.run.steps.len() < limits.k {
        let gains = objective.gains(&waiting);
        search.run.evaluations += gains.len() as u64;
        let best = highest(&gains);
        let candidate = waiting.remove(best);
        search.choose(objective, candidate, true);
    }
    if objective.is_cheap() {
        search.plain(objective, bounded);
    } else {
        match method {
            Method::Plain => search.plain(objective, bounded),
            Method::Lazy if objective.is_submodular() => search.lazy(objective, bounded),
            Method::Lazy => search.plain(objective, bounded),
            Method::Stochastic { epsilon, seed } => search.stochastic(objective, epsilon, seed),
        }
    }
    if bounded {
        // Once more with fresh gains: after the last choice they are the least.
        let gains = objective.gains(&search.open);
        search.run.evaluations += gains.len() as u64;
        let pairs: Vec<(usize, f64)> = search.open.iter().copied().zip(gains).collect();
        search.note_bound(&pairs);
        search.run.bound = Some(search.best_bound);
    }
    search.run
}

/// The place of the highest; of equal ones the first.
fn highest(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if value.total_cmp(&values[best]) == Ordering::Greater {
            best = i;
        }
    }
    best
}

struct Search<'a> {
    /// What has not been chosen, ascending.
    open: Vec<usize>,
    limits: Limits<'a>,
    by_cost: bool,
    run: Run,
    spent: f64,
    best_bound: f64,
}

impl Search<'_> {
    fn key(&self, candidate: usize, gain: f64) -> f64 {
        if !self.by_cost {
            return gain;
        }
        let cost = self.limits.cost(candidate);
        match (cost > 0.0, gain > 0.0) {
            (true, _) => gain / cost,
            (false, true) => f64::INFINITY,
            (false, false) => gain,
        }
    }

    fn fits(&self, candidate: usize) -> bool {
        self.limits.cost(candidate) <= self.limits.left(self.spent)
    }

    fn choose(&mut self, objective: &mut dyn Objective, candidate: usize, required: bool) {
        let gain = objective.add(candidate);
        self.spent += self.limits.cost(candidate);
        self.open.retain(|c| *c != candidate);
        self.run.steps.push(Step {
            candidate,
            gain,
            value: objective.value(),
            required,
        });
    }

    /// What could be added at most in all: what has been, and the highest gains (or bounds of them)
    /// that fit, fractions of a cost allowed. Holds for a monotone submodular function.
    fn note_bound(&mut self, gains: &[(usize, f64)]) {
        let n_required = self.run.steps.iter().filter(|s| s.required).count();
        let most = self.limits.k.saturating_sub(n_required);
        let mut highest: Vec<f64> = gains.iter().map(|(_, g)| g.max(0.0)).collect();
        if highest.len() > most && most > 0 {
            highest.select_nth_unstable_by(most - 1, |a, b| b.total_cmp(a));
        }
        let mut more: f64 = highest.iter().take(most).sum();
        if let Some((costs, budget)) = self.limits.budget {
            let required = self.run.steps.iter().filter(|s| s.required);
            let mut left = budget - required.map(|s| costs[s.candidate]).sum::<f64>();
            let mut rated: Vec<(f64, f64)> = gains
                .iter()
                .filter(|(c, _)| costs[*c] <= left)
                .map(|(c, g)| (g.max(0.0), costs[*c]))
                .collect();
            // What costs nothing comes first.
            let worth = |(gain, cost): &(f64, f64)| match *cost > 0.0 {
                true => gain / cost,
                false => f64::INFINITY,
            };
            rated.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
            let mut filled = 0.0;
            for (gain, cost) in rated {
                let share = if cost > left { left / cost } else { 1.0 };
                filled += gain * share;
                left -= cost * share;
                if share < 1.0 {
                    break;
                }
            }
            // Both hold, whichever is less.
            more = more.min(filled);
        }
        let bound = self.run.gain() + more;
        self.best_bound = self.best_bound.min(bound);
    }

    fn plain(&mut self, objective: &mut dyn Objective, bounded: bool) {
        while self.run.steps.len() < self.limits.k {
            let fitting: Vec<usize> =
                (self.open.iter().copied().filter(|c| self.fits(*c))).collect();
            if fitting.is_empty() {
                return;
            }
            let gains = objective.gains(&fitting);
            self.run.evaluations += gains.len() as u64;
            if bounded {
                // Those that fit no longer have a part in the bound as well.
                let all = match fitting.len() == self.open.len() {
                    true => gains.clone(),
                    false => objective.gains(&self.open),
                };
                let pairs: Vec<(usize, f64)> = self.open.iter().copied().zip(all).collect();
                self.note_bound(&pairs);
            }
            let keys: Vec<f64> = (fitting.iter().zip(&gains))
                .map(|(c, g)| self.key(*c, *g))
                .collect();
            self.choose(objective, fitting[highest(&keys)], false);
        }
    }

    fn lazy(&mut self, objective: &mut dyn Objective, bounded: bool) {
        let gains = objective.gains(&self.open);
        self.run.evaluations += gains.len() as u64;
        let start = self.run.steps.len();
        let mut heap: BinaryHeap<Entry> = (self.open.iter().zip(&gains))
            .map(|(c, gain)| Entry {
                key: self.key(*c, *gain),
                gain: *gain,
                candidate: *c,
                at: start,
            })
            .collect();
        // Fitting no longer is for ever: the budget only shrinks. They still count for the bound.
        let mut beyond: Vec<(usize, f64)> = Vec::new();
        while self.run.steps.len() < self.limits.k {
            if bounded {
                let mut known: Vec<(usize, f64)> =
                    heap.iter().map(|e| (e.candidate, e.gain)).collect();
                known.extend(&beyond);
                self.note_bound(&known);
            }
            let now = self.run.steps.len();
            // More and more at once: a look at the next ones costs less together.
            let mut batch = 1;
            let best = loop {
                let mut stale: Vec<Entry> = Vec::new();
                let mut fresh = None;
                while stale.len() < batch {
                    let Some(top) = heap.pop() else { break };
                    if !self.fits(top.candidate) {
                        beyond.push((top.candidate, top.gain));
                    } else if top.at == now {
                        fresh = Some(top);
                        break;
                    } else {
                        stale.push(top);
                    }
                }
                match (stale.is_empty(), fresh) {
                    (true, Some(best)) => break Some(best),
                    (true, None) => break None,
                    _ => {}
                }
                let examined: Vec<usize> = stale.iter().map(|e| e.candidate).collect();
                let gains = objective.gains(&examined);
                self.run.evaluations += gains.len() as u64;
                for (entry, gain) in stale.into_iter().zip(gains) {
                    heap.push(Entry {
                        key: self.key(entry.candidate, gain),
                        gain,
                        at: now,
                        ..entry
                    });
                }
                heap.extend(fresh);
                batch = (batch * 2).min(64);
            };
            let Some(best) = best else { return };
            self.choose(objective, best.candidate, false);
        }
    }

    fn stochastic(&mut self, objective: &mut dyn Objective, epsilon: f64, seed: u64) {
        let n = self.open.len() as f64;
        let wanted = self.limits.k.saturating_sub(self.run.steps.len()).max(1) as f64;
        let size = (n / wanted * (1.0 / epsilon).ln()).ceil().max(1.0) as usize;
        while self.run.steps.len() < self.limits.k {
            let mut fitting: Vec<usize> =
                (self.open.iter().copied().filter(|c| self.fits(*c))).collect();
            if fitting.is_empty() {
                return;
            }
            let step = self.run.steps.len() as u64;
            let mut rng = generator(seed, Purpose::Selection, step);
            let drawn = size.min(fitting.len());
            for i in 0..drawn {
                let j = i + below(&mut rng, (fitting.len() - i) as u32) as usize;
                fitting.swap(i, j);
            }
            fitting.truncate(drawn);
            fitting.sort_unstable();
            let gains = objective.gains(&fitting);
            self.run.evaluations += gains.len() as u64;
            let keys: Vec<f64> = (fitting.iter().zip(&gains))
                .map(|(c, g)| self.key(*c, *g))
                .collect();
            self.choose(objective, fitting[highest(&keys)], false);
        }
    }
}
