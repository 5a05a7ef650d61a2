//! The first layer, taken apart, on the CPU.
//!
//! W·[b; a; g] = W_b b + W_a a + W_g g: each part is computed once a biosample, assay or row of
//! factors; here the parts of each sample are added up, and on the way back each part's gradient is
//! the sum over the samples that used it. Sums run in an order that does not depend on threads.

use rayon::prelude::*;

use super::batch::{Batch, Groups};
use super::vectors::wide;

/// Samples that one thread takes at a time.
const TILE: usize = 128;
/// Pieces that the biosamples' and assays' sums are made in, whatever the number of threads.
const PIECES: usize = 16;

/// What each part contributes to the first layer, `[rows, nodes]` each.
pub(super) struct Parts<'a> {
    pub nodes: usize,
    /// Biosamples.
    pub biosamples: &'a [f32],
    /// Assays, the bias added.
    pub assays: &'a [f32],
    /// The batch's rows of genome factors at each scale.
    pub genome: [&'a [f32]; 3],
    /// The biosample and assay of each training track.
    pub tracks: &'a [(u32, u32)],
}

/// A network's first and last layer as one step needs them, row-major.
pub(super) struct OuterLayers<'a> {
    pub nodes: usize,
    /// First-layer contribution of each biosample, and of each assay with the bias.
    pub biosamples: &'a [f32],
    pub assays: &'a [f32],
    /// First-layer weights of each genome scale, `[factors, nodes]`.
    pub genome_weights: [&'a [f32]; 3],
    pub output: Output<'a>,
    /// The biosample and assay of each training track.
    pub tracks: &'a [(u32, u32)],
}

impl OuterLayers<'_> {
    /// Genome factors at a scale.
    pub fn cols(&self, scale: usize) -> usize {
        self.genome_weights[scale].len() / self.nodes
    }

    /// The first layer's parts, those of the genome given.
    pub fn parts<'b>(&'b self, genome: [&'b [f32]; 3]) -> Parts<'b> {
        Parts {
            nodes: self.nodes,
            biosamples: self.biosamples,
            assays: self.assays,
            genome,
            tracks: self.tracks,
        }
    }
}

/// Walks the samples of a batch from one on, knowing the group of each at every scale.
struct Walk<'a> {
    groups: &'a [Groups; 3],
    at: [usize; 3],
}

impl<'a> Walk<'a> {
    fn new(groups: &'a [Groups; 3], sample: usize) -> Self {
        let at = [0, 1, 2].map(|s| {
            groups[s]
                .starts
                .partition_point(|start| *start as usize <= sample)
                - 1
        });
        Walk { groups, at }
    }

    #[inline(always)]
    fn to(&mut self, sample: usize) -> [usize; 3] {
        for (at, groups) in self.at.iter_mut().zip(self.groups) {
            while groups.starts[*at + 1] as usize <= sample {
                *at += 1;
            }
        }
        self.at
    }
}

impl Parts<'_> {
    /// The five parts of a sample added up into `row`.
    #[inline(always)]
    fn add_up(&self, track: u32, at: [usize; 3], row: &mut [f32]) {
        let n = self.nodes;
        let (b, a) = self.tracks[track as usize];
        let biosample = &self.biosamples[b as usize * n..][..n];
        let assay = &self.assays[a as usize * n..][..n];
        let [fine, middle, coarse] = [0, 1, 2].map(|s| &self.genome[s][at[s] * n..][..n]);
        let row = &mut row[..n];
        for i in 0..n {
            row[i] = (biosample[i] + assay[i]) + ((fine[i] + middle[i]) + coarse[i]);
        }
    }

    /// The first layer's activations, `[samples, nodes]`.
    pub fn assemble(&self, batch: &Batch, out: &mut [f32]) {
        out.par_chunks_mut(TILE * self.nodes)
            .enumerate()
            .for_each(|(tile, out)| {
                let start = tile * TILE;
                let mut walk = Walk::new(&batch.groups, start);
                wide(
                    #[inline(always)]
                    || {
                        for (i, row) in out.chunks_exact_mut(self.nodes).enumerate() {
                            let sample = start + i;
                            self.add_up(batch.tracks[sample], walk.to(sample), row);
                            for value in row {
                                *value = value.max(0.0);
                            }
                        }
                    },
                );
            });
    }

    /// A network of one hidden layer, forward and back in one sweep: fills `gradient` with the
    /// loss's gradient before the ReLU, `[samples, nodes]`, and `residuals` with prediction −
    /// observation; adds to `sum`. `scale` is 2 / samples of the batch.
    pub fn single_layer(
        &self,
        chunk: &Batch,
        output: &Output<'_>,
        scale: f32,
        gradient: &mut [f32],
        residuals: &mut [f32],
        sum: &mut OutputGradient,
    ) {
        let mut walk = Walk::new(&chunk.groups, 0);
        wide(
            #[inline(always)]
            || {
                let rows = gradient.chunks_exact_mut(self.nodes);
                for (sample, (row, residual)) in rows.zip(residuals.iter_mut()).enumerate() {
                    self.add_up(chunk.tracks[sample], walk.to(sample), row);
                    *residual = sum.add(output, scale, chunk.values[sample], row);
                }
            },
        );
    }
}

/// The last layer's numbers.
pub(super) struct Output<'a> {
    pub weight: &'a [f32],
    pub bias: f32,
}

/// The last layer's gradient, and the loss.
#[derive(Debug, Default)]
pub(super) struct OutputGradient {
    pub weight: Vec<f32>,
    pub bias: f32,
    /// Squared residuals, summed; their mean once a batch is through.
    pub loss: f64,
}

impl OutputGradient {
    /// Nothing summed yet.
    pub fn zero(nodes: usize) -> Self {
        OutputGradient {
            weight: vec![0.0; nodes],
            bias: 0.0,
            loss: 0.0,
        }
    }

    /// Takes one sample through the output and back: adds its part of the gradient and its squared
    /// residual, turns `row`, the layer below before or after its ReLU, into the gradient before
    /// that ReLU, and gives the residual. `scale` is 2 / samples of the batch.
    #[inline(always)]
    pub fn add(&mut self, output: &Output<'_>, scale: f32, observed: f32, row: &mut [f32]) -> f32 {
        let residual = output.bias + relu_dot(row, output.weight) - observed;
        let slope = scale * residual;
        let n = row.len();
        let (weights, sums) = (&output.weight[..n], &mut self.weight[..n]);
        for i in 0..n {
            let value = row[i];
            sums[i] += slope * value.max(0.0);
            row[i] = if value > 0.0 { slope * weights[i] } else { 0.0 };
        }
        self.bias += slope;
        self.loss += f64::from(residual) * f64::from(residual);
        residual
    }

    /// Adds what was summed elsewhere.
    pub fn merge(&mut self, part: &Self) {
        for (sum, p) in self.weight.iter_mut().zip(&part.weight) {
            *sum += p;
        }
        self.bias += part.bias;
        self.loss += part.loss;
    }
}

#[inline(always)]
fn relu_dot(row: &[f32], weight: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0f32; LANES];
    let (rows, weights) = (row.chunks_exact(LANES), weight.chunks_exact(LANES));
    let rest: f32 = (rows.remainder().iter().zip(weights.remainder()))
        .map(|(x, w)| x.max(0.0) * w)
        .sum();
    for (x, w) in rows.zip(weights) {
        for l in 0..LANES {
            lanes[l] += x[l].max(0.0) * w[l];
        }
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for l in 0..width {
            lanes[l] += lanes[width + l];
        }
    }
    lanes[0] + rest
}

/// Sums of the samples' gradients over the groups of a scale, `[groups, nodes]`, on all threads.
pub(super) fn sums_by_group(groups: &Groups, gradient: &[f32], nodes: usize, out: &mut [f32]) {
    out.par_chunks_mut(nodes)
        .zip(groups.starts.par_windows(2))
        .with_min_len(8)
        .for_each(|(sum, span)| sum_of_rows(span, gradient, nodes, sum));
}

/// The same on this thread.
pub(super) fn sums_by_group_here(groups: &Groups, gradient: &[f32], nodes: usize, out: &mut [f32]) {
    for (sum, span) in out.chunks_exact_mut(nodes).zip(groups.starts.windows(2)) {
        sum_of_rows(span, gradient, nodes, sum);
    }
}

/// Sums the rows from one on to before another.
#[inline(always)]
fn sum_of_rows(span: &[u32], gradient: &[f32], nodes: usize, sum: &mut [f32]) {
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
}

/// Sums of the samples' gradients over biosamples and over assays, `[n, nodes]` each, on all threads.
pub(super) fn sums_by_track(
    parts: &Parts<'_>,
    batch: &Batch,
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let n = parts.nodes;
    let (width_b, width_a) = (parts.biosamples.len(), parts.assays.len());
    let piece = batch.len().div_ceil(PIECES).max(1);
    let partial: Vec<(Vec<f32>, Vec<f32>)> = batch
        .tracks
        .par_chunks(piece)
        .zip(gradient.par_chunks(piece * n))
        .map(|(tracks, gradient)| {
            let mut sums = (vec![0f32; width_b], vec![0f32; width_a]);
            add_by_track(parts, tracks, gradient, (&mut sums.0, &mut sums.1));
            sums
        })
        .collect();
    let mut total = (vec![0f32; width_b], vec![0f32; width_a]);
    for (b, a) in partial {
        for (sum, p) in total.0.iter_mut().zip(b) {
            *sum += p;
        }
        for (sum, p) in total.1.iter_mut().zip(a) {
            *sum += p;
        }
    }
    total
}

/// Adds samples' gradients to the sums over biosamples and over assays, on this thread.
pub(super) fn add_by_track(
    parts: &Parts<'_>,
    tracks: &[u32],
    gradient: &[f32],
    (biosamples, assays): (&mut [f32], &mut [f32]),
) {
    let n = parts.nodes;
    wide(
        #[inline(always)]
        || {
            for (track, row) in tracks.iter().zip(gradient.chunks_exact(n)) {
                let (b, a) = parts.tracks[*track as usize];
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
