//! The first layer, taken apart, on the CPU.
//!
//! W·[b; a; g] = W_b b + W_a a + W_g g: each part is computed once a biosample, assay or row of
//! factors; here the parts of each sample are added up, and on the way back each part's gradient is
//! the sum over the samples that used it. Sums run in an order that does not depend on threads.

use rayon::prelude::*;

use super::batch::{Batch, Groups};

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
                pulp::Arch::new().dispatch(
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
    /// observation.
    pub fn single_layer(
        &self,
        batch: &Batch,
        output: &Output<'_>,
        gradient: &mut [f32],
        residuals: &mut [f32],
    ) -> OutputGradient {
        let n = self.nodes;
        let scale = 2.0 / batch.len() as f32;
        let tiles = gradient
            .par_chunks_mut(TILE * n)
            .zip(residuals.par_chunks_mut(TILE))
            .enumerate();
        let partial: Vec<OutputGradient> = tiles
            .map(|(tile, (gradient, residuals))| {
                let mut walk = Walk::new(&batch.groups, tile * TILE);
                let mut sum = OutputGradient::zero(n);
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        for (i, row) in gradient.chunks_exact_mut(n).enumerate() {
                            let sample = tile * TILE + i;
                            self.add_up(batch.tracks[sample], walk.to(sample), row);
                            residuals[i] = sum.add(output, scale, batch.values[sample], row);
                        }
                    },
                );
                sum
            })
            .collect();
        let mut total = OutputGradient::zero(n);
        for part in &partial {
            total.merge(part);
        }
        total.loss /= batch.len() as f64;
        total
    }
}

/// The last layer's numbers.
pub(super) struct Output<'a> {
    pub weight: &'a [f32],
    pub bias: f32,
}

/// The last layer's gradient, and the loss.
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
        for ((value, w), g) in row.iter_mut().zip(output.weight).zip(&mut self.weight) {
            *g += slope * value.max(0.0);
            *value = if *value > 0.0 { slope * w } else { 0.0 };
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
    lanes.iter().sum::<f32>() + rest
}

/// Sums of the samples' gradients over the groups of a scale, `[groups, nodes]`.
pub(super) fn sums_by_group(groups: &Groups, gradient: &[f32], nodes: usize, out: &mut [f32]) {
    out.par_chunks_mut(nodes)
        .zip(groups.starts.par_windows(2))
        .with_min_len(8)
        .for_each(|(sum, span)| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    sum.fill(0.0);
                    for row in gradient[span[0] as usize * nodes..span[1] as usize * nodes]
                        .chunks_exact(nodes)
                    {
                        for (s, g) in sum.iter_mut().zip(row) {
                            *s += g;
                        }
                    }
                },
            );
        });
}

/// Sums of the samples' gradients over biosamples and over assays, `[n, nodes]` each.
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
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (track, row) in tracks.iter().zip(gradient.chunks_exact(n)) {
                        let (b, a) = parts.tracks[*track as usize];
                        let biosample = &mut sums.0[b as usize * n..][..n];
                        let assay = &mut sums.1[a as usize * n..][..n];
                        for i in 0..n {
                            biosample[i] += row[i];
                            assay[i] += row[i];
                        }
                    }
                },
            );
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
