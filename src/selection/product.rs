//! Similarities of experiments from those of their biosamples and of their assays.
//!
//! A compendium of 400 × 84 has 33,600 experiments and a billion pairs. Where the similarity of two
//! experiments is the product (or the mean) of that of their biosamples and that of their assays, a row of the
//! big matrix is an outer product (or sum) of a row of 400 and one of 84: two small matrices are all that is kept, and
//! a row costs a multiplication an experiment.

use persea_vocabulary::vocabulary;
use std::ops::Range;

use super::similarity::{Similarity, SimilarityMatrix};

vocabulary! {
    /// How the two are put together.
    pub enum Combination {
        /// Product: both must be similar
        Product = "product",
        /// Mean: one similar part counts half
        Mean = "mean",
    }
}

/// Experiment (b, a) is item b · n_assays + a.
#[derive(Debug, Clone)]
pub struct Experiments {
    biosamples: SimilarityMatrix,
    assays: SimilarityMatrix,
    combination: Combination,
}

impl Experiments {
    /// All pairs of the two.
    pub fn new(
        biosamples: SimilarityMatrix,
        assays: SimilarityMatrix,
        combination: Combination,
    ) -> Self {
        Experiments {
            biosamples,
            assays,
            combination,
        }
    }
}

impl Similarity for Experiments {
    fn n_candidates(&self) -> usize {
        self.biosamples.n() * self.assays.n()
    }

    fn n_targets(&self) -> usize {
        self.n_candidates()
    }

    fn fill(&self, candidates: &[usize], targets: Range<usize>, out: &mut [f32]) {
        let n_assays = self.assays.n();
        for (c, row) in candidates.iter().zip(out.chunks_exact_mut(targets.len())) {
            let of_assay = self.assays.of(c % n_assays);
            let mut done = 0;
            while done < row.len() {
                let target = targets.start + done;
                let (biosample, assay) = (target / n_assays, target % n_assays);
                let n = (n_assays - assay).min(row.len() - done);
                let alike = self.biosamples.get(c / n_assays, biosample);
                let pairs = row[done..done + n]
                    .iter_mut()
                    .zip(&of_assay[assay..assay + n]);
                match self.combination {
                    Combination::Product => pairs.for_each(|(out, s)| *out = alike * s),
                    Combination::Mean => pairs.for_each(|(out, s)| *out = 0.5 * (alike + s)),
                }
                done += n;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::similarity::whole_row;

    #[test]
    fn a_row_is_the_product_or_mean_of_two_rows_whatever_block_is_asked_for() {
        let matrix = |values: &[f32], n| {
            SimilarityMatrix::new(n, values.to_vec(), &|i| i.to_string()).unwrap()
        };
        let biosamples = matrix(&[1.0, 0.5, 0.5, 1.0], 2);
        let assays = matrix(&[1.0, 0.25, 0.0, 0.25, 1.0, 0.75, 0.0, 0.75, 1.0], 3);
        for combination in [Combination::Product, Combination::Mean] {
            let all = Experiments::new(biosamples.clone(), assays.clone(), combination);
            for c in 0..6 {
                let row = whole_row(&all, c);
                for (t, value) in row.iter().enumerate() {
                    let (b, a) = (biosamples.get(c / 3, t / 3), assays.get(c % 3, t % 3));
                    let expected = match combination {
                        Combination::Product => a * b,
                        Combination::Mean => 0.5 * (a + b),
                    };
                    assert_eq!(*value, expected);
                }
                let mut part = [0f32; 4];
                all.fill(&[c], 1..5, &mut part);
                assert_eq!(part, row[1..5]);
            }
        }
    }
}
