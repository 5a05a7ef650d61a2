//! Matrix products, on every thread that rayon has.
//!
//! The `gemm` crate's: with AVX-512 they run at the processor's peak, where libtorch's (MKL) reach
//! less than half of it on processors that are not Intel's.

use super::pinned_product;
use crate::instructions::Instructions;

/// A matrix in row-major memory, read as it is or transposed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// Of the rows of `cols` values that lie one after another.
    pub fn new(values: &'a [f32], cols: usize) -> Self {
        Matrix {
            rows: values.len() / cols.max(1),
            values,
            cols,
            transposed: false,
        }
    }

    /// Its transpose.
    pub fn t(self) -> Self {
        Matrix {
            rows: self.cols,
            cols: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    /// Steps from a row to the next and from a column to the next.
    fn strides(&self) -> (isize, isize) {
        match self.transposed {
            true => (1, self.rows as isize),
            false => (self.cols as isize, 1),
        }
    }
}

/// Whether a product is shared among threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// This one alone, as inside a parallel loop.
    One,
    /// All; imputation has its parallel loop outside.
    All,
}

/// `out = a · b`, or `out += a · b` where `add` is set; `out` row-major.
///
/// # Panics
/// When the shapes do not fit: the caller's mistake, never input's.
pub(crate) fn multiply(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, add: bool, threads: Threads) {
    let (rows, inner, cols) = (a.rows, a.cols, b.cols);
    assert!(
        inner == b.rows
            && out.len() >= rows * cols
            && a.values.len() >= rows * inner
            && b.values.len() >= inner * cols
    );
    if rows == 0 || cols == 0 {
        return;
    }
    if inner == 0 {
        if !add {
            out[..rows * cols].fill(0.0);
        }
        return;
    }
    let ((a_row, a_col), (b_row, b_col)) = (a.strides(), b.strides());
    let parallelism = match threads {
        Threads::One => gemm::Parallelism::None,
        Threads::All => gemm::Parallelism::Rayon(0),
    };
    if let Some(instructions) = Instructions::pinned() {
        let product = pinned_product::Product {
            rows,
            cols,
            inner,
            out: out.as_mut_ptr(),
            a: a.values.as_ptr(),
            a_strides: (a_row, a_col),
            b: b.values.as_ptr(),
            b_strides: (b_row, b_col),
            add,
            parallelism,
        };
        // SAFETY: as below; no dimension is 0.
        let is_done = unsafe { pinned_product::multiply(instructions, &product) };
        assert!(is_done, "pinned instructions are the processor's");
        return;
    }
    // SAFETY: `out` holds rows × cols values, `a` rows × inner and `b` inner × cols (asserted), each
    // addressed by the strides of its layout; `out` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            inner,
            out.as_mut_ptr(),
            1,
            cols as isize,
            add,
            a.values.as_ptr(),
            a_col,
            a_row,
            b.values.as_ptr(),
            b_col,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_both_layouts_are_those_worked_by_hand() {
        let (a, b) = (
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0, 0.0, 2.0, 1.0, 0.0, 3.0],
        );
        // [[1 2 3] [4 5 6]] · [[1 0] [2 1] [0 3]]
        let expected = [5.0, 11.0, 14.0, 23.0];
        let (x, y) = (Matrix::new(&a, 3), Matrix::new(&b, 2));
        let mut out = [0.0; 4];
        multiply(&mut out, x, y, false, Threads::One);
        assert_eq!(out, expected);
        multiply(&mut out, x, y, true, Threads::All);
        assert_eq!(out, expected.map(|v| 2.0 * v));
        // The transpose of the product is that of the transposes, the other way round.
        multiply(&mut out, y.t(), x.t(), false, Threads::All);
        assert_eq!(out, [5.0, 14.0, 11.0, 23.0]);
    }

    #[test]
    fn a_product_does_not_depend_on_the_number_of_threads() {
        let value = |i: usize| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5;
        let (a, b): (Vec<f32>, Vec<f32>) = (
            (0..700 * 300).map(value).collect(),
            (0..300 * 260).map(value).collect(),
        );
        let run = |threads| {
            let mut out = vec![0f32; 700 * 260];
            multiply(
                &mut out,
                Matrix::new(&a, 300),
                Matrix::new(&b, 260),
                false,
                threads,
            );
            out
        };
        let pool = |n| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build()
                .unwrap()
        };
        let one = run(Threads::One);
        for n in [1, 2, 3] {
            assert!(pool(n).install(|| run(Threads::All)) == one, "{n} threads");
        }
    }
}
