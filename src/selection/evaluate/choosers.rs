//! Ways to choose, by one similarity: greedily by an objective, the medoids of k clusters, one of each
//! branch of a tree, and at random.

use kodama::linkage;
use persea_vocabulary::vocabulary;

use super::{EvaluationOptions, Predictor};
use crate::random::{Purpose, generator, shuffle};
use crate::selection::SelectionError;
use crate::selection::choose::Problem;
use crate::selection::greedy::{Limits, Method};
use crate::selection::similarity::SimilarityMatrix;

vocabulary! {
    /// How a choice is made.
    pub enum Chooser {
        /// Greedily, by the objective
        Greedy = "greedy",
        /// The medoids of k clusters (PAM)
        KMedoids = "k-medoids",
        /// The medoids of the k branches of an average-linkage tree
        Tree = "tree",
    }
}

impl Chooser {
    /// The choice of `k` items.
    pub(super) fn choose(
        self,
        similarity: &SimilarityMatrix,
        k: usize,
        options: &EvaluationOptions,
    ) -> Result<Vec<usize>, SelectionError> {
        match self {
            Chooser::Greedy => Problem {
                similarity,
                features: None,
                objective: options.objective,
                given: &[],
                required: &[],
                excluded: &[],
                limits: Limits { k, budget: None },
                method: Method::Lazy,
                n_random: 0,
                seed: options.seed,
            }
            .chosen(),
            Chooser::KMedoids => Ok(k_medoids(similarity, k)),
            Chooser::Tree => Ok(tree(similarity, k)),
        }
    }
}

/// How far an item is from another: 1 − s, and at most that of no similarity.
fn distance(similarity: &SimilarityMatrix, i: usize, j: usize) -> f64 {
    match i == j {
        true => 0.0,
        false => (1.0 - f64::from(similarity.get(i, j))).max(0.0),
    }
}

/// The sum of distances of all items to the nearest of some.
fn spread(similarity: &SimilarityMatrix, medoids: &[usize]) -> f64 {
    let nearest = |i: usize| {
        let distances = medoids.iter().map(|m| distance(similarity, i, *m));
        distances.fold(f64::INFINITY, f64::min)
    };
    (0..similarity.n()).map(nearest).sum()
}

/// Partitioning around medoids (Kaufman and Rousseeuw 1990, chapter 2): built one by one, then the swap
/// that lowers the sum of distances most, until none does. Of equals the first.
fn k_medoids(similarity: &SimilarityMatrix, k: usize) -> Vec<usize> {
    let n = similarity.n();
    let mut medoids: Vec<usize> = Vec::new();
    while medoids.len() < k.min(n) {
        let with = |c: usize| [&medoids[..], &[c]].concat();
        let candidates = (0..n).filter(|c| !medoids.contains(c));
        let costs = candidates.map(|c| (spread(similarity, &with(c)), c));
        let Some((_, best)) = costs.min_by(|a, b| a.0.total_cmp(&b.0)) else {
            break;
        };
        medoids.push(best);
    }
    let mut cost = spread(similarity, &medoids);
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for place in 0..medoids.len() {
            for candidate in (0..n).filter(|c| !medoids.contains(c)) {
                let mut swapped = medoids.clone();
                swapped[place] = candidate;
                let now = spread(similarity, &swapped);
                // Rounding must not swap for ever.
                if now < best.map_or(cost, |b| b.0) - 1e-12 {
                    best = Some((now, place, candidate));
                }
            }
        }
        let Some((now, place, candidate)) = best else {
            return medoids;
        };
        medoids[place] = candidate;
        cost = now;
    }
}

/// Cuts a tree of average linkage into k branches; of each the item that is most similar to the others.
fn tree(similarity: &SimilarityMatrix, k: usize) -> Vec<usize> {
    let n = similarity.n();
    let mut condensed: Vec<f64> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| distance(similarity, i, j)))
        .collect();
    let mut branches: Vec<Option<Vec<usize>>> = (0..n).map(|i| Some(vec![i])).collect();
    if n > 1 {
        // The last k − 1 joins are not made.
        let joined = linkage(&mut condensed, n, kodama::Method::Average);
        for step in joined.steps().iter().take(n.saturating_sub(k)) {
            let mut both = Vec::new();
            for part in [step.cluster1, step.cluster2] {
                both.extend(branches[part].take().unwrap_or_default());
            }
            both.sort_unstable();
            branches.push(Some(both));
        }
    }
    let medoid = |branch: Vec<usize>| {
        let to_others =
            |i: usize| -> f64 { branch.iter().map(|j| distance(similarity, i, *j)).sum() };
        let all = branch.iter().map(|i| (to_others(*i), *i));
        all.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, i)| i)
    };
    branches.into_iter().flatten().filter_map(medoid).collect()
}

/// Errors of one choice and of random ones.
pub(super) struct Errors {
    chooser: Chooser,
    k: usize,
    predictor: Predictor,
    chosen: f64,
    random: Vec<f64>,
}

impl Errors {
    /// As a trial by some similarity, in some repetition.
    pub(super) fn of(self, by: &str, repetition: &str) -> Trial {
        Trial {
            by: by.to_string(),
            repetition: repetition.to_string(),
            chooser: self.chooser,
            k: self.k,
            predictor: self.predictor,
            chosen: self.chosen,
            random: self.random,
        }
    }
}

/// The mean error of what was not chosen, predicted from what was.
pub(super) type Predict<'a> = dyn Fn(&[usize], Predictor) -> Result<f64, SelectionError> + 'a;

/// All choices and random ones, of each size and by each predictor. Random choices depend on the seed and
/// the repetition alone: every similarity and every chooser is compared with the same.
pub(super) fn choices(
    similarity: &SimilarityMatrix,
    options: &EvaluationOptions,
    repetition: u64,
    predict: &Predict<'_>,
) -> Result<Vec<Errors>, SelectionError> {
    let n = similarity.n();
    let mut all = Vec::new();
    for k in &options.ks {
        let drawn: Vec<Vec<usize>> = (0..options.n_random as u64)
            .map(|i| {
                let index = (3 << 32) + (repetition << 16) + i;
                let mut order: Vec<usize> = (0..n).collect();
                let mut rng = generator(options.seed, Purpose::RandomChoice, index);
                shuffle(&mut rng, &mut order);
                order.truncate(*k);
                order
            })
            .collect();
        let chosen: Vec<Vec<usize>> = (Chooser::ALL.into_iter())
            .map(|chooser| chooser.choose(similarity, *k, options))
            .collect::<Result<_, _>>()?;
        for predictor in Predictor::ALL {
            let random: Vec<f64> = (drawn.iter())
                .map(|d| predict(d, predictor))
                .collect::<Result<_, _>>()?;
            for (chooser, chosen) in Chooser::ALL.into_iter().zip(&chosen) {
                all.push(Errors {
                    chooser,
                    k: *k,
                    predictor,
                    chosen: predict(chosen, predictor)?,
                    random: random.clone(),
                });
            }
        }
    }
    Ok(all)
}

/// What one repetition came to: the error of the choice, and of each random one.
pub(super) struct Trial {
    pub(super) by: String,
    pub(super) repetition: String,
    pub(super) chooser: Chooser,
    pub(super) k: usize,
    pub(super) predictor: Predictor,
    pub(super) chosen: f64,
    pub(super) random: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(n: usize, of: impl Fn(usize, usize) -> f32) -> SimilarityMatrix {
        let values = (0..n * n).map(|i| match (i / n, i % n) {
            (a, b) if a == b => 1.0,
            (a, b) => of(a.min(b), a.max(b)),
        });
        SimilarityMatrix::new(n, values.collect(), &|i| i.to_string()).unwrap()
    }

    fn sorted(mut items: Vec<usize>) -> Vec<usize> {
        items.sort_unstable();
        items
    }

    #[test]
    fn medoids_and_branches_are_the_middle_of_each_planted_group() {
        // Three groups of three on a line, the middle one nearest to both others of its group.
        let at = [0.0f32, 0.1, 0.2, 3.0, 3.1, 3.2, 7.0, 7.1, 7.2];
        let line = matrix(9, |i, j| (-(at[i] - at[j]).abs()).exp());
        assert_eq!(sorted(k_medoids(&line, 3)), [1, 4, 7]);
        assert_eq!(sorted(tree(&line, 3)), [1, 4, 7]);
        // Of one: the middle of all; of nine: all.
        assert_eq!(k_medoids(&line, 1), [4]);
        assert_eq!(tree(&line, 1), [4]);
        assert_eq!(tree(&line, 9).len(), 9);
        assert_eq!(sorted(k_medoids(&line, 9)), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn swaps_find_what_building_one_by_one_misses() {
        // The middle one is the best single medoid, and no part of the best pair.
        let at = [0.0f32, 0.2, 1.5, 2.8, 3.0];
        let line = matrix(5, |i, j| 1.0 - (at[i] - at[j]).abs() / 3.0);
        assert_eq!(k_medoids(&line, 1), [2]);
        let pair = sorted(k_medoids(&line, 2));
        let least = (0..5)
            .flat_map(|i| (i + 1..5).map(move |j| vec![i, j]))
            .map(|pair| spread(&line, &pair))
            .fold(f64::INFINITY, f64::min);
        assert!((spread(&line, &pair) - least).abs() < 1e-9, "{pair:?}");
        assert!(!pair.contains(&2), "{pair:?}");
    }
}
