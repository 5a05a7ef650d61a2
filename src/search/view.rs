//! How factors are compared: as they are, or as the network's first layer transforms them.

use ndarray::{Array2, ArrayView2};
use persea_vocabulary::vocabulary;

use crate::genome::Resolution;
use crate::model::TrainedModel;

vocabulary! {
    /// What distance is meant.
    pub enum Metric = Euclidean {
        /// Euclidean distance between factors
        Euclidean = "euclidean",
        /// Distance between contributions to the network's first layer
        Network = "network",
        /// One minus the cosine of factors
        Cosine = "cosine",
    }
}

impl Metric {
    /// Euclidean and cosine distances are taken from the same files.
    pub(super) const fn files(self) -> &'static str {
        match self {
            Metric::Euclidean | Metric::Cosine => "factors",
            Metric::Network => "network",
        }
    }
}

/// A linear map of each scale's factors that leaves their number as it is.
///
/// For the network metric it need not be the first layer's block W itself, which has as many
/// columns as the network has nodes: |Wᵀ(x − y)|² = (x − y)ᵀ W Wᵀ (x − y), so any L with
/// L Lᵀ = W Wᵀ gives the same distances, and Cholesky's has no more columns than factors. Mapped
/// files are as large as the factors' own, whatever the network's size.
#[derive(Debug, Clone)]
pub(super) struct View {
    maps: Option<[Array2<f64>; 3]>,
}

impl View {
    pub fn new(model: &TrainedModel, metric: Metric) -> Self {
        View {
            maps: (metric == Metric::Network)
                .then(|| Resolution::ALL.map(|scale| cholesky(model.first_layer(scale)))),
        }
    }

    /// Maps row-major rows of a scale in place.
    pub fn apply(&self, scale: Resolution, rows: &mut [f32]) {
        let Some(maps) = &self.maps else { return };
        let map = &maps[scale.index()];
        let n = map.nrows().max(1);
        let mut sums = vec![0f64; n];
        for row in rows.chunks_exact_mut(n) {
            sums.fill(0.0);
            for (x, weights) in row.iter().zip(map.rows()) {
                for (sum, w) in sums.iter_mut().zip(weights) {
                    *sum += f64::from(*x) * w;
                }
            }
            for (x, sum) in row.iter_mut().zip(&sums) {
                *x = *sum as f32;
            }
        }
    }
}

/// The lower triangular L with L Lᵀ = W Wᵀ. Where W has fewer independent rows than rows, columns
/// of L are zero.
pub(super) fn cholesky(weights: ArrayView2<'_, f32>) -> Array2<f64> {
    let w = weights.mapv(f64::from);
    let gram = w.dot(&w.t());
    let n = gram.nrows();
    let largest = (0..n).map(|i| gram[[i, i]]).fold(0f64, f64::max);
    let mut l = Array2::<f64>::zeros((n, n));
    for j in 0..n {
        let pivot = gram[[j, j]] - (0..j).map(|c| l[[j, c]] * l[[j, c]]).sum::<f64>();
        if pivot <= 1e-13 * largest {
            continue;
        }
        let root = pivot.sqrt();
        l[[j, j]] = root;
        for i in j + 1..n {
            let sum: f64 = (0..j).map(|c| l[[i, c]] * l[[j, c]]).sum();
            l[[i, j]] = (gram[[i, j]] - sum) / root;
        }
    }
    l
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, fill_uniform, generator};

    #[test]
    fn the_map_keeps_the_distances_that_the_first_layer_makes() {
        // More nodes than factors, as many, fewer: a singular product.
        for (factors, nodes) in [(5, 64), (8, 8), (9, 4)] {
            let mut rng = generator(3, Purpose::Initial, nodes as u64);
            let mut weights = Array2::<f32>::zeros((factors, nodes));
            fill_uniform(&mut rng, 0.3, weights.as_slice_mut().unwrap());
            let map = cholesky(weights.view());
            let view = View {
                maps: Some([map.clone(), map.clone(), map]),
            };
            let mut pair = vec![0f32; 2 * factors];
            fill_uniform(&mut rng, 1.0, &mut pair);
            let mut expected = 0f64;
            for node in weights.columns() {
                let difference = |i: usize| f64::from(pair[i]) - f64::from(pair[factors + i]);
                let sum: f64 = (0..factors)
                    .map(|i| f64::from(node[i]) * difference(i))
                    .sum();
                expected += sum * sum;
            }
            view.apply(Resolution::Kbp5, &mut pair);
            let found: f64 = (0..factors)
                .map(|i| (f64::from(pair[i]) - f64::from(pair[factors + i])).powi(2))
                .sum();
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
        }
    }
}
