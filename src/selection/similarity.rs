//! How alike candidates and targets are: what objectives are made of.
//!
//! A candidate is what may be chosen, a target what is to be represented. They are the same items,
//! but where positions of the genome are chosen. Objectives ask for blocks of the matrix and never
//! for all of it, so that it need not be in memory.

use std::ops::Range;

use rayon::prelude::*;

use super::SelectionError;

/// Targets of a block.
pub(super) const BLOCK_TARGETS: usize = 2_048;
/// Candidates of a block.
const BLOCK_CANDIDATES: usize = 128;
/// Below so many similarities one thread is faster than several.
const SMALL: usize = 1 << 14;

/// Similarities of candidates to targets, non-negative and finite.
pub trait Similarity: Sync {
    /// How many candidates there are.
    fn n_candidates(&self) -> usize;

    /// How many targets there are.
    fn n_targets(&self) -> usize;

    /// Fills `out`, `[candidates, targets]`, row-major.
    fn fill(&self, candidates: &[usize], targets: Range<usize>, out: &mut [f32]);

    /// A candidate's row where it lies in memory.
    fn row(&self, _candidate: usize) -> Option<&[f32]> {
        None
    }
}

/// A symmetric matrix in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityMatrix {
    n: usize,
    values: Vec<f32>,
}

impl SimilarityMatrix {
    /// Checks and takes a matrix, row-major; `name` says what an item is called in errors.
    ///
    /// # Errors
    /// When it is not square, not symmetric (to a millionth of the larger value), or has negative
    /// values, NaN or infinity; the items are named.
    pub fn new(
        n: usize,
        values: Vec<f32>,
        name: &dyn Fn(usize) -> String,
    ) -> Result<Self, SelectionError> {
        if values.len() != n * n {
            return Err(SelectionError::question(format!(
                "a similarity matrix of {n} items has {} values, and {} were given",
                n * n,
                values.len()
            )));
        }
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (values[i * n + j], values[j * n + i]);
                let pair = || format!("{} and {}", name(i), name(j));
                let wrong = if !a.is_finite() || !b.is_finite() {
                    format!("the similarity of {} is not a finite number", pair())
                } else if a < 0.0 || b < 0.0 {
                    format!(
                        "the similarity of {} is {}; similarities must not be negative",
                        pair(),
                        a.min(b)
                    )
                } else if (a - b).abs() > 1e-6 * a.max(b).max(1e-6) {
                    format!(
                        "the matrix is not symmetric: {} has {a} one way and {b} the other",
                        pair()
                    )
                } else {
                    continue;
                };
                return Err(SelectionError::question(wrong));
            }
        }
        Ok(SimilarityMatrix { n, values })
    }

    /// How many items it is of.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The similarity of two items.
    pub fn get(&self, i: usize, j: usize) -> f32 {
        self.values[i * self.n + j]
    }

    /// An item's similarities to all.
    pub(super) fn of(&self, item: usize) -> &[f32] {
        &self.values[item * self.n..(item + 1) * self.n]
    }

    /// Its values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Similarity for SimilarityMatrix {
    fn n_candidates(&self) -> usize {
        self.n
    }

    fn n_targets(&self) -> usize {
        self.n
    }

    fn fill(&self, candidates: &[usize], targets: Range<usize>, out: &mut [f32]) {
        for (c, out) in candidates.iter().zip(out.chunks_exact_mut(targets.len())) {
            let row = &self.values[c * self.n..(c + 1) * self.n];
            out.copy_from_slice(&row[targets.clone()]);
        }
    }

    fn row(&self, candidate: usize) -> Option<&[f32]> {
        Some(self.of(candidate))
    }
}

/// Walks the rows of candidates block by block and folds each into a value. A value sees its row's
/// blocks in order, whatever other candidates are asked for and however many threads there are.
pub(super) fn fold_rows<T: Send + Clone + Sync>(
    similarity: &dyn Similarity,
    candidates: &[usize],
    start: T,
    fold: impl Fn(T, usize, Range<usize>, &[f32]) -> T + Sync,
) -> Vec<T> {
    let n_targets = similarity.n_targets();
    let work = |part: &[usize]| -> Vec<T> {
        let mut values = vec![start.clone(); part.len()];
        let in_memory = part.iter().all(|c| similarity.row(*c).is_some());
        let mut buffer = Vec::new();
        let mut first = 0;
        while first < n_targets {
            let targets = first..(first + BLOCK_TARGETS).min(n_targets);
            if !in_memory {
                buffer.resize(part.len() * targets.len(), 0f32);
                similarity.fill(part, targets.clone(), &mut buffer);
            }
            for (i, (candidate, value)) in part.iter().zip(&mut values).enumerate() {
                let row = match similarity.row(*candidate) {
                    Some(row) => &row[targets.clone()],
                    None => &buffer[i * targets.len()..(i + 1) * targets.len()],
                };
                *value = fold(value.clone(), *candidate, targets.clone(), row);
            }
            first = targets.end;
        }
        values
    };
    if candidates.len() * n_targets < SMALL {
        return candidates.chunks(BLOCK_CANDIDATES).flat_map(work).collect();
    }
    // Few candidates are shared among threads as well.
    let chunk = (candidates.len().div_ceil(8)).clamp(1, BLOCK_CANDIDATES);
    let parts: Vec<Vec<T>> = candidates.par_chunks(chunk).map(work).collect();
    parts.into_iter().flatten().collect()
}

/// One row, whole.
pub(super) fn whole_row(similarity: &dyn Similarity, candidate: usize) -> Vec<f32> {
    let mut row = vec![0f32; similarity.n_targets()];
    similarity.fill(&[candidate], 0..similarity.n_targets(), &mut row);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: Vec<f32>) -> Result<SimilarityMatrix, String> {
        SimilarityMatrix::new(2, values, &|i| ["a", "b"][i].to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn matrices_that_are_none_of_similarities_are_refused_and_the_items_named() {
        assert!(check(vec![1.0, 0.5, 0.5, 1.0]).is_ok());
        for (values, why) in [
            (vec![1.0, 0.5, 0.25, 1.0], "not symmetric: b and a"),
            (
                vec![1.0, f32::NAN, f32::NAN, 1.0],
                "of b and a is not a finite",
            ),
            (vec![1.0, -0.5, -0.5, 1.0], "must not be negative"),
            (vec![1.0, 0.5, 0.5], "has 4 values"),
        ] {
            let message = check(values).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }
}
