//! Principal components of standardised columns, by orthogonal iteration on their covariance.
//!
//! The full decomposition (`crate::linear`) takes the cube of the columns, of which there may be
//! thousands; here a few leading ones are wanted, which these products give in far less.

use ndarray::{Array1, Array2, Axis};
use rand_chacha::rand_core::RngCore;

use crate::random::{Purpose, generator};

/// Iterations at most; each multiplies what separates neighbouring components by their ratio.
const MOST_ITERATIONS: usize = 200;
/// Change of the components' variances, as a share of their sum, that ends the iteration.
const TOLERANCE: f64 = 1e-9;

/// The leading components.
pub(super) struct Pca {
    /// `[n_columns, n_components]`, orthonormal.
    directions: Array2<f64>,
}

impl Pca {
    /// Learns components of centred columns.
    pub(super) fn learn(x: &Array2<f64>, n_components: usize) -> Self {
        let covariance = x.t().dot(x) / x.nrows().max(1) as f64;
        let mut rng = generator(0, Purpose::Components, 0);
        let mut basis = Array2::from_shape_simple_fn((x.ncols(), n_components), || {
            f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5
        });
        orthonormalise(&mut basis);
        let mut before = 0.0;
        for _ in 0..MOST_ITERATIONS {
            let next = covariance.dot(&basis);
            let explained: f64 = (&next * &basis).sum();
            basis = next;
            orthonormalise(&mut basis);
            if (explained - before).abs() <= TOLERANCE * explained.abs() {
                break;
            }
            before = explained;
        }
        Pca { directions: basis }
    }

    /// The rows' components.
    pub(super) fn apply(&self, x: &Array2<f64>) -> Array2<f64> {
        x.dot(&self.directions)
    }
}

/// Gram–Schmidt, twice, which is enough for rounding; a column that vanishes stays zero.
fn orthonormalise(basis: &mut Array2<f64>) {
    for i in 0..basis.ncols() {
        let mut column: Array1<f64> = basis.column(i).to_owned();
        let before = column.dot(&column).sqrt();
        for _ in 0..2 {
            let done = basis.slice_axis(Axis(1), (0..i).into());
            let shares = done.t().dot(&column);
            column -= &done.dot(&shares);
        }
        let length = column.dot(&column).sqrt();
        let scale = if length > 1e-12 * before.max(1e-300) {
            1.0 / length
        } else {
            0.0
        };
        basis.column_mut(i).assign(&(column * scale));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_span_the_directions_of_most_variance() {
        let mut rng = generator(5, Purpose::Components, 1);
        let mut unit = || f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5;
        // Two hidden directions, strong and weak, in five columns, with a little noise.
        let rows: Vec<f64> = (0..400)
            .flat_map(|_| {
                let (a, b) = (10.0 * unit(), 3.0 * unit());
                let own: Vec<f64> = (0..5).map(|_| 0.01 * unit()).collect();
                [a + own[0], a + own[1], b + own[2], -b + own[3], own[4]]
            })
            .collect();
        let x = Array2::from_shape_vec((400, 5), rows).unwrap();
        let x = &x - &x.mean_axis(Axis(0)).unwrap();
        let pca = Pca::learn(&x, 2);
        let gram = pca.directions.t().dot(&pca.directions);
        assert!((gram[[0, 0]] - 1.0).abs() < 1e-9 && gram[[0, 1]].abs() < 1e-9);
        let half = 0.5f64.sqrt();
        let first = pca.directions.column(0);
        assert!((first[0].abs() - half).abs() < 1e-3 && (first[1] - first[0]).abs() < 1e-3);
        let kept = pca.apply(&x);
        let share = kept.mapv(|v| v * v).sum() / x.mapv(|v| v * v).sum();
        assert!(share > 0.999, "{share}");
    }

    #[test]
    fn more_components_than_there_are_directions_are_zero_beyond_them() {
        let x = Array2::from_shape_vec(
            (4, 3),
            vec![1., 1., 0., -1., -1., 0., 2., 2., 0., -2., -2., 0.],
        );
        let pca = Pca::learn(&x.unwrap(), 2);
        assert!(pca.directions.iter().all(|v| v.is_finite()));
    }
}
