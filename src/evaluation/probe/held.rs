//! The held-out tracks where queries and their neighbours lie, and how well the one predicts the other.

use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;

use super::blocks::Block;
use super::neighbours::Neighbours;
use super::queries::Queries;
use super::source::Source;
use crate::measures::CoMoments;

/// The held-out tracks at queries and their neighbours.
pub(super) struct HeldAt {
    n_held: usize,
    /// Axis bins, ascending.
    bins: Vec<u64>,
    /// `[bin, track]`.
    values: Vec<f32>,
}

impl HeldAt {
    /// Reads them, block by block.
    ///
    /// # Errors
    /// When a track cannot be read.
    pub fn read<'a>(
        source: &Source<'_>,
        blocks: &[Block],
        neighbours: impl Iterator<Item = &'a Neighbours>,
        queries: &Queries,
    ) -> crate::Result<Self> {
        let of_neighbours =
            neighbours.flat_map(|n| n.nearest().iter().flatten().map(|near| near.bin));
        let wanted: BTreeSet<u64> = queries.bins.iter().copied().chain(of_neighbours).collect();
        let bins: Vec<u64> = wanted.into_iter().collect();
        let mut at = HeldAt {
            n_held: source.n_held,
            values: Vec::with_capacity(bins.len() * source.n_held),
            bins,
        };
        // Blocks stand in the axis' order, and so do the bins.
        let mut first = 0;
        for block in blocks {
            let end = first + at.bins[first..].partition_point(|bin| *bin < block.bins.end);
            if end == first {
                continue;
            }
            let n = block.n_bins();
            let mut held = vec![0f32; source.n_held * n];
            held.par_chunks_mut(n)
                .enumerate()
                .try_for_each(|(track, out)| (source.held)(track, block.bins.clone(), out))?;
            for bin in &at.bins[first..end] {
                let place = (bin - block.bins.start) as usize;
                at.values
                    .extend((0..source.n_held).map(|track| held[track * n + place]));
            }
            first = end;
        }
        Ok(at)
    }

    /// A track's value; `None` where it has no data.
    fn value(&self, track: usize, bin: u64) -> Option<f64> {
        let place = self.bins.binary_search(&bin).ok()?;
        let value = self.values[place * self.n_held + track];
        value.is_finite().then_some(f64::from(value))
    }

    /// For each held-out track the correlation over queries of its value with its mean over the
    /// query's neighbours.
    pub fn correlations(
        &self,
        neighbours: &Neighbours,
        queries: &Queries,
        of: Range<usize>,
    ) -> Vec<Option<f64>> {
        let of_track = |track: usize| {
            let pairs: Vec<(f64, f64)> = (of.clone())
                .filter_map(|query| {
                    let near = neighbours.nearest()[query].iter();
                    let predicted = mean(near.map(|near| self.value(track, near.bin)))?;
                    Some((self.value(track, queries.bins[query])?, predicted))
                })
                .collect();
            CoMoments::by(pairs.len(), |i| pairs[i])?.pearson()
        };
        (0..self.n_held).into_par_iter().map(of_track).collect()
    }
}

/// The mean of what is defined; `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
