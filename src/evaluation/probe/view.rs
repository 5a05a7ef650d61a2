//! How a representation's raw numbers become the vectors whose distances count.

use ndarray::{Array1, Array2};

use super::linear::Components;
use crate::nn::product::{Matrix, Threads, multiply};

/// From raw numbers to vectors.
#[derive(Debug, Clone)]
pub(super) struct View {
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// `[numbers, components]`, of what has been standardised; none where that is the vector.
    weights: Option<(Vec<f32>, usize)>,
}

impl View {
    /// Centred, on the scale that the numbers have.
    pub fn centred(mean: &Array1<f64>) -> Self {
        View {
            mean: mean.to_vec(),
            scale: vec![1.0; mean.len()],
            weights: None,
        }
    }

    /// Centred and divided by their standard deviations.
    pub fn standardised(mean: &Array1<f64>, deviation: &Array1<f64>) -> Self {
        View {
            scale: deviation.iter().map(|d| 1.0 / d).collect(),
            ..Self::centred(mean)
        }
    }

    /// Principal components of what is centred and divided by its standard deviations.
    pub fn components(components: &Components) -> Self {
        let weights: &Array2<f64> = &components.weights;
        let values = weights.iter().map(|w| *w as f32).collect();
        View {
            weights: Some((values, weights.ncols())),
            ..Self::centred(&components.mean)
        }
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.weights.as_ref().map_or(self.mean.len(), |(_, n)| *n)
    }

    /// The vectors of some rows of raw numbers, `[rows, width]`.
    pub fn apply(&self, raw: &[f32], rows: &[usize]) -> Vec<f32> {
        let n = self.mean.len();
        let mut scaled = Vec::with_capacity(rows.len() * n);
        for row in rows {
            let numbers = raw[row * n..(row + 1) * n].iter();
            let standardisation = self.mean.iter().zip(&self.scale);
            scaled.extend(
                numbers
                    .zip(standardisation)
                    .map(|(v, (mean, scale))| ((f64::from(*v) - mean) * scale) as f32),
            );
        }
        let Some((weights, width)) = &self.weights else {
            return scaled;
        };
        let mut out = vec![0f32; rows.len() * width];
        let (scaled, weights) = (Matrix::new(&scaled, n), Matrix::new(weights, *width));
        multiply(&mut out, scaled, weights, false, Threads::One);
        out
    }
}
