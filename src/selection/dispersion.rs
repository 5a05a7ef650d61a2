//! Sum and minimum of distances: far from each other, whatever they represent.
//!
//! The distance of two items is that of a kernel, √(s(i, i) + s(j, j) − 2 s(i, j)): Euclidean between
//! the vectors that the similarities are products of, where they are.

use super::objective::Objective;
use super::similarity::{Similarity, fold_rows, whole_row};

/// Distances between items, from their similarities.
#[derive(Clone)]
pub struct Distances<'a> {
    similarity: &'a dyn Similarity,
    own: Vec<f32>,
}

impl<'a> Distances<'a> {
    /// Those of a similarity of items with each other.
    pub fn new(similarity: &'a dyn Similarity) -> Self {
        let own = |c: usize| {
            let mut one = [0f32];
            similarity.fill(&[c], c..c + 1, &mut one);
            one[0]
        };
        Distances {
            own: (0..similarity.n_candidates()).map(own).collect(),
            similarity,
        }
    }

    fn of(&self, i: usize, j: usize, similarity: f32) -> f64 {
        let square = f64::from(self.own[i]) + f64::from(self.own[j]) - 2.0 * f64::from(similarity);
        square.max(0.0).sqrt()
    }

    /// Those of one item to all.
    pub fn row(&self, i: usize) -> Vec<f64> {
        let row = whole_row(self.similarity, i);
        let distances = row.iter().enumerate().map(|(j, s)| self.of(i, j, *s));
        distances.collect()
    }

    /// How far the farthest item is from each.
    fn farthest(&self) -> Vec<f64> {
        let all: Vec<usize> = (0..self.own.len()).collect();
        fold_rows(self.similarity, &all, 0f64, |far, i, targets, row| {
            let distances = targets.zip(row).map(|(j, s)| self.of(i, j, *s));
            distances.fold(far, f64::max)
        })
    }

    /// Whether no way round is shorter than a distance; `None` where there are too many items to
    /// ask.
    pub fn are_a_metric(&self) -> Option<bool> {
        const MOST: usize = 500;
        let n = self.own.len();
        if n > MOST {
            return None;
        }
        let rows: Vec<Vec<f64>> = (0..n).map(|i| self.row(i)).collect();
        let holds = |i: usize, j: usize| {
            let (a, b) = (&rows[i], &rows[j]);
            let most = a[j] - 1e-6 * a[j].max(1e-6);
            (0..n).all(|m| a[m] + b[m] >= most)
        };
        Some((0..n).all(|i| (0..i).all(|j| holds(i, j))))
    }
}

/// The sum of distances between all pairs that are chosen. The first choice is an end of the
/// farthest pair.
#[derive(Clone)]
pub struct SumOfDistances<'a> {
    distances: Distances<'a>,
    scores: Vec<f64>,
    n_chosen: usize,
    value: f64,
}

impl<'a> SumOfDistances<'a> {
    /// With nothing chosen.
    pub fn new(similarity: &'a dyn Similarity) -> Self {
        let distances = Distances::new(similarity);
        SumOfDistances {
            scores: distances.farthest(),
            distances,
            n_chosen: 0,
            value: 0.0,
        }
    }
}

impl Objective for SumOfDistances<'_> {
    fn copy(&self) -> Box<dyn Objective + '_> {
        Box::new(self.clone())
    }

    fn gains(&self, candidates: &[usize]) -> Vec<f64> {
        candidates.iter().map(|c| self.scores[*c]).collect()
    }

    fn add(&mut self, candidate: usize) -> f64 {
        let row = self.distances.row(candidate);
        let gain = match self.n_chosen {
            0 => {
                self.scores = row;
                0.0
            }
            _ => {
                let gain = self.scores[candidate];
                for (score, d) in self.scores.iter_mut().zip(row) {
                    *score += d;
                }
                gain
            }
        };
        self.n_chosen += 1;
        self.value += gain;
        gain
    }

    fn value(&self) -> Option<f64> {
        Some(self.value)
    }

    fn is_submodular(&self) -> bool {
        false
    }

    fn is_monotone(&self) -> bool {
        true
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

/// The least distance between two that are chosen: farthest-first. A choice's gain is how far it
/// was from the nearest that had been chosen; the first, an end of the farthest pair, has none.
#[derive(Clone)]
pub struct MinimumDistance<'a> {
    distances: Distances<'a>,
    scores: Vec<f64>,
    n_chosen: usize,
    value: Option<f64>,
}

impl<'a> MinimumDistance<'a> {
    /// With nothing chosen.
    pub fn new(similarity: &'a dyn Similarity) -> Self {
        let distances = Distances::new(similarity);
        MinimumDistance {
            scores: distances.farthest(),
            distances,
            n_chosen: 0,
            value: None,
        }
    }
}

impl Objective for MinimumDistance<'_> {
    fn copy(&self) -> Box<dyn Objective + '_> {
        Box::new(self.clone())
    }

    fn gains(&self, candidates: &[usize]) -> Vec<f64> {
        candidates.iter().map(|c| self.scores[*c]).collect()
    }

    fn add(&mut self, candidate: usize) -> f64 {
        let row = self.distances.row(candidate);
        let gain = match self.n_chosen {
            0 => {
                self.scores = row;
                0.0
            }
            _ => {
                let gain = self.scores[candidate];
                for (score, d) in self.scores.iter_mut().zip(row) {
                    *score = score.min(d);
                }
                self.value = Some(self.value.map_or(gain, |v| v.min(gain)));
                gain
            }
        };
        self.n_chosen += 1;
        gain
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn is_submodular(&self) -> bool {
        false
    }

    fn is_monotone(&self) -> bool {
        false
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
