//! Similarities of vectors, computed in blocks when they are asked for.

use std::ops::Range;

use super::SelectionError;
use super::similarity::{Similarity, SimilarityMatrix};
use crate::nn::product::{Matrix, Threads, multiply};

/// How vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// Their cosine; negative ones count as 0.
    Cosine,
    /// exp(−γ d²) of their Euclidean distance d; without γ, one over the median of d² over pairs of
    /// different items.
    Rbf {
        /// γ.
        gamma: Option<f64>,
    },
    /// The squared Pearson correlation of their values.
    SquaredCorrelation,
    /// Pearson's correlation; negative ones count as 0.
    Correlation,
}

/// Vectors of one length and how they are compared; items are both candidates and targets.
#[derive(Debug, Clone)]
pub struct Vectors {
    n: usize,
    width: usize,
    /// `[n, width]`, prepared: of length 1 where cosines and correlations are asked for.
    values: Vec<f32>,
    /// Each vector's squared length.
    squares: Vec<f32>,
    kernel: Kernel,
    gamma: f32,
}

impl Vectors {
    /// Prepares vectors, `[n, width]`, row-major.
    ///
    /// # Errors
    /// When a value is not finite, a vector is all zeros (constant, where correlations are asked
    /// for), or γ is not above 0; the item is named.
    pub fn new(
        width: usize,
        values: &[f32],
        kernel: Kernel,
        name: &dyn Fn(usize) -> String,
    ) -> Result<Self, SelectionError> {
        Self::weighted(width, values, None, kernel, name)
    }

    /// As [`Vectors::new`], where position i of a vector counts `weights[i]` times (not negative).
    pub(super) fn weighted(
        width: usize,
        values: &[f32],
        weights: Option<&[f32]>,
        kernel: Kernel,
        name: &dyn Fn(usize) -> String,
    ) -> Result<Self, SelectionError> {
        let n = values.len() / width.max(1);
        let weight = |i: usize| weights.map_or(1.0, |w| f64::from(w[i]));
        let roots: Option<Vec<f64>> =
            weights.map(|w| w.iter().map(|w| f64::from(*w).sqrt()).collect());
        let total: f64 = (0..width).map(weight).sum();
        let mut prepared = Vec::with_capacity(values.len());
        for (i, vector) in values.chunks_exact(width.max(1)).enumerate() {
            if vector.iter().any(|v| !v.is_finite()) {
                let why = format!("{} has a value that is not a finite number", name(i));
                return Err(SelectionError::question(why));
            }
            let centre = match kernel {
                Kernel::SquaredCorrelation | Kernel::Correlation => {
                    let weighted = vector.iter().enumerate();
                    weighted
                        .map(|(i, v)| weight(i) * f64::from(*v))
                        .sum::<f64>()
                        / total
                }
                Kernel::Cosine | Kernel::Rbf { .. } => 0.0,
            };
            let square = |(i, v): (usize, &f32)| weight(i) * (f64::from(*v) - centre).powi(2);
            let length = match kernel {
                Kernel::Rbf { .. } => 1.0,
                _ => vector.iter().enumerate().map(square).sum::<f64>().sqrt(),
            };
            // Nothing may count in a resample.
            if length.is_nan() || length <= 1e-12 {
                let (what, instead) = match kernel {
                    Kernel::Cosine => ("all zeros", "no direction to compare"),
                    _ => ("constant", "no correlation with anything"),
                };
                let why = format!(
                    "what is known of {} is {what}: it has {instead}; exclude it, or compare by rbf",
                    name(i)
                );
                return Err(SelectionError::question(why));
            }
            let scaled = |(i, v): (usize, &f32)| {
                let root = roots.as_ref().map_or(1.0, |r| r[i]);
                (root * (f64::from(*v) - centre) / length) as f32
            };
            prepared.extend(vector.iter().enumerate().map(scaled));
        }
        let squares = prepared
            .chunks_exact(width.max(1))
            .map(|v| v.iter().map(|x| x * x).sum())
            .collect();
        let mut vectors = Vectors {
            n,
            width,
            values: prepared,
            squares,
            kernel,
            gamma: 1.0,
        };
        if let Kernel::Rbf { gamma } = kernel {
            vectors.gamma = match gamma {
                Some(gamma) if gamma > 0.0 && gamma.is_finite() => gamma as f32,
                Some(gamma) => {
                    let why = format!("gamma is {gamma}; it must be a number above 0");
                    return Err(SelectionError::question(why));
                }
                None => vectors.median_gamma(),
            };
        }
        Ok(vectors)
    }

    /// γ of the RBF kernel.
    pub fn gamma(&self) -> f64 {
        f64::from(self.gamma)
    }

    /// One over the median squared distance, over at most some 500,000 pairs spread evenly.
    fn median_gamma(&self) -> f32 {
        let step = self.n.div_ceil(1_000).max(1);
        let some: Vec<usize> = (0..self.n).step_by(step).collect();
        let mut squares = Vec::new();
        for (at, i) in some.iter().enumerate() {
            for j in &some[..at] {
                let (a, b) = (self.vector(*i), self.vector(*j));
                squares.push(a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>());
            }
        }
        squares.sort_by(f32::total_cmp);
        match squares.get(squares.len() / 2) {
            Some(median) if *median > 0.0 => 1.0 / median,
            _ => 1.0,
        }
    }

    fn vector(&self, i: usize) -> &[f32] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    /// All similarities, where they fit into memory. Their rounding is made symmetric.
    pub fn matrix(&self) -> Result<SimilarityMatrix, SelectionError> {
        let n = self.n;
        let mut values = vec![0f32; n * n];
        let all: Vec<usize> = (0..n).collect();
        self.fill(&all, 0..n, &mut values);
        for i in 0..n {
            values[i * n + i] = 1.0;
            for j in 0..i {
                values[j * n + i] = values[i * n + j];
            }
        }
        SimilarityMatrix::new(n, values, &|i| format!("item {i}"))
    }
}

impl Similarity for Vectors {
    fn n_candidates(&self) -> usize {
        self.n
    }

    fn n_targets(&self) -> usize {
        self.n
    }

    fn fill(&self, candidates: &[usize], targets: Range<usize>, out: &mut [f32]) {
        let asked: Vec<f32> = candidates
            .iter()
            .flat_map(|c| self.vector(*c))
            .copied()
            .collect();
        let among = &self.values[targets.start * self.width..targets.end * self.width];
        multiply(
            out,
            Matrix::new(&asked, self.width),
            Matrix::new(among, self.width).t(),
            false,
            Threads::One,
        );
        for (c, row) in candidates
            .iter()
            .zip(out.chunks_exact_mut(targets.len().max(1)))
        {
            let own = self.squares[*c];
            let others = &self.squares[targets.clone()];
            match self.kernel {
                Kernel::Cosine | Kernel::Correlation => {
                    for value in row.iter_mut() {
                        *value = value.clamp(0.0, 1.0);
                    }
                }
                Kernel::SquaredCorrelation => {
                    for value in row.iter_mut() {
                        *value = (*value * *value).min(1.0);
                    }
                }
                Kernel::Rbf { .. } => {
                    for (value, other) in row.iter_mut().zip(others) {
                        let square = (own + other - 2.0 * *value).max(0.0);
                        *value = (-self.gamma * square).exp();
                    }
                }
            }
            // An item is itself, whatever rounding says.
            if targets.contains(c) {
                row[c - targets.start] = 1.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(kernel: Kernel, values: &[f32]) -> Result<SimilarityMatrix, String> {
        let vectors = Vectors::new(2, values, kernel, &|i| format!("item {i}"));
        vectors.and_then(|v| v.matrix()).map_err(|e| e.to_string())
    }

    #[test]
    fn kernels_give_what_they_are_named_for() {
        let vectors = [3.0, 4.0, 4.0, 3.0, -3.0, -4.0];
        let cosine = similarity(Kernel::Cosine, &vectors).unwrap();
        assert!((cosine.get(0, 1) - 0.96).abs() < 1e-6);
        assert_eq!((cosine.get(0, 2), cosine.get(2, 2)), (0.0, 1.0));
        let rbf = similarity(Kernel::Rbf { gamma: Some(0.5) }, &vectors).unwrap();
        assert!((rbf.get(0, 1) - (-1f32).exp()).abs() < 1e-6);
        // Without γ: the squared distances are 2, 100 and 98.
        let rbf = similarity(Kernel::Rbf { gamma: None }, &vectors).unwrap();
        assert!((rbf.get(1, 0) - (-2f32 / 98.0).exp()).abs() < 1e-6);
        let squared = similarity(Kernel::SquaredCorrelation, &vectors).unwrap();
        assert!((squared.get(0, 1) - 1.0).abs() < 1e-6);
        let correlation = similarity(Kernel::Correlation, &vectors).unwrap();
        assert_eq!(correlation.get(0, 1), 0.0);
    }

    #[test]
    fn a_weight_of_two_is_a_position_twice() {
        let values = [1.0, 4.0, -2.0, 0.5, 3.0, 2.0, 2.0, 7.0, -1.0];
        let weights = [2.0, 0.0, 1.0];
        let twice = [1.0, 1.0, -2.0, 0.5, 0.5, 2.0, 2.0, 2.0, -1.0];
        for kernel in [
            Kernel::Cosine,
            Kernel::Rbf { gamma: None },
            Kernel::SquaredCorrelation,
            Kernel::Correlation,
        ] {
            let name = |i: usize| i.to_string();
            let weighted = Vectors::weighted(3, &values, Some(&weights), kernel, &name).unwrap();
            let expected = Vectors::new(3, &twice, kernel, &name).unwrap();
            let (weighted, expected) = (weighted.matrix().unwrap(), expected.matrix().unwrap());
            for (a, b) in weighted.values().iter().zip(expected.values()) {
                assert!((a - b).abs() < 1e-6, "{kernel:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn what_cannot_be_compared_is_refused_by_name() {
        let message = similarity(Kernel::Cosine, &[1.0, 0.0, 0.0, 0.0]).unwrap_err();
        assert!(message.contains("item 1 is all zeros"), "{message}");
        let message = similarity(Kernel::SquaredCorrelation, &[1.0, 1.0]).unwrap_err();
        assert!(message.contains("item 0 is constant"), "{message}");
        let message = similarity(Kernel::Cosine, &[1.0, f32::NAN]).unwrap_err();
        assert!(message.contains("not a finite"), "{message}");
        assert!(similarity(Kernel::Rbf { gamma: Some(0.0) }, &[1.0, 1.0]).is_err());
    }
}
