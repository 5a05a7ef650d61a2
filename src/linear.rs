//! Small dense linear algebra in f64: one solver and one decomposition for all rooms, those of
//! linfa-linalg, which linfa's regressions bring. They run on one thread, so that results do not
//! depend on how many there are.

use linfa_linalg::cholesky::SolveCInplace;
use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array2, ArrayViewMut2};

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

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_system_has_the_solution_worked_out_by_hand() {
        // 4x + 2y = 10 and 2x + 3y = 7: x = 2, y = 1.
        let mut b = [10.0, 7.0];
        solve_positive_definite(&mut [4.0, 2.0, 2.0, 3.0], &mut b);
        assert!((b[0] - 2.0).abs() < 1e-12 && (b[1] - 1.0).abs() < 1e-12);
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
