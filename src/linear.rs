//! Small dense linear algebra in f64: one solver, one decomposition and one search for principal
//! components for all modules. Solver and decomposition are those of linfa-linalg, which linfa's
//! regressions bring. They run on one thread, so that results do not depend on how many there are.

use linfa_linalg::cholesky::SolveCInplace;
use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array1, Array2, ArrayViewMut2, Axis};
use rand_chacha::rand_core::RngCore;

use crate::random::{Purpose, generator};

/// Up to so many columns (or rows, if they are fewer) all directions are computed, which takes the cube
/// of their number.
const MOST_DECOMPOSED: usize = 128;
/// Iterations at most; each multiplies what separates neighbouring components by their ratio.
const MOST_ITERATIONS: usize = 200;
/// Change of the components' variance, as a share of it, that ends the iteration.
const TOLERANCE: f64 = 1e-9;
/// Variance below this share of the largest is rounding.
const NO_VARIANCE: f64 = 1e-12;

/// Solves A x = b in place. A (row-major) must be positive definite; where rounding has made it
/// something else, or it has NaN, x is NaN throughout.
pub(crate) fn solve_positive_definite(a: &mut [f64], b: &mut [f64]) {
    let n = b.len();
    let solved = ArrayViewMut2::from_shape((n, n), a).is_ok_and(|mut a| {
        ArrayViewMut2::from_shape((n, 1), &mut *b)
            .is_ok_and(|mut b| a.solvec_inplace(&mut b).is_ok())
    });
    if !solved {
        b.fill(f64::NAN);
    }
}

/// Solves A X = B. A must be positive definite; where rounding has made it something else, or it has
/// NaN, there is no solution.
pub(crate) fn solve_columns(mut a: Array2<f64>, mut b: Array2<f64>) -> Option<Array2<f64>> {
    let solved = a.solvec_inplace(&mut b).is_ok();
    (solved && b.iter().all(|v| v.is_finite())).then_some(b)
}

/// Eigenvalues of a symmetric matrix in descending order, and its eigenvectors as columns. The library
/// iterates until they give the matrix back to about 1e-8 of its largest number. All are NaN where the matrix has a number that is not finite.
pub(crate) fn eigen(a: Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = a.nrows();
    // The decomposition of what is not finite would not end.
    if a.iter().all(|v| v.is_finite())
        && let Ok(found) = a.eigh_into()
    {
        let (values, vectors) = found.sort_eig_desc();
        return (values.to_vec(), vectors);
    }
    (vec![f64::NAN; n], Array2::from_elem((n, n), f64::NAN))
}

/// Directions of most variance.
pub(crate) struct Components {
    /// `[n_columns, n_components]`: orthonormal columns, each with its largest number positive. Directions
    /// without variance are zero.
    pub(crate) directions: Array2<f64>,
    /// The variance along each direction, descending.
    pub(crate) variances: Vec<f64>,
}

impl Components {
    /// The leading components of centred rows.
    pub(crate) fn of(centred: &Array2<f64>, n_components: usize) -> Self {
        let (n, width) = centred.dim();
        let degrees = (n.max(2) - 1) as f64;
        let (values, mut directions) = if n < width {
            // Few long rows: the matrix of their products has the same eigenvalues. Its eigenvectors are
            // the weights with which the rows add up to the directions.
            let (values, weights) = leading(centred.dot(&centred.t()) / degrees, n_components);
            let mut directions = centred.t().dot(&weights);
            for mut direction in directions.columns_mut() {
                let length = direction.dot(&direction).sqrt();
                if length > 0.0 {
                    direction /= length;
                }
            }
            (values, directions)
        } else {
            leading(centred.t().dot(centred) / degrees, n_components)
        };
        let largest = values.first().copied().unwrap_or(0.0).max(0.0);
        for (value, mut direction) in values.iter().zip(directions.columns_mut()) {
            let sign = sign(direction.iter().copied());
            let vanishes = *value <= NO_VARIANCE * largest;
            direction.mapv_inplace(|x| if vanishes { 0.0 } else { x * sign });
        }
        Components {
            directions,
            variances: values.iter().map(|v| v.max(0.0)).collect(),
        }
    }
}

/// The sign that makes the largest number positive, so that a component does not flip from one machine to
/// the next.
fn sign(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.fold(0.0f64, |m, v| if v.abs() > m.abs() { v } else { m });
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// At most so many leading eigenvalues and eigenvectors of a covariance.
fn leading(covariance: Array2<f64>, n: usize) -> (Vec<f64>, Array2<f64>) {
    let width = covariance.nrows();
    let n = n.min(width);
    if width <= MOST_DECOMPOSED || 2 * n >= width {
        let (mut values, vectors) = eigen(covariance);
        values.truncate(n);
        let vectors = vectors.slice_axis(Axis(1), (0..n).into()).to_owned();
        return (values, vectors);
    }
    let mut rng = generator(0, Purpose::Components, 0);
    let mut basis = Array2::from_shape_simple_fn((width, n), || {
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
    // The basis spans the components; inside it the decomposition tells them apart.
    let (values, turn) = eigen(basis.t().dot(&covariance.dot(&basis)));
    (values, basis.dot(&turn))
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
    use ndarray::array;
    use proptest::prelude::*;
    use rand_chacha::rand_core::RngCore as _;

    use super::*;

    #[test]
    fn a_small_system_has_the_solution_worked_out_by_hand() {
        // 4x + 2y = 10 and 2x + 3y = 7: x = 2, y = 1.
        let mut b = [10.0, 7.0];
        solve_positive_definite(&mut [4.0, 2.0, 2.0, 3.0], &mut b);
        assert!((b[0] - 2.0).abs() < 1e-12 && (b[1] - 1.0).abs() < 1e-12);
        // 4x + 2y = 2 and 2x + 3y = −1 besides: x = 1, y = −1.
        let columns = array![[10.0, 2.0], [7.0, -1.0]];
        let found = solve_columns(array![[4.0, 2.0], [2.0, 3.0]], columns).unwrap();
        let expected = array![[2.0, 1.0], [1.0, -1.0]];
        assert!((found - expected).iter().all(|d| d.abs() < 1e-12));
        let columns = array![[1.0], [1.0]];
        assert!(solve_columns(array![[1.0, 2.0], [2.0, 1.0]], columns).is_none());
        solve_positive_definite(&mut [], &mut []);
        let mut b = [1.0, 1.0];
        solve_positive_definite(&mut [1.0, 2.0, 2.0, 1.0], &mut b);
        assert!(b.iter().all(|x| x.is_nan()));
    }

    #[test]
    fn eigenvalues_come_in_descending_order_with_their_vectors() {
        // [[2, 1], [1, 2]]: 3 along (1, 1) and 1 along (1, −1).
        let (values, vectors) = eigen(array![[2.0, 1.0], [1.0, 2.0]]);
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors[[0, 0]] - vectors[[1, 0]]).abs() < 1e-12);
        assert!((vectors[[0, 1]] + vectors[[1, 1]]).abs() < 1e-12);
        assert!(eigen(array![[f64::NAN]]).0[0].is_nan());
        assert!(eigen(Array2::zeros((0, 0))).0.is_empty());
    }

    fn unit(seed: u64) -> impl FnMut() -> f64 {
        let mut rng = generator(seed, Purpose::Components, 1);
        move || f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5
    }

    fn centred(rows: usize, columns: usize, values: impl FnMut() -> f64) -> Array2<f64> {
        let x = Array2::from_shape_simple_fn((rows, columns), values);
        let mean = x.mean_axis(Axis(0)).unwrap();
        x - mean
    }

    #[test]
    fn components_span_the_directions_of_most_variance() {
        let mut unit = unit(5);
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
        let found = Components::of(&x, 2).directions;
        let gram = found.t().dot(&found);
        assert!((gram[[0, 0]] - 1.0).abs() < 1e-9 && gram[[0, 1]].abs() < 1e-9);
        let half = 0.5f64.sqrt();
        let first = found.column(0);
        assert!((first[0] - half).abs() < 1e-3 && (first[1] - first[0]).abs() < 1e-3);
        let kept = x.dot(&found);
        let share = kept.mapv(|v| v * v).sum() / x.mapv(|v| v * v).sum();
        assert!(share > 0.999, "{share}");
    }

    #[test]
    fn more_components_than_there_are_directions_are_zero_beyond_them() {
        let x = Array2::from_shape_vec(
            (4, 3),
            vec![1., 1., 0., -1., -1., 0., 2., 2., 0., -2., -2., 0.],
        );
        let found = Components::of(&x.unwrap(), 2);
        assert!(found.directions.column(1).iter().all(|v| *v == 0.0));
        assert!(found.variances[0] > 0.0 && found.variances[1].abs() < 1e-12);
    }

    /// The iteration beside the decomposition, of 160 columns with variances that halve from one to the
    /// next, as rows and as columns.
    #[test]
    fn a_few_of_many_components_are_the_decompositions() {
        let mut unit = unit(6);
        let mut column = 0;
        let x = centred(500, 160, || {
            column = (column + 1) % 160;
            unit() * 0.5f64.powi(column.min(20))
        });
        let (values, vectors) = eigen(x.t().dot(&x) / 499.0);
        for x in [x.clone(), x.slice_axis(Axis(0), (0..150).into()).to_owned()] {
            let exact = match x.nrows() {
                500 => (values.clone(), vectors.clone()),
                n => eigen(x.t().dot(&x) / (n - 1) as f64),
            };
            let found = Components::of(&x, 4);
            for i in 0..4 {
                assert!((found.variances[i] / exact.0[i] - 1.0).abs() < 1e-6);
                let cosine = found.directions.column(i).dot(&exact.1.column(i));
                assert!((cosine.abs() - 1.0).abs() < 1e-6, "{cosine}");
                assert!(sign(found.directions.column(i).iter().copied()) > 0.0);
            }
        }
    }

    proptest! {
        #[test]
        fn a_decomposition_multiplies_back_to_its_matrix(
            values in prop::collection::vec(-5.0f64..5.0, 36)
        ) {
            let half = Array2::from_shape_vec((6, 6), values).unwrap();
            let a = &half + &half.t();
            let (values, vectors) = eigen(a.clone());
            let scaled = &vectors * &ndarray::Array1::from(values);
            let back = scaled.dot(&vectors.t());
            prop_assert!((&back - &a).iter().all(|d| d.abs() < 1e-6));
        }
    }
}
