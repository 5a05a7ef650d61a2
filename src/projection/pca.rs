//! Principal components, exactly: all eigenvectors of the covariance.

use ndarray::{Array1, Array2, ArrayView2};

use crate::linear::Components;

/// Principal components of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Where each point lies along the leading components, `[n_points, n_components]`.
    pub scores: Array2<f64>,
    /// For every component, in descending order, its share of the variance: they sum to 1.
    pub explained: Vec<f64>,
}

/// The leading components of the rows of `points`, which are centred and not scaled.
///
/// A component's sign is such that its largest loading is positive, so that a picture does not flip
/// from one machine to the next. Where all points are equal all scores and shares are 0.
pub fn pca(points: ArrayView2<'_, f32>, n_components: usize) -> Pca {
    let (n, width) = points.dim();
    let mut centred = points.mapv(f64::from);
    if n > 0 {
        let mut mean = Array1::<f64>::zeros(width);
        for row in centred.rows() {
            mean += &row;
        }
        mean /= n as f64;
        for mut row in centred.rows_mut() {
            row -= &mean;
        }
    }
    let found = Components::of(&centred, n.min(width));
    let total: f64 = found.variances.iter().sum();
    let mut explained: Vec<f64> = (found.variances.iter())
        .map(|v| if total > 0.0 { v / total } else { 0.0 })
        .collect();
    explained.resize(width, 0.0);
    let mut directions = Array2::<f64>::zeros((width, n_components));
    for (mut to, from) in (directions.columns_mut().into_iter()).zip(found.directions.columns()) {
        to.assign(&from);
    }
    Pca {
        scores: centred.dot(&directions),
        explained,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    /// By hand: the covariance is [[5/3, 4/3], [4/3, 5/3]] with eigenvalues 3 and 1/3 along the
    /// diagonals.
    #[test]
    fn components_of_four_points_are_those_worked_out_by_hand() {
        let points = array![[1.0f32, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]];
        let found = pca(points.view(), 2);
        assert!((found.explained[0] - 0.8).abs() < 1e-12, "{found:?}");
        assert!((found.explained[1] - 0.2).abs() < 1e-12);
        let root = 0.5f64.sqrt();
        let expected = [-2.0 * root, -2.0 * root, 2.0 * root, 2.0 * root];
        for (score, expected) in found.scores.column(0).iter().zip(expected) {
            assert!((score - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_points_have_no_variance_and_all_lie_at_0() {
        let found = pca(Array2::from_elem((4, 3), 2.5f32).view(), 2);
        assert!(
            found
                .scores
                .iter()
                .chain(&found.explained)
                .all(|v| *v == 0.0)
        );
    }

    #[test]
    fn few_long_rows_have_the_components_that_their_distances_ask_for() {
        // The four points above, turned into seven dimensions: each of two axes along a direction
        // of length 1.
        let (a, b) = ([0.6f32, 0.8, 0.0, 0.0], [0.0f32, 0.0, 0.28, 0.96]);
        let points = array![[1.0f32, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]];
        let wide = Array2::from_shape_fn((4, 7), |(i, j)| match j {
            0..4 => points[[i, 0]] * a[j] + points[[i, 1]] * b[j],
            _ => 5.0,
        });
        let found = pca(wide.view(), 3);
        assert_eq!(found.explained.len(), 7);
        assert!((found.explained[0] - 0.8).abs() < 1e-6, "{found:?}");
        assert!((found.explained[1] - 0.2).abs() < 1e-6);
        let root = 0.5f64.sqrt();
        for (i, expected) in [-2.0 * root, -2.0 * root, 2.0 * root, 2.0 * root]
            .into_iter()
            .enumerate()
        {
            assert!((found.scores[[i, 0]] - expected).abs() < 1e-6);
            assert!(found.scores[[i, 2]].abs() < 1e-6);
        }
    }

    #[test]
    fn components_beyond_the_width_are_0() {
        let found = pca(array![[1.0f32], [2.0], [4.0]].view(), 2);
        assert_eq!(found.explained, [1.0]);
        assert!(found.scores.column(1).iter().all(|v| *v == 0.0));
    }

    proptest! {
        /// Scores are uncorrelated, their variances are the shares, and together they keep all distances.
        #[test]
        fn components_turn_the_points_and_change_nothing_else(
            values in prop::collection::vec(-10.0f32..10.0, 12 * 5)
        ) {
            let points = Array2::from_shape_vec((12, 5), values).unwrap();
            let found = pca(points.view(), 5);
            let gram = found.scores.t().dot(&found.scores);
            let total: f64 = gram.diag().sum();
            for i in 0..5 {
                prop_assert!((gram[[i, i]] / total - found.explained[i]).abs() < 1e-9);
                for j in 0..i {
                    prop_assert!(gram[[i, j]].abs() < 1e-7 * total);
                }
            }
            let distance = |m: &Array2<f64>, i: usize, j: usize| {
                let d = &m.row(i) - &m.row(j);
                d.dot(&d)
            };
            let wide = points.mapv(f64::from);
            for i in 1..12 {
                let (a, b) = (distance(&wide, 0, i), distance(&found.scores, 0, i));
                prop_assert!((a - b).abs() < 1e-7 * (1.0 + a));
            }
        }
    }
}
