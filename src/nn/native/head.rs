//! The last layer, of one output, and the squared error: forward, loss and back in one sweep.
//!
//! A sample's activations are in registers or the first-level cache meanwhile; taken as a dense
//! layer like others, they would be read three times.

use rayon::prelude::*;

use crate::nn::product::Threads;
use crate::nn::vectors::wide;

/// Samples that one thread sweeps at a time where all share a chunk.
const TILE: usize = 50;
/// Numbers summed apart, so that the compiler keeps them in vector registers.
const LANES: usize = 16;

/// The last layer's numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    /// `[nodes]`.
    pub weight: &'a [f32],
    pub bias: f32,
}

/// What the head is shown of a chunk's samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets<'a> {
    /// `[n]`.
    pub values: &'a [f32],
    /// How much each squared error counts, `[n]`; 1 where there are none.
    pub weights: Option<&'a [f32]>,
    /// Samples of the whole batch.
    pub n_batch: usize,
}

impl Targets<'_> {
    fn part(&self, samples: std::ops::Range<usize>) -> Self {
        Targets {
            values: &self.values[samples.clone()],
            weights: self.weights.map(|w| &w[samples]),
            n_batch: self.n_batch,
        }
    }
}

/// The last layer's gradient, and the loss.
#[derive(Debug, Default)]
pub(super) struct HeadGradient {
    pub weight: Vec<f32>,
    pub bias: f32,
    /// Σ squared residuals, unweighted.
    pub squares: f64,
}

impl HeadGradient {
    /// Nothing summed yet.
    pub fn clear(&mut self, nodes: usize) {
        self.weight.clear();
        self.weight.resize(nodes, 0.0);
        (self.bias, self.squares) = (0.0, 0.0);
    }

    /// Adds what was summed elsewhere.
    pub fn add(&mut self, part: &Self) {
        for (sum, p) in self.weight.iter_mut().zip(&part.weight) {
            *sum += p;
        }
        self.bias += part.bias;
        self.squares += part.squares;
    }

    /// Takes one sample through the head and back: adds its part of the gradient and its squared
    /// residual, turns `row`, the layer below before or after its ReLU, into the gradient before that
    /// ReLU, and gives the residual. `slope` is 2 w / n; units that are not 0 counted `kept` times.
    #[inline(always)]
    fn take(
        &mut self,
        head: &Head<'_>,
        slope: f32,
        kept: f32,
        target: f32,
        row: &mut [f32],
    ) -> f32 {
        let residual = head.bias + relu_dot(row, head.weight) - target;
        let slope = slope * residual;
        let back = slope * kept;
        let n = row.len();
        let (weights, sums) = (&head.weight[..n], &mut self.weight[..n]);
        for i in 0..n {
            let value = row[i];
            sums[i] += slope * value.max(0.0);
            row[i] = if value > 0.0 { back * weights[i] } else { 0.0 };
        }
        self.bias += slope;
        self.squares += f64::from(residual) * f64::from(residual);
        residual
    }
}

impl Head<'_> {
    /// A chunk through the head and back: turns `rows`, `[n, nodes]`, into the gradients before the
    /// ReLU below, fills `residuals` and adds to `sum`. `fill(state, i, row)` may make the `i`-th row
    /// first; `start(i)` makes the state of a walk that begins there.
    #[allow(clippy::too_many_arguments)]
    pub fn sweep<W>(
        &self,
        rows: &mut [f32],
        targets: &Targets<'_>,
        kept: f32,
        residuals: &mut [f32],
        sum: &mut HeadGradient,
        start: impl Fn(usize) -> W + Sync,
        fill: impl Fn(&mut W, usize, &mut [f32]) + Sync,
        threads: Threads,
    ) {
        let nodes = self.weight.len();
        let tile =
            |first: usize, rows: &mut [f32], residuals: &mut [f32], sum: &mut HeadGradient| {
                let targets = targets.part(first..first + residuals.len());
                let scale = 2.0 / targets.n_batch as f32;
                let mut state = start(first);
                wide(
                    #[inline(always)]
                    || {
                        let rows = rows.chunks_exact_mut(nodes);
                        for (i, (row, residual)) in rows.zip(residuals.iter_mut()).enumerate() {
                            fill(&mut state, first + i, row);
                            let slope = targets.weights.map_or(scale, |w| scale * w[i]);
                            *residual = sum.take(self, slope, kept, targets.values[i], row);
                        }
                    },
                );
            };
        match threads {
            Threads::One => tile(0, rows, residuals, sum),
            Threads::All => {
                let parts: Vec<HeadGradient> = (rows.par_chunks_mut(TILE * nodes))
                    .zip(residuals.par_chunks_mut(TILE))
                    .enumerate()
                    .map(|(i, (rows, residuals))| {
                        let mut part = HeadGradient::default();
                        part.clear(nodes);
                        tile(i * TILE, rows, residuals, &mut part);
                        part
                    })
                    .collect();
                parts.iter().for_each(|part| sum.add(part));
            }
        }
    }
}

#[inline(always)]
fn relu_dot(row: &[f32], weight: &[f32]) -> f32 {
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
