//! The nearest positions of queries in other regions, one a 5 kbp row, found exactly.
//!
//! A block's rows are compared with all queries by one matrix product a row, so that results have the
//! same bits whatever the block and the number of threads.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::blocks::Block;
use super::view::View;
use crate::genome::Resolution;
use crate::nn::product::{Matrix, Threads, multiply};

/// How many neighbours of a query are kept.
pub(super) const NEIGHBOURS: usize = 50;
/// How many of them two embeddings are compared by.
const COMPARED: usize = 10;
/// Queries that are multiplied at once: their distances to a row stay in the cache.
const TOGETHER: usize = 256;

/// The nearest bin of a 5 kbp row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    /// The squared distance less the query's own squared length.
    pub distance: f32,
    /// The row, counted along the axis.
    pub row: u64,
    /// The axis bin.
    pub bin: u64,
}

/// The neighbours found so far of some queries in one representation.
#[derive(Debug, Clone)]
pub(super) struct Neighbours {
    width: usize,
    /// `[query, width]`.
    vectors: Vec<f32>,
    regions: Vec<usize>,
    nearest: Vec<Vec<Near>>,
}

/// A block's bins in the representation's raw numbers.
pub(super) struct Candidates<'a> {
    /// The block.
    pub block: &'a Block,
    /// The row of its first bin, counted along the axis.
    pub first_row: u64,
    /// `[bins, numbers]`.
    pub raw: &'a [f32],
    /// Which bins do not count.
    pub masked: &'a [bool],
}

impl Neighbours {
    /// Of queries with these vectors, `[query, width]`, in these regions.
    pub fn new(vectors: Vec<f32>, width: usize, regions: Vec<usize>) -> Self {
        Neighbours {
            nearest: vec![Vec::with_capacity(NEIGHBOURS + 1); regions.len()],
            width,
            vectors,
            regions,
        }
    }

    /// Compares all queries with a block.
    pub fn scan(&mut self, candidates: &Candidates<'_>, view: &View) {
        let rows = candidates.block.rows(Resolution::Kbp5);
        let minima: Vec<Vec<Option<(f32, u64)>>> = (rows.par_iter())
            .map(|row| {
                let bins: Vec<usize> = row.clone().filter(|b| !candidates.masked[*b]).collect();
                self.minima(&bins, candidates, view)
            })
            .collect();
        let region = candidates.block.region;
        let queries = self.nearest.par_iter_mut().zip(&self.regions).enumerate();
        queries.with_min_len(64).for_each(|(query, (nearest, of))| {
            if *of == region {
                return;
            }
            for (i, minima) in minima.iter().enumerate() {
                if let Some(Some((distance, bin))) = minima.get(query) {
                    let row = candidates.first_row + i as u64;
                    insert(
                        nearest,
                        Near {
                            distance: *distance,
                            row,
                            bin: *bin,
                        },
                    );
                }
            }
        });
    }

    /// For each query the nearest of some bins of a row, and how far it is; empty of no bins.
    fn minima(
        &self,
        bins: &[usize],
        candidates: &Candidates<'_>,
        view: &View,
    ) -> Vec<Option<(f32, u64)>> {
        if bins.is_empty() {
            return Vec::new();
        }
        let rows = view.apply(candidates.raw, bins);
        let squares: Vec<f32> = (rows.chunks_exact(self.width))
            .map(|row| row.iter().map(|v| v * v).sum())
            .collect();
        let mut products = vec![0f32; TOGETHER * bins.len()];
        let mut minima = Vec::with_capacity(self.regions.len());
        for queries in self.vectors.chunks(TOGETHER * self.width) {
            let n = queries.len() / self.width;
            let (queries, rows) = (
                Matrix::new(queries, self.width),
                Matrix::new(&rows, self.width),
            );
            multiply(&mut products, queries, rows.t(), false, Threads::One);
            for products in products.chunks_exact(bins.len()).take(n) {
                minima.push(least(products, &squares).map(|(distance, place)| {
                    (distance, candidates.block.bins.start + bins[place] as u64)
                }));
            }
        }
        minima
    }

    /// Each query's neighbours, the nearest first.
    pub fn nearest(&self) -> &[Vec<Near>] {
        &self.nearest
    }

    /// The share of the ten nearest rows of each query that another embedding has among its own ten;
    /// `None` of a query without neighbours.
    pub fn shared_with(&self, other: &Neighbours) -> Vec<Option<f64>> {
        let rows = |nearest: &[Near]| -> BTreeSet<u64> {
            nearest.iter().take(COMPARED).map(|n| n.row).collect()
        };
        (self.nearest.iter().zip(&other.nearest))
            .map(|(a, b)| {
                let (a, b) = (rows(a), rows(b));
                let n = a.len().min(b.len());
                (n > 0).then(|| a.intersection(&b).count() as f64 / n as f64)
            })
            .collect()
    }
}

/// Keeps the nearest, ties in the order in which they come, which is that of the axis.
fn insert(nearest: &mut Vec<Near>, new: Near) {
    let is_full = nearest.len() == NEIGHBOURS;
    if is_full
        && nearest
            .last()
            .is_some_and(|last| last.distance <= new.distance)
    {
        return;
    }
    let place = nearest.partition_point(|n| n.distance <= new.distance);
    nearest.insert(place, new);
    nearest.truncate(NEIGHBOURS);
}

/// The least of `square − 2 · product` and its first place; `None` where none is a number.
fn least(products: &[f32], squares: &[f32]) -> Option<(f32, usize)> {
    const LANES: usize = 16;
    let distance = |product: f32, square: f32| square - 2.0 * product;
    let mut lanes = [f32::INFINITY; LANES];
    let (chunks, rest) = products.as_chunks::<LANES>();
    let (square_chunks, square_rest) = squares.as_chunks::<LANES>();
    for (products, squares) in chunks.iter().zip(square_chunks) {
        for ((lane, product), square) in lanes.iter_mut().zip(products).zip(squares) {
            let d = distance(*product, *square);
            *lane = if d < *lane { d } else { *lane };
        }
    }
    let tail = rest.iter().zip(square_rest).map(|(p, s)| distance(*p, *s));
    let least = lanes.into_iter().chain(tail).fold(f32::INFINITY, f32::min);
    let mut all = products.iter().zip(squares);
    let place = all.position(|(p, s)| distance(*p, *s) == least)?;
    least.is_finite().then_some((least, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_least_is_found_at_any_place() {
        for n in [1, 15, 16, 17, 40, 200] {
            for place in 0..n {
                let squares = vec![1.0; n];
                let products: Vec<f32> = (0..n)
                    .map(|i| if i >= place { 0.25 } else { 0.1 })
                    .collect();
                assert_eq!(least(&products, &squares), Some((0.5, place)));
            }
        }
        assert_eq!(least(&[], &[]), None);
        assert_eq!(least(&[f32::NAN], &[1.0]), None);
    }

    #[test]
    fn the_nearest_are_kept_in_order_and_of_equals_the_first() {
        let mut nearest = Vec::new();
        for row in 0..200u64 {
            let distance = ((row * 37) % 100) as f32;
            insert(
                &mut nearest,
                Near {
                    distance,
                    row,
                    bin: row,
                },
            );
        }
        let mut all: Vec<(u64, u64)> = (0..200).map(|row| ((row * 37) % 100, row)).collect();
        all.sort();
        let expected: Vec<u64> = all.iter().take(NEIGHBOURS).map(|(_, row)| *row).collect();
        let found: Vec<u64> = nearest.iter().map(|n| n.row).collect();
        assert_eq!(found, expected);
    }
}
