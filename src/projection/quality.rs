//! What a picture is worth: whether neighbours in it are neighbours, and the other way round.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::neighbours::{Columns, nearest};

/// Largest number of points examined; of more, this many spread evenly.
const MOST_SCORED: usize = 20_000;

/// How far neighbourhoods of `k` points agree between the points and their picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Number of neighbours compared.
    pub k: usize,
    /// Trustworthiness (Venna and Kaski 2001), as scikit-learn has it: 1 when no point is near in
    /// the picture that is far in truth. `None` where 2 `k` is not below the number of points.
    pub trustworthiness: Option<f64>,
    /// The mean share of a point's `k` nearest that are among its `k` nearest in the picture.
    pub preserved: Option<f64>,
    /// Number of points examined.
    pub n_scored: usize,
}

/// Compares neighbourhoods of `k` points; fewer where there are not twice as many points.
pub fn quality(points: ArrayView2<'_, f32>, picture: ArrayView2<'_, f32>, k: usize) -> Quality {
    let n = points.nrows();
    let k = k.min(n.saturating_sub(1) / 2);
    if k == 0 {
        return Quality {
            k,
            trustworthiness: None,
            preserved: None,
            n_scored: 0,
        };
    }
    let step = n.div_ceil(MOST_SCORED);
    let scored: Vec<usize> = (0..n).step_by(step).collect();
    let (wide, flat) = (Columns::of(points), Columns::of(picture));
    let of_point = |buffers: &mut (Vec<f32>, Vec<f32>), i: &usize| {
        let (truth, shown) = buffers;
        wide.squared_distances(*i, truth);
        flat.squared_distances(*i, shown);
        let near = nearest(truth, *i, k);
        // k is 1 at least, so that there is a farthest.
        let farthest = near.last().copied().unwrap_or_default();
        let mut kept = 0u64;
        let mut penalty = 0u64;
        for (_, j) in nearest(shown, *i, k) {
            let place = (truth[j as usize], j);
            if place.0 < farthest.0 || (place.0 == farthest.0 && place.1 <= farthest.1) {
                kept += 1;
                continue;
            }
            // Its rank in truth, from 1: how many others come before it.
            let before = truth.iter().enumerate().filter(|(other, d)| {
                *other != *i && (**d < place.0 || (**d == place.0 && (*other as u32) < place.1))
            });
            penalty += before.count() as u64 + 1 - k as u64;
        }
        (kept, penalty)
    };
    // Whole numbers: their sum knows no order.
    let (kept, penalty) = scored
        .par_iter()
        .map_init(|| (Vec::new(), Vec::new()), of_point)
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let (n, k_f, m) = (n as f64, k as f64, scored.len() as f64);
    Quality {
        k,
        trustworthiness: Some(1.0 - 2.0 / (m * k_f * (2.0 * n - 3.0 * k_f - 1.0)) * penalty as f64),
        preserved: Some(kept as f64 / (m * k_f)),
        n_scored: scored.len(),
    }
}
