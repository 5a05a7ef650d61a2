//! The factorisation's first layer, taken apart.
//!
//! W·[b; a; g] = W_b b + W_a a + W_g g: each part is computed once a biosample, assay or row of
//! factors; here the parts of each sample are added up, and on the way back each part's gradient is
//! the sum over the samples that used it. Sums run in an order that does not depend on threads.

use rayon::prelude::*;

use crate::nn::product::Threads;
use crate::nn::vectors::wide;

/// Samples that one thread takes at a time where all share a chunk.
const TILE: usize = 128;
/// Pieces that the biosamples' and assays' sums are made in, whatever the number of threads.
const PIECES: usize = 16;

/// What each part contributes to the first layer of a chunk, `[rows, nodes]` each.
pub(super) struct SumOfParts<'a> {
    pub nodes: usize,
    /// Biosamples.
    pub biosamples: &'a [f32],
    /// Assays, the bias added.
    pub assays: &'a [f32],
    /// The chunk's rows of genome factors at each scale.
    pub genome: [&'a [f32]; 3],
    /// Where the samples of each row start, and the number of samples, at each scale.
    pub starts: [&'a [u32]; 3],
    /// Which track each sample shows.
    pub tracks: &'a [u32],
    /// Biosample and assay of each track.
    pub pairs: &'a [[u32; 2]],
}

impl<'a> SumOfParts<'a> {
    /// The rows of a sample at each scale: where a walk along the samples begins.
    pub fn walk(&self, sample: usize) -> Walk<'a> {
        let starts = self.starts;
        let at =
            [0, 1, 2].map(|s| starts[s].partition_point(|start| *start as usize <= sample) - 1);
        Walk { starts, at }
    }

    /// The five parts of a sample added up into `row`.
    #[inline(always)]
    pub fn fill(&self, walk: &mut Walk<'_>, sample: usize, row: &mut [f32]) {
        let n = self.nodes;
        let [b, a] = self.pairs[self.tracks[sample] as usize];
        let at = walk.to(sample);
        let biosample = &self.biosamples[b as usize * n..][..n];
        let assay = &self.assays[a as usize * n..][..n];
        let [fine, middle, coarse] = [0, 1, 2].map(|s| &self.genome[s][at[s] * n..][..n]);
        let row = &mut row[..n];
        for i in 0..n {
            row[i] = (biosample[i] + assay[i]) + ((fine[i] + middle[i]) + coarse[i]);
        }
    }

    /// The first layer's activations, `[samples, nodes]`.
    pub fn activations(&self, out: &mut [f32], threads: Threads) {
        let tile = |(tile, out): (usize, &mut [f32])| {
            let start = tile * TILE;
            let mut walk = self.walk(start);
            wide(
                #[inline(always)]
                || {
                    for (i, row) in out.chunks_exact_mut(self.nodes).enumerate() {
                        self.fill(&mut walk, start + i, row);
                        for value in row {
                            *value = value.max(0.0);
                        }
                    }
                },
            );
        };
        match threads {
            Threads::One => out.chunks_mut(TILE * self.nodes).enumerate().for_each(tile),
            Threads::All => (out.par_chunks_mut(TILE * self.nodes).enumerate()).for_each(tile),
        }
    }

    /// Adds the samples' gradients, `[samples, nodes]`, to the sums over biosamples and assays.
    pub fn add_by_track(
        &self,
        gradient: &[f32],
        biosamples: &mut [f32],
        assays: &mut [f32],
        threads: Threads,
    ) {
        let n = self.nodes;
        if threads == Threads::One {
            return self.add_some_by_track(self.tracks, gradient, biosamples, assays);
        }
        let piece = self.tracks.len().div_ceil(PIECES).max(1);
        let parts: Vec<(Vec<f32>, Vec<f32>)> = (self.tracks.par_chunks(piece))
            .zip(gradient.par_chunks(piece * n))
            .map(|(tracks, gradient)| {
                let mut sums = (vec![0f32; biosamples.len()], vec![0f32; assays.len()]);
                self.add_some_by_track(tracks, gradient, &mut sums.0, &mut sums.1);
                sums
            })
            .collect();
        for (b, a) in parts {
            biosamples.iter_mut().zip(b).for_each(|(sum, p)| *sum += p);
            assays.iter_mut().zip(a).for_each(|(sum, p)| *sum += p);
        }
    }

    fn add_some_by_track(
        &self,
        tracks: &[u32],
        gradient: &[f32],
        biosamples: &mut [f32],
        assays: &mut [f32],
    ) {
        let n = self.nodes;
        wide(
            #[inline(always)]
            || {
                for (track, row) in tracks.iter().zip(gradient.chunks_exact(n)) {
                    let [b, a] = self.pairs[*track as usize];
                    let biosample = &mut biosamples[b as usize * n..][..n];
                    let assay = &mut assays[a as usize * n..][..n];
                    for i in 0..n {
                        biosample[i] += row[i];
                        assay[i] += row[i];
                    }
                }
            },
        );
    }
}

/// Walks the samples of a chunk, knowing the row of each at every scale.
pub(super) struct Walk<'a> {
    starts: [&'a [u32]; 3],
    at: [usize; 3],
}

impl Walk<'_> {
    #[inline(always)]
    fn to(&mut self, sample: usize) -> [usize; 3] {
        for (at, starts) in self.at.iter_mut().zip(self.starts) {
            while starts[*at + 1] as usize <= sample {
                *at += 1;
            }
        }
        self.at
    }
}

/// Sums of the samples' gradients over the rows of a scale, `[rows, nodes]`.
pub(super) fn sums_by_row(
    starts: &[u32],
    gradient: &[f32],
    nodes: usize,
    out: &mut [f32],
    threads: Threads,
) {
    let sum = |(sum, span): (&mut [f32], &[u32])| {
        let rows = &gradient[span[0] as usize * nodes..span[1] as usize * nodes];
        wide(
            #[inline(always)]
            || {
                sum.fill(0.0);
                for row in rows.chunks_exact(nodes) {
                    for (s, g) in sum.iter_mut().zip(row) {
                        *s += g;
                    }
                }
            },
        );
    };
    match threads {
        Threads::One => (out.chunks_exact_mut(nodes).zip(starts.windows(2))).for_each(sum),
        Threads::All => (out.par_chunks_mut(nodes).zip(starts.par_windows(2)))
            .with_min_len(8)
            .for_each(sum),
    }
}
