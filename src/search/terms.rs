//! One scale's part of a distance, for many rows at once.
//!
//! Rows that are examined together lie transposed: all first factors, then all second ones. A
//! processor's lanes are then rows, each row's sum runs from the first factor to the last, and
//! what comes out does not depend on how wide the lanes are. That order of the additions is part
//! of what "exact" means here: brute force in the same order gives the same bits.

/// How many rows of the 5 kbp scale lie transposed together.
pub(super) const LANES: usize = 32;
/// 250 bp rows of a whole 5 kbp bin.
const PER_5KBP: usize = 20;
/// 25 bp bins of a whole 250 bp bin.
const PER_250BP: usize = 10;

/// Σⱼ (qⱼ − xⱼ)² of each row of a group: `values` is `[query.len(), out.len()]`.
pub(super) fn squared(arch: pulp::Arch, values: &[f32], query: &[f32], out: &mut [f32]) {
    match out.len() {
        LANES => arch.dispatch(SquaredOf::<LANES>(values, query, out)),
        PER_5KBP => arch.dispatch(SquaredOf::<PER_5KBP>(values, query, out)),
        PER_250BP => arch.dispatch(SquaredOf::<PER_250BP>(values, query, out)),
        1 => {
            let squares = values.iter().zip(query).map(|(x, q)| (q - x) * (q - x));
            out[0] = squares.fold(0.0, |sum, square| sum + square);
        }
        rows => {
            out.fill(0.0);
            for (column, q) in values.chunks_exact(rows.max(1)).zip(query) {
                for (sum, x) in out.iter_mut().zip(column) {
                    let difference = q - x;
                    *sum += difference * difference;
                }
            }
        }
    }
}

/// Values, query, sums of a group of so many rows. (A closure of this size would not be inlined
/// where the processor's features are switched on, and be compiled without them.)
struct SquaredOf<'a, const ROWS: usize>(&'a [f32], &'a [f32], &'a mut [f32]);

impl<const ROWS: usize> pulp::WithSimd for SquaredOf<'_, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let SquaredOf(values, query, out) = self;
        let mut sums = [0f32; ROWS];
        let (columns, _) = values.as_chunks::<ROWS>();
        for (column, q) in columns.iter().zip(query) {
            for (sum, x) in sums.iter_mut().zip(column) {
                let difference = q - x;
                *sum += difference * difference;
            }
        }
        out.copy_from_slice(&sums);
    }
}

/// Σⱼ qⱼ xⱼ and Σⱼ xⱼ² of each row of a group.
pub(super) fn products(arch: pulp::Arch, values: &[f32], query: &[f32], out: &mut [Product]) {
    match out.len() {
        LANES => arch.dispatch(ProductsOf::<LANES>(values, query, out)),
        PER_5KBP => arch.dispatch(ProductsOf::<PER_5KBP>(values, query, out)),
        PER_250BP => arch.dispatch(ProductsOf::<PER_250BP>(values, query, out)),
        rows => {
            out.fill(Product::default());
            for (column, q) in values.chunks_exact(rows.max(1)).zip(query) {
                for (sum, x) in out.iter_mut().zip(column) {
                    sum.dot += q * x;
                    sum.norm += x * x;
                }
            }
        }
    }
}

/// As [`SquaredOf`].
struct ProductsOf<'a, const ROWS: usize>(&'a [f32], &'a [f32], &'a mut [Product]);

impl<const ROWS: usize> pulp::WithSimd for ProductsOf<'_, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let ProductsOf(values, query, out) = self;
        let mut dots = [0f32; ROWS];
        let mut norms = [0f32; ROWS];
        let (columns, _) = values.as_chunks::<ROWS>();
        for (column, q) in columns.iter().zip(query) {
            for ((dot, norm), x) in dots.iter_mut().zip(&mut norms).zip(column) {
                *dot += q * x;
                *norm += x * x;
            }
        }
        for ((product, dot), norm) in out.iter_mut().zip(dots).zip(norms) {
            *product = Product { dot, norm };
        }
    }
}

/// A row's product with the query and its own squared norm.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Product {
    pub dot: f32,
    pub norm: f32,
}

impl std::ops::Add for Product {
    type Output = Product;

    fn add(self, other: Product) -> Product {
        Product {
            dot: self.dot + other.dot,
            norm: self.norm + other.norm,
        }
    }
}

/// Row-major rows as one transposed group.
pub(super) fn transpose(rows: &[f32], cols: usize, out: &mut Vec<f32>) {
    let n = rows.len() / cols.max(1);
    for j in 0..cols {
        out.extend((0..n).map(|i| rows[i * cols + j]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_group_size_gives_the_sum_from_the_first_factor_to_the_last(
            rows in prop::sample::select(vec![1usize, 3, 10, 17, 20, 31, 32]),
            cols in 1usize..50,
            seed in any::<u64>(),
        ) {
            let mut rng = crate::random::generator(seed, crate::random::Purpose::Initial, 0);
            let mut x = vec![0f32; rows * cols];
            let mut q = vec![0f32; cols];
            crate::random::fill_uniform(&mut rng, 2.0, &mut x);
            crate::random::fill_uniform(&mut rng, 2.0, &mut q);
            let mut values = Vec::new();
            transpose(&x, cols, &mut values);
            let arch = crate::instructions::arch();
            let mut squares = vec![0f32; rows];
            squared(arch, &values, &q, &mut squares);
            let mut pairs = vec![Product::default(); rows];
            products(arch, &values, &q, &mut pairs);
            for (i, row) in x.chunks_exact(cols).enumerate() {
                let (mut square, mut dot, mut norm) = (0f32, 0f32, 0f32);
                for (a, b) in q.iter().zip(row) {
                    square += (a - b) * (a - b);
                    dot += a * b;
                    norm += b * b;
                }
                prop_assert_eq!(square.to_bits(), squares[i].to_bits());
                prop_assert_eq!(Product { dot, norm }, pairs[i]);
            }
        }
    }
}
