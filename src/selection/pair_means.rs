//! The mean similarity of pairs, over whatever each pair has in common; and the same of resamples.

use super::SelectionError;
use super::similarity::SimilarityMatrix;
use super::vectors::{Kernel, Vectors};

/// Sums of similarities, of all positions and of each resample.
pub(super) struct PairMeans<'a> {
    n: usize,
    /// How many similarities each pair has, `[n, n]`.
    counts: Vec<u32>,
    sums: Vec<f64>,
    /// A weight for each position, for each resample.
    weights: &'a [Vec<f32>],
    /// Of each resample; `None` where an item could not be compared.
    resampled: Vec<Option<Vec<f64>>>,
}

impl<'a> PairMeans<'a> {
    pub(super) fn new(n: usize, weights: &'a [Vec<f32>]) -> Self {
        PairMeans {
            n,
            counts: vec![0; n * n],
            sums: vec![0.0; n * n],
            weights,
            resampled: vec![Some(vec![0.0; n * n]); weights.len()],
        }
    }

    /// Adds the similarities of the items at some places by their values, `[places, width]`.
    pub(super) fn add(
        &mut self,
        places: &[usize],
        (width, values): (usize, &[f32]),
        kernel: Kernel,
        name: &dyn Fn(usize) -> String,
    ) -> Result<(), SelectionError> {
        let n = self.n;
        let add = |sums: &mut [f64], matrix: &SimilarityMatrix| {
            for (i, a) in places.iter().enumerate() {
                for (j, b) in places.iter().enumerate() {
                    sums[a * n + b] += f64::from(matrix.get(i, j));
                }
            }
        };
        add(
            &mut self.sums,
            &Vectors::new(width, values, kernel, name)?.matrix()?,
        );
        for a in places {
            for b in places {
                self.counts[a * n + b] += 1;
            }
        }
        for (sums, weights) in self.resampled.iter_mut().zip(self.weights) {
            let Some(of_this) = sums else { continue };
            let vectors = Vectors::weighted(width, values, Some(weights), kernel, name);
            match vectors.and_then(|v| v.matrix()) {
                Ok(matrix) => add(of_this, &matrix),
                Err(_) => *sums = None,
            }
        }
        Ok(())
    }

    /// The means, and those of each resample.
    pub(super) fn matrices(
        &self,
        names: &[String],
    ) -> Result<(SimilarityMatrix, Vec<Option<SimilarityMatrix>>), SelectionError> {
        let n = self.n;
        for a in 0..n {
            for b in 0..a {
                if self.counts[a * n + b] == 0 {
                    return Err(SelectionError::question(format!(
                        "{} and {} have no track in common to be compared by; compare factors or imputed signal",
                        names[b], names[a]
                    )));
                }
            }
        }
        let mean = |sums: &[f64]| {
            let means = sums.iter().zip(&self.counts).enumerate();
            let means = means.map(|(i, (sum, count))| match count {
                // Without a track of its own an item is like itself.
                0 if i / n == i % n => 1.0,
                _ => (sum / f64::from(*count)) as f32,
            });
            SimilarityMatrix::new(n, means.collect(), &|i| names[i].clone())
        };
        let of_all = mean(&self.sums)?;
        let resampled = (self.resampled.iter())
            .map(|sums| sums.as_deref().map(mean).transpose())
            .collect::<Result<_, _>>()?;
        Ok((of_all, resampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_a_pair_is_over_the_tracks_that_both_have() {
        let weights = [
            vec![1.0, 1.0, 1.0],
            vec![0.0, 2.0, 1.0],
            vec![3.0, 0.0, 0.0],
        ];
        let mut means = PairMeans::new(3, &weights);
        let names = ["a", "b", "c"].map(String::from);
        let name = |i: usize| i.to_string();
        let kernel = Kernel::SquaredCorrelation;
        let first = [1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 1.0, 4.0];
        means.add(&[0, 1, 2], (3, &first), kernel, &name).unwrap();
        // r(a, c) = 3/√12 there; of a and b alone a second track, uncorrelated.
        let second = [1.0, 2.0, 3.0, 1.0, 3.0, 1.0];
        means.add(&[0, 1], (3, &second), kernel, &name).unwrap();
        let (matrix, resampled) = means.matrices(&names).unwrap();
        assert!((matrix.get(0, 1) - 0.5).abs() < 1e-6);
        assert!((matrix.get(0, 2) - 0.75).abs() < 1e-6);
        // The same weights give the same; of the others one has but one distinct position.
        assert_eq!(resampled[0], Some(matrix));
        // Positions 2, 2, 3: the second track is then a line as well.
        assert!((resampled[1].as_ref().unwrap().get(0, 1) - 1.0).abs() < 1e-6);
        assert_eq!(resampled[2], None);
    }

    #[test]
    fn a_pair_without_a_common_track_is_named() {
        let mut means = PairMeans::new(2, &[]);
        let (kernel, name) = (Kernel::SquaredCorrelation, |i: usize| i.to_string());
        means.add(&[0], (2, &[1.0, 2.0]), kernel, &name).unwrap();
        let names = ["a", "b"].map(String::from);
        let message = means.matrices(&names).unwrap_err().to_string();
        assert!(
            message.contains("a and b have no track in common"),
            "{message}"
        );
    }
}
