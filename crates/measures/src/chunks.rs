//! Work over stretches of bins on all cores, with results that do not depend on how many there are.

use std::ops::Range;

use rayon::prelude::*;

use super::Value;

/// Short enough for plain f64 sums to lose nothing that matters, long enough to be worth a task.
const CHUNK: usize = 1 << 14;

/// What `work` makes of each stretch of `0..n`, in order.
pub(super) fn by_chunks<P: Send>(n: usize, work: impl Fn(Range<usize>) -> P + Sync) -> Vec<P> {
    (0..n.div_ceil(CHUNK))
        .into_par_iter()
        .map(|c| work(c * CHUNK..((c + 1) * CHUNK).min(n)))
        .collect()
}

/// Sums of K terms over `0..n`, added up in a fixed order.
pub(super) fn sums<const K: usize>(n: usize, terms: impl Fn(usize) -> [f64; K] + Sync) -> [f64; K] {
    let partial = by_chunks(n, |bins| {
        let mut sum = [0.0; K];
        for i in bins {
            let term = terms(i);
            for k in 0..K {
                sum[k] += term[k];
            }
        }
        sum
    });
    let mut total = [0.0; K];
    for sum in partial {
        for k in 0..K {
            total[k] += sum[k];
        }
    }
    total
}

/// Whether every value is a finite number.
pub(super) fn all_finite<T: Value>(values: &[T]) -> bool {
    by_chunks(values.len(), |bins| {
        values[bins].iter().all(|v| v.is_a_number())
    })
    .into_iter()
    .all(|finite| finite)
}
