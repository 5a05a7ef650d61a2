//! Sums of products of columns, in f64 and in the order of the rows.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};
use rayon::prelude::*;

/// Columns of a tile, which one thread sums.
const TILE: usize = 64;

/// The sums of products of each pair of columns over all rows added so far. Each piece is added by
/// itself and pieces in their order, so the sums depend on neither the number of threads nor how many
/// pieces came at once.
#[derive(Debug, Clone)]
pub(super) struct Gram {
    width: usize,
    /// Those on and above the diagonal.
    tiles: Vec<Tile>,
}

#[derive(Debug, Clone)]
struct Tile {
    rows: Range<usize>,
    columns: Range<usize>,
    sums: Array2<f64>,
}

impl Gram {
    /// Of no rows of `width` columns.
    pub fn new(width: usize) -> Self {
        let part = |start: usize| start..(start + TILE).min(width);
        let starts = || (0..width).step_by(TILE);
        let tiles = starts()
            .flat_map(|i| starts().filter(move |j| *j >= i).map(move |j| (i, j)))
            .map(|(i, j)| Tile {
                sums: Array2::zeros((part(i).len(), part(j).len())),
                rows: part(i),
                columns: part(j),
            });
        Gram {
            width,
            tiles: tiles.collect(),
        }
    }

    /// Adds pieces of `[rows, width]`.
    pub fn add(&mut self, pieces: &[Array2<f64>]) {
        self.tiles.par_iter_mut().for_each(|tile| {
            for piece in pieces {
                let left = piece.slice(s![.., tile.rows.clone()]);
                let right = piece.slice(s![.., tile.columns.clone()]);
                general_mat_mul(1.0, &left.t(), &right, 1.0, &mut tile.sums);
            }
        });
    }

    /// The sums, `[width, width]`.
    pub fn matrix(&self) -> Array2<f64> {
        let mut all = Array2::zeros((self.width, self.width));
        for tile in &self.tiles {
            let (rows, columns) = (tile.rows.clone(), tile.columns.clone());
            all.slice_mut(s![columns.clone(), rows.clone()])
                .assign(&tile.sums.t());
            all.slice_mut(s![rows, columns]).assign(&tile.sums);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_worked_one_at_a_time_in_whichever_portions_they_come() {
        let (n, width) = (37, 70);
        let value = |i: usize, j: usize| ((i * 31 + j * 17) % 23) as f64 - 11.0;
        let rows = |range: Range<usize>| {
            Array2::from_shape_fn((range.len(), width), |(i, j)| value(range.start + i, j))
        };
        let pieces = [rows(0..10), rows(10..11), rows(11..30), rows(30..37)];
        let mut together = Gram::new(width);
        together.add(&pieces);
        let mut apart = Gram::new(width);
        for piece in &pieces {
            apart.add(std::slice::from_ref(piece));
        }
        let found = together.matrix();
        assert_eq!(found, apart.matrix());
        for (a, b) in [(0, 0), (3, 69), (69, 3), (65, 66), (12, 40)] {
            let expected: f64 = (0..n).map(|i| value(i, a) * value(i, b)).sum();
            assert!((found[[a, b]] - expected).abs() < 1e-9, "{a} {b}");
        }
    }
}
