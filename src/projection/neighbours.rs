//! Nearest neighbours among points, exactly.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// For each point its `k` nearest others, from near to far; equal distances in the points' order.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    k: usize,
    /// `[n_points, k]`.
    indices: Vec<u32>,
    /// Euclidean, `[n_points, k]`.
    distances: Vec<f32>,
}

impl Neighbours {
    /// By looking at all pairs: squared distances are f32 sums from the first column to the last.
    /// `k` is cut to the number of other points.
    pub fn of(points: ArrayView2<'_, f32>, k: usize) -> Self {
        let n = points.nrows();
        let k = k.min(n.saturating_sub(1));
        let columns = Columns::of(points);
        let rows: Vec<Vec<(f32, u32)>> = (0..n)
            .into_par_iter()
            .map_init(Vec::new, |squares, i| {
                columns.squared_distances(i, squares);
                nearest(squares, i, k)
            })
            .collect();
        let flat = || rows.iter().flatten();
        Neighbours {
            k,
            indices: flat().map(|(_, j)| *j).collect(),
            distances: flat().map(|(d, _)| d.sqrt()).collect(),
        }
    }

    /// How many each point has.
    pub fn k(&self) -> usize {
        self.k
    }

    /// How many points.
    pub fn n_points(&self) -> usize {
        self.indices.len() / self.k.max(1)
    }

    /// A point's neighbours.
    pub fn indices(&self, point: usize) -> &[u32] {
        &self.indices[point * self.k..(point + 1) * self.k]
    }

    /// Their distances.
    pub fn distances(&self, point: usize) -> &[f32] {
        &self.distances[point * self.k..(point + 1) * self.k]
    }
}

/// Points column by column, so that a processor's lanes are points.
pub(super) struct Columns {
    values: Array2<f32>,
}

impl Columns {
    pub(super) fn of(points: ArrayView2<'_, f32>) -> Self {
        Columns {
            values: points.t().as_standard_layout().into_owned(),
        }
    }

    /// From a point to every point, its own included.
    pub(super) fn squared_distances(&self, point: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize(self.values.ncols(), 0.0);
        for column in self.values.rows() {
            let own = column[point];
            if let Some(column) = column.as_slice() {
                for (sum, other) in out.iter_mut().zip(column) {
                    let difference = other - own;
                    *sum += difference * difference;
                }
            }
        }
    }
}

/// The `k` least of `squares` but the point's own, in order; ties by place.
pub(super) fn nearest(squares: &[f32], point: usize, k: usize) -> Vec<(f32, u32)> {
    let mut all: Vec<(f32, u32)> = squares
        .iter()
        .enumerate()
        .filter(|(j, _)| *j != point)
        .map(|(j, d)| (*d, j as u32))
        .collect();
    let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k < all.len() {
        all.select_nth_unstable_by(k, order);
        all.truncate(k);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn neighbours_are_ordered_by_distance_and_then_by_place() {
        let points = array![
            [0.0f32, 0.0],
            [3.0, 4.0],
            [0.0, 1.0],
            [1.0, 0.0],
            [0.0, 0.0]
        ];
        let found = Neighbours::of(points.view(), 3);
        assert_eq!((found.k(), found.n_points()), (3, 5));
        assert_eq!(found.indices(0), [4, 2, 3]);
        assert_eq!(found.distances(0), [0.0, 1.0, 1.0]);
        assert_eq!(found.indices(1), [2, 3, 0]);
        assert_eq!(Neighbours::of(points.view(), 9).k(), 4);
        let one = Neighbours::of(points.slice(ndarray::s![..1, ..]), 3);
        assert_eq!((one.k(), one.indices(0).len()), (0, 0));
    }
}
