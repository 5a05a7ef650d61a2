//! Tracks that an encoder reads as one, where there are more than it has inputs.
//!
//! Inputs are shared among assays by their numbers of tracks, at least one each. The tracks of an assay are clustered
//! by their correlation (complete linkage, so that no two tracks of a pool differ much), and each cluster is a pool.

use kodama::{Method, linkage};
use ndarray::Array2;
use rayon::prelude::*;

use crate::factorization::{FactorizationError, TrainingSet};
use crate::model::{Stretch, TrackScale, saturated};

/// Stretches at most, spread over the axis, over which tracks are compared.
const STRETCHES: usize = 16;
/// Bins whose mean is one number of the comparison: 250 bp.
const BINS: usize = 10;

/// The pool of each track: numbered by assay, in the order of their first tracks. None where tracks are no more than
/// `most`. `assays` gives the assay of each track. There are as many pools as assays where these are more.
///
/// # Errors
/// When signal cannot be read.
pub(super) fn pools(
    set: &TrainingSet,
    scales: &[TrackScale],
    assays: &[u32],
    most: usize,
    saturation: u32,
) -> Result<Vec<u32>, FactorizationError> {
    if assays.len() <= most {
        return Ok(Vec::new());
    }
    let mut names = assays.to_vec();
    names.sort_unstable();
    names.dedup();
    let members: Vec<Vec<usize>> = (names.iter())
        .map(|name| (0..assays.len()).filter(|t| assays[*t] == *name).collect())
        .collect();
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let stretches = Stretch::all(&set.axis);
    let every = stretches.len().div_ceil(STRETCHES).max(1);
    let compared: Vec<&Stretch> = stretches.iter().step_by(every).collect();
    let clusters = members.par_iter().zip(shared(&sizes, most)).map(|(of, n)| {
        let rows = rows(set, scales, of, &compared, saturation)?;
        Ok(clusters(&rows, n))
    });
    let clusters: Vec<Vec<usize>> = clusters.collect::<Result<_, FactorizationError>>()?;
    let mut pools = vec![0; assays.len()];
    let mut first = 0;
    for (of, clusters) in members.iter().zip(clusters) {
        for (track, cluster) in of.iter().zip(&clusters) {
            pools[*track] = (first + cluster) as u32;
        }
        first += clusters.iter().max().map_or(0, |last| last + 1);
    }
    Ok(pools)
}

/// How many of `most` inputs each of some groups has: one, and of the rest in proportion to its size, the largest
/// remainders first; never more than its size.
fn shared(sizes: &[usize], most: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let rest = most.saturating_sub(sizes.len());
    // What is beyond the first of each group is shared by what each group has beyond its first.
    let beyond = (total - sizes.len()).max(1);
    let share = |size: usize| (size - 1) * rest / beyond;
    let mut inputs: Vec<usize> = sizes.iter().map(|size| 1 + share(*size)).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    let remainder = |group: usize| (sizes[group] - 1) * rest % beyond;
    order.sort_by_key(|group| std::cmp::Reverse(remainder(*group)));
    let left = most.saturating_sub(inputs.iter().sum());
    let beyond_first = order
        .into_iter()
        .filter(|g| inputs[*g] < sizes[*g])
        .collect::<Vec<_>>();
    beyond_first
        .into_iter()
        .take(left)
        .for_each(|g| inputs[g] += 1);
    inputs
}

/// Means of tracks over 250 bp, saturated and brought to mean 0 and length 1, `[tracks, rows]`; 0 where there is no
/// data.
fn rows(
    set: &TrainingSet,
    scales: &[TrackScale],
    tracks: &[usize],
    stretches: &[&Stretch],
    saturation: u32,
) -> Result<Array2<f32>, FactorizationError> {
    let n: usize = stretches.iter().map(|s| s.n_bins().div_ceil(BINS)).sum();
    let mut rows = Array2::zeros((tracks.len(), n));
    let mut values = Vec::new();
    for (mut row, track) in rows.outer_iter_mut().zip(tracks) {
        let mut means = row.iter_mut();
        for stretch in stretches {
            let bins = stretch.axis_bin(stretch.bins.start)..stretch.axis_bin(stretch.bins.end);
            values.resize(stretch.n_bins(), 0.0);
            set.source.read(*track, bins, &mut values)?;
            for (part, mean) in values.chunks(BINS).zip(&mut means) {
                let standardised = part.iter().map(|v| scales[*track].standardise(*v));
                let seen = standardised.filter(|v| !v.is_nan());
                let (sum, n) = seen.fold((0f32, 0u32), |(sum, n), v| (sum + v, n + 1));
                *mean = saturated(sum / n.max(1) as f32, saturation);
            }
        }
        let mean = row.sum() / n.max(1) as f32;
        row -= mean;
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
    Ok(rows)
}

/// The cluster of each row, numbered in the order of their first rows.
fn clusters(rows: &Array2<f32>, wanted: usize) -> Vec<usize> {
    let n = rows.nrows();
    if wanted >= n {
        return (0..n).collect();
    }
    let r = rows.dot(&rows.t());
    let mut condensed: Vec<f32> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
        .map(|(i, j)| 1.0 - r[[i, j]])
        .collect();
    let joins = linkage(&mut condensed, n, Method::Complete);
    let mut joined: Vec<usize> = (0..2 * n).collect();
    for (i, step) in joins.steps().iter().enumerate().take(n - wanted) {
        joined[step.cluster1] = n + i;
        joined[step.cluster2] = n + i;
    }
    let mut roots: Vec<usize> = Vec::new();
    (0..n)
        .map(|row| {
            let mut root = row;
            while joined[root] != root {
                root = joined[root];
            }
            match roots.iter().position(|r| *r == root) {
                Some(known) => known,
                None => {
                    roots.push(root);
                    roots.len() - 1
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn inputs_are_shared_by_the_numbers_of_tracks() {
        // One each; of the other 6, 17 tracks beyond the first share: 9, 5, 3 and 0 of them.
        // 6 · 9/17 = 3.18, 6 · 5/17 = 1.76, 6 · 3/17 = 1.06, 0: the one that is left goes to the second.
        assert_eq!(shared(&[10, 6, 4, 1], 10), [4, 3, 2, 1]);
        assert_eq!(shared(&[2, 2], 4), [2, 2]);
        assert_eq!(shared(&[5, 1], 4), [3, 1]);
        // More groups than inputs.
        assert_eq!(shared(&[3, 1, 1], 2), [1, 1, 1]);
    }

    #[test]
    fn rows_that_resemble_each_other_are_joined() {
        let rows = array![
            [1.0f32, 0.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.8, 0.6, 0.0],
            [0.0, 0.0, 1.0],
            [0.96, 0.28, 0.0]
        ];
        assert_eq!(clusters(&rows, 5), [0, 1, 2, 3, 4]);
        // Correlations: 0.96 of the first and the last, 0.936 of the third and the last, 0.8 of the first and the third.
        assert_eq!(clusters(&rows, 4), [0, 1, 2, 3, 0]);
        assert_eq!(clusters(&rows, 3), [0, 1, 0, 2, 0]);
        assert_eq!(clusters(&rows, 1), [0; 5]);
    }
}
