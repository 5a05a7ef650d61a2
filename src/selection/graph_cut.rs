//! Graph cut: like all, unlike each other (Lin and Bilmes 2011).

use super::objective::Objective;
use super::similarity::{Similarity, fold_rows, whole_row};

/// λ Σ over targets and chosen of their similarity − Σ over pairs of chosen, an item with itself
/// among them (apricot's `GraphCutSelection`, whose α is this λ).
#[derive(Clone)]
pub struct GraphCut<'a> {
    similarity: &'a dyn Similarity,
    lambda: f64,
    gains: Vec<f64>,
    value: f64,
}

impl<'a> GraphCut<'a> {
    /// With nothing chosen.
    pub fn new(similarity: &'a dyn Similarity, lambda: f64) -> Self {
        let all: Vec<usize> = (0..similarity.n_candidates()).collect();
        let sums = fold_rows(
            similarity,
            &all,
            (0f64, 0f64),
            |(sum, own), c, targets, row| {
                let own = match targets.contains(&c) {
                    true => f64::from(row[c - targets.start]),
                    false => own,
                };
                (sum + row.iter().map(|s| f64::from(*s)).sum::<f64>(), own)
            },
        );
        GraphCut {
            similarity,
            lambda,
            gains: sums.iter().map(|(sum, own)| lambda * sum - own).collect(),
            value: 0.0,
        }
    }
}

impl Objective for GraphCut<'_> {
    fn copy(&self) -> Box<dyn Objective + '_> {
        Box::new(self.clone())
    }

    fn gains(&self, candidates: &[usize]) -> Vec<f64> {
        candidates.iter().map(|c| self.gains[*c]).collect()
    }

    fn add(&mut self, candidate: usize) -> f64 {
        let gain = self.gains[candidate];
        let row = whole_row(self.similarity, candidate);
        for (gain, s) in self.gains.iter_mut().zip(row) {
            *gain -= 2.0 * f64::from(s);
        }
        self.value += gain;
        gain
    }

    fn value(&self) -> Option<f64> {
        Some(self.value)
    }

    fn is_submodular(&self) -> bool {
        true
    }

    /// A gain is λ times a sum less at most twice that sum.
    fn is_monotone(&self) -> bool {
        self.lambda >= 2.0
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
