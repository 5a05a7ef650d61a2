//! Matrix products with pinned instructions.
//!
//! The `gemm` crate chooses its kernels by the processor, and cuts long sums by the sizes of the processor's caches.
//! Here its kernels are called by name, on pieces so short that it cuts none of them.

use gemm_common::gemm::gemm_basic_generic;
use gemm_common::simd::MixedSimd;
use gemm_f32::microkernel;

use crate::instructions::Instructions;

/// Terms of a sum that are added up at a time; the crate cuts none that are shorter.
const PIECE: usize = 512;

/// The arguments of a product.
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) inner: usize,
    pub(super) out: *mut f32,
    pub(super) a: *const f32,
    pub(super) a_strides: (isize, isize),
    pub(super) b: *const f32,
    pub(super) b_strides: (isize, isize),
    pub(super) add: bool,
    pub(super) parallelism: gemm_common::Parallelism,
}

/// Which constants a kernel has, and the call with them.
macro_rules! call {
    ($product:expr, $first:expr, $n:expr, $simd:ty, $kernel:ident, $width:literal) => {{
        use microkernel::$kernel::f32::{H_M, H_N, H_UKR, MR_DIV_N, NR, UKR};
        let (p, first, n): (&Product, usize, usize) = ($product, $first, $n);
        let Some(simd) = <$simd as MixedSimd<f32, f32, f32, f32>>::try_new() else {
            return false;
        };
        let ((a_row, a_col), (b_row, b_col)) = (p.a_strides, p.b_strides);
        gemm_basic_generic::<_, f32, $width, { MR_DIV_N * $width }, NR, MR_DIV_N, H_M, H_N>(
            simd,
            p.rows,
            p.cols,
            n,
            p.out,
            1,
            p.cols as isize,
            p.add || first > 0,
            p.a.offset(first as isize * a_col),
            a_col,
            a_row,
            p.b.offset(first as isize * b_row),
            b_col,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            |a, b, c| a * b + c,
            &UKR,
            &H_UKR,
            false,
            p.parallelism,
        );
    }};
}

/// `out = a · b`, or `out += a · b`; false, with nothing done, where the processor lacks the instructions.
///
/// # Safety
/// `out` holds rows × cols values, row-major, `a` rows × inner and `b` inner × cols by their strides, and `out`
/// overlaps neither. No dimension is 0.
pub(super) unsafe fn multiply(instructions: Instructions, p: &Product) -> bool {
    let mut first = 0;
    while first < p.inner {
        let n = PIECE.min(p.inner - first);
        // SAFETY: the pieces are parts of the inner dimension, within what the caller promises.
        unsafe {
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => {
                    call!(p, first, n, gemm_common::simd::V4, avx512f, 16);
                }
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => call!(p, first, n, gemm_common::simd::V3, fma, 8),
                _ => call!(p, first, n, gemm_common::simd::Scalar, scalar, 1),
            }
        }
        first += n;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A product of long sums by the kernel, and by the definition in f64.
    fn compare(instructions: Instructions, rows: usize, inner: usize, cols: usize) {
        let value = |i: usize, seed: usize| ((i * 37 + seed) % 101) as f32 / 50.0 - 1.0;
        let a: Vec<f32> = (0..rows * inner).map(|i| value(i, 3)).collect();
        let b: Vec<f32> = (0..inner * cols).map(|i| value(i, 11)).collect();
        let mut out = vec![0.5f32; rows * cols];
        for add in [false, true] {
            let product = Product {
                rows,
                cols,
                inner,
                out: out.as_mut_ptr(),
                a: a.as_ptr(),
                a_strides: (inner as isize, 1),
                b: b.as_ptr(),
                b_strides: (cols as isize, 1),
                add,
                parallelism: gemm_common::Parallelism::None,
            };
            // SAFETY: the arrays are as long as their dimensions say.
            assert!(unsafe { multiply(instructions, &product) });
            let times = if add { 2.0 } else { 1.0 };
            for r in 0..rows {
                for c in 0..cols {
                    let terms = (0..inner)
                        .map(|k| f64::from(a[r * inner + k]) * f64::from(b[k * cols + c]));
                    let expected = terms.sum::<f64>() * times;
                    let found = f64::from(out[r * cols + c]);
                    assert!(
                        (found - expected).abs() < 1e-2,
                        "{instructions} {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_kernel_that_the_processor_has_gives_the_product() {
        for instructions in Instructions::ALL {
            if instructions < Instructions::widest() {
                continue;
            }
            for (rows, inner, cols) in [(1, 1, 1), (3, 700, 5), (70, 1_300, 90), (130, 40, 1)] {
                compare(instructions, rows, inner, cols);
            }
        }
    }
}
