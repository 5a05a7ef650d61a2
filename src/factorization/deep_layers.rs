//! The layers of a deep network on the CPU: forward and back by hand, some samples at a time.
//!
//! A chunk's activations are thrown away once their part of the gradients is summed, where autograd
//! would keep those of the whole batch; its room is used again by the next chunk and the next step.
//! What is left beside the matrix products is a sweep a layer. The products of the hidden layers
//! after the first may be of bfloat16, libtorch's ([`Arithmetic::Bf16`]): weights, moments, sums and
//! the first and last layer stay f32.

use std::ops::Range;

use rayon::prelude::*;
use tch::{Kind, Tensor};

use super::FactorizationError;
use super::arithmetic::Arithmetic;
use super::batch::{Batch, Groups};
use super::first_layer::{OuterLayers, OutputGradient, sums_by_group, sums_by_track};
use super::tensors::floats;
use super::vectors::wide;
use crate::model::product::{Matrix, Threads, multiply};

/// Samples whose activations are in memory at once; few in tests, so that batches have several.
const CHUNK: usize = if cfg!(test) { 150 } else { 4_000 };
/// Samples that one thread sweeps at a time.
const TILE: usize = 50;

/// A deep network's layers as one step needs them, row-major.
pub(super) struct DeepLayers<'a> {
    /// The first and the last.
    pub outer: OuterLayers<'a>,
    pub arithmetic: Arithmetic,
    /// Weight and bias of each hidden layer after the first.
    pub hidden: Vec<(&'a Tensor, &'a Tensor)>,
}

/// What comes back through the layers.
pub(super) struct DeepBack {
    /// Mean squared error over the batch.
    pub loss: f64,
    /// Prediction − observation of each sample.
    pub residuals: Vec<f32>,
    /// Gradients of weight and bias of each hidden layer after the first, then of the output.
    pub layers: Vec<Tensor>,
    /// Gradients before the first ReLU, summed over each biosample's and each assay's samples.
    pub biosamples: Vec<f32>,
    pub assays: Vec<f32>,
    /// Gradients of the first layer's weights and of the batch's rows of factors at each scale.
    pub genome_weights: [Vec<f32>; 3],
    pub genome: [Vec<f32>; 3],
}

impl DeepBack {
    /// Nothing summed yet.
    pub fn zero(layers: &OuterLayers<'_>, batch: &Batch, genome: &[Vec<f32>; 3]) -> Self {
        DeepBack {
            loss: 0.0,
            residuals: vec![0f32; batch.len()],
            layers: Vec::new(),
            biosamples: vec![0f32; layers.biosamples.len()],
            assays: vec![0f32; layers.assays.len()],
            genome_weights: layers.genome_weights.map(|w| vec![0f32; w.len()]),
            genome: [0, 1, 2].map(|s| vec![0f32; genome[s].len()]),
        }
    }

    /// Takes what came back through the output layer, summed over all samples.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn output(
        &mut self,
        sum: &OutputGradient,
        n_samples: usize,
    ) -> Result<(), FactorizationError> {
        let weight = Tensor::f_from_slice(&sum.weight)?.f_reshape([-1, 1])?;
        (self.layers).extend([weight, Tensor::f_from_slice(&[sum.bias])?]);
        self.loss = sum.loss / n_samples as f64;
        Ok(())
    }
}

/// Room for a chunk, kept between steps.
#[derive(Debug, Default)]
pub(super) struct DeepRoom {
    /// Activations of each hidden layer; the last one's turn into gradients.
    activations: Vec<Vec<f32>>,
    other: Vec<f32>,
    parts: [Vec<f32>; 3],
}

/// Sums over the chunks of a step.
struct Sums {
    hidden: Vec<(Vec<f32>, Vec<f32>)>,
    output: OutputGradient,
}

impl DeepLayers<'_> {
    /// Forward and back for a batch; `genome` holds the rows of its groups at each scale.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn back(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        room: &mut DeepRoom,
    ) -> Result<DeepBack, FactorizationError> {
        let n = self.outer.nodes;
        let mut sums = Sums {
            hidden: (self.hidden.iter())
                .map(|_| (vec![0f32; n * n], vec![0f32; n]))
                .collect(),
            output: OutputGradient::zero(n),
        };
        let mut back = DeepBack::zero(&self.outer, batch, genome);
        let halves = match self.arithmetic {
            Arithmetic::F32 => Vec::new(),
            Arithmetic::Bf16 => (self.hidden.iter())
                .map(|(weight, _)| weight.f_to_kind(Kind::BFloat16))
                .collect::<Result<_, _>>()?,
        };
        for first in (0..batch.len()).step_by(CHUNK) {
            let samples = first..(first + CHUNK).min(batch.len());
            let chunk = Chunk::new(batch, samples.clone());
            self.first_layer(&chunk, genome, room);
            let residuals = &mut back.residuals[samples];
            if halves.is_empty() {
                self.further_layers(&chunk.batch, batch.len(), residuals, room, &mut sums);
            } else {
                let of = (&chunk.batch, batch.len());
                self.further_layers_bf16(of, residuals, room, &mut sums, &halves)?;
            }
            self.first_layer_back(&chunk, genome, room, &mut back);
        }
        for (weight, bias) in sums.hidden {
            let weight = Tensor::f_from_slice(&weight)?.f_reshape([n as i64, n as i64])?;
            back.layers.extend([weight, Tensor::f_from_slice(&bias)?]);
        }
        back.output(&sums.output, batch.len())?;
        Ok(back)
    }

    /// The first layer's activations of a chunk.
    fn first_layer(&self, chunk: &Chunk, genome: &[Vec<f32>; 3], room: &mut DeepRoom) {
        let n = self.outer.nodes;
        for (s, part) in room.parts.iter_mut().enumerate() {
            let rows = chunk.factors(s, self.outer.cols(s), genome);
            part.resize(chunk.batch.groups[s].rows.len() * n, 0.0);
            let weight = Matrix::new(self.outer.genome_weights[s], n);
            multiply(part, rows, weight, false, Threads::All);
        }
        room.activations
            .resize_with(self.hidden.len() + 1, Vec::new);
        let activations = &mut room.activations[0];
        activations.resize(chunk.batch.len() * n, 0.0);
        let [fine, middle, coarse] = &room.parts;
        let parts = self.outer.parts([fine, middle, coarse]);
        parts.assemble(&chunk.batch, activations);
    }

    /// The further layers forward and back: leaves the gradient before the first ReLU in the first
    /// layer's room.
    fn further_layers(
        &self,
        chunk: &Batch,
        n_samples: usize,
        residuals: &mut [f32],
        room: &mut DeepRoom,
        sums: &mut Sums,
    ) {
        let n = self.outer.nodes;
        for (i, (weight, bias)) in self.hidden.iter().enumerate() {
            let (below, above) = room.activations.split_at_mut(i + 1);
            let (below, above) = (&below[i], &mut above[0]);
            above.resize(below.len(), 0.0);
            let weight = Matrix::new(floats(weight), n);
            multiply(above, Matrix::new(below, n), weight, false, Threads::All);
            add_bias(above, floats(bias));
        }
        let last = self.hidden.len();
        let gradient = &mut room.activations[last];
        self.sweep(
            gradient,
            &chunk.values,
            n_samples,
            residuals,
            &mut sums.output,
        );
        for (i, (weight, _)) in self.hidden.iter().enumerate().rev() {
            let (below, above) = room.activations.split_at_mut(i + 1);
            let (below, above) = (&mut below[i], &above[0]);
            let (weights, biases) = &mut sums.hidden[i];
            let (activations, gradient) = (Matrix::new(below, n), Matrix::new(above, n));
            multiply(weights, activations.t(), gradient, true, Threads::All);
            add_columns(above, biases);
            room.other.resize(above.len(), 0.0);
            let weight = Matrix::new(floats(weight), n).t();
            multiply(&mut room.other, gradient, weight, false, Threads::All);
            through_relu(&room.other, below);
        }
    }

    /// The same with products of bfloat16.
    fn further_layers_bf16(
        &self,
        (chunk, n_samples): (&Batch, usize),
        residuals: &mut [f32],
        room: &mut DeepRoom,
        sums: &mut Sums,
        weights: &[Tensor],
    ) -> Result<(), FactorizationError> {
        let shape = [chunk.len() as i64, self.outer.nodes as i64];
        let half = |values: &[f32]| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(values)?
                .f_reshape(shape)?
                .f_to_kind(Kind::BFloat16)?)
        };
        let mut activations = vec![half(&room.activations[0])?];
        for (weight, (_, bias)) in weights.iter().zip(&self.hidden) {
            let mut next = activations[activations.len() - 1].f_matmul(weight)?;
            activations.push(next.f_add_(&bias.f_to_kind(Kind::BFloat16)?)?.f_relu_()?);
        }
        let last = &activations[activations.len() - 1];
        room.other.clear();
        (room.other).extend_from_slice(floats(&last.f_to_kind(Kind::Float)?.f_contiguous()?));
        let (observed, output) = (&chunk.values, &mut sums.output);
        self.sweep(&mut room.other, observed, n_samples, residuals, output);
        let mut back = half(&room.other)?;
        for (i, weight) in weights.iter().enumerate().rev() {
            let below = &activations[i];
            let (sum, biases) = &mut sums.hidden[i];
            let product = below.f_tr()?.f_matmul(&back)?;
            add(
                floats(&product.f_to_kind(Kind::Float)?.f_contiguous()?),
                sum,
            );
            let columns = back.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Float)?;
            add(floats(&columns), biases);
            back = below.f_threshold_backward(&back.f_matmul(&weight.f_tr()?)?, 0.0)?;
        }
        let back = back.f_to_kind(Kind::Float)?.f_contiguous()?;
        room.activations[0].copy_from_slice(floats(&back));
        Ok(())
    }

    /// Sums what the gradient before the first ReLU means for the first layer and what it takes.
    fn first_layer_back(
        &self,
        chunk: &Chunk,
        genome: &[Vec<f32>; 3],
        room: &mut DeepRoom,
        back: &mut DeepBack,
    ) {
        let n = self.outer.nodes;
        let gradient = &room.activations[0];
        for (s, sums) in room.parts.iter_mut().enumerate() {
            let (groups, cols) = (&chunk.batch.groups[s], self.outer.cols(s));
            let sums = if groups.rows.len() == chunk.batch.len() {
                gradient
            } else {
                sums.resize(groups.rows.len() * n, 0.0);
                sums_by_group(groups, gradient, n, sums);
                &*sums
            };
            let factors = chunk.factors(s, cols, genome);
            let sums = Matrix::new(sums, n);
            let weights = &mut back.genome_weights[s];
            multiply(weights, factors.t(), sums, true, Threads::All);
            let rows = chunk.rows[s].start * cols..chunk.rows[s].end * cols;
            let weight = Matrix::new(self.outer.genome_weights[s], n).t();
            // Added: a group that two chunks share has a part in both.
            multiply(&mut back.genome[s][rows], sums, weight, true, Threads::All);
        }
        let (b, a) = sums_by_track(&self.outer.parts([&[], &[], &[]]), &chunk.batch, gradient);
        add(&b, &mut back.biosamples);
        add(&a, &mut back.assays);
    }

    /// The output layer forward and back: turns the last activations into the gradient before their
    /// ReLU, and adds the output's own gradient and the squared residuals to `sum`.
    fn sweep(
        &self,
        last: &mut [f32],
        observed: &[f32],
        n_samples: usize,
        residuals: &mut [f32],
        sum: &mut OutputGradient,
    ) {
        let scale = 2.0 / n_samples as f32;
        let (nodes, output) = (self.outer.nodes, &self.outer.output);
        let partial: Vec<OutputGradient> = last
            .par_chunks_mut(TILE * nodes)
            .zip(observed.par_chunks(TILE))
            .zip(residuals.par_chunks_mut(TILE))
            .map(|((rows, observed), residuals)| {
                let mut part = OutputGradient::zero(nodes);
                wide(
                    #[inline(always)]
                    || {
                        let rows = rows.chunks_exact_mut(nodes);
                        for ((row, observed), residual) in
                            rows.zip(observed).zip(residuals.iter_mut())
                        {
                            *residual = part.add(output, scale, *observed, row);
                        }
                    },
                );
                part
            })
            .collect();
        for part in &partial {
            sum.merge(part);
        }
    }
}

/// Samples of a batch that go through the layers together.
pub(super) struct Chunk {
    /// The samples, their groups numbered from the chunk's first on.
    pub batch: Batch,
    /// Which of the batch's groups they belong to, at each scale.
    pub rows: [Range<usize>; 3],
}

impl Chunk {
    pub fn new(batch: &Batch, samples: Range<usize>) -> Self {
        let mut rows = [0..0, 0..0, 0..0];
        let groups = [0, 1, 2].map(|s| {
            let Groups { rows: all, starts } = &batch.groups[s];
            let first = starts.partition_point(|start| *start as usize <= samples.start) - 1;
            let end = starts.partition_point(|start| (*start as usize) < samples.end);
            rows[s] = first..end.min(all.len());
            let inside =
                |start: &u32| (*start as usize).clamp(samples.start, samples.end) - samples.start;
            Groups {
                rows: all[rows[s].clone()].to_vec(),
                starts: (starts[first..=rows[s].end].iter())
                    .map(|start| inside(start) as u32)
                    .collect(),
            }
        });
        let batch = Batch {
            tracks: batch.tracks[samples.clone()].to_vec(),
            values: batch.values[samples.clone()].to_vec(),
            bins: batch.bins[samples].to_vec(),
            groups,
        };
        Chunk { batch, rows }
    }

    /// The chunk's rows of factors at a scale.
    pub fn factors<'a>(&self, scale: usize, cols: usize, genome: &'a [Vec<f32>; 3]) -> Matrix<'a> {
        let rows = &self.rows[scale];
        Matrix::new(&genome[scale][rows.start * cols..rows.end * cols], cols)
    }
}

/// Adds the bias to each row, and cuts off what is below zero.
fn add_bias(rows: &mut [f32], bias: &[f32]) {
    rows.par_chunks_mut(TILE * bias.len()).for_each(|rows| {
        wide(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(bias.len()) {
                    for (value, b) in row.iter_mut().zip(bias) {
                        *value = (*value + b).max(0.0);
                    }
                }
            },
        );
    });
}

/// Replaces activations by the gradient that comes back to them, where they are not cut off.
fn through_relu(gradient: &[f32], activations: &mut [f32]) {
    const PIECE: usize = 1 << 16;
    (activations
        .par_chunks_mut(PIECE)
        .zip(gradient.par_chunks(PIECE)))
    .for_each(|(activations, gradient)| {
        wide(
            #[inline(always)]
            || {
                for (value, g) in activations.iter_mut().zip(gradient) {
                    *value = if *value > 0.0 { *g } else { 0.0 };
                }
            },
        );
    });
}

/// Adds the columns' sums, some columns a thread, so that their order depends on no thread.
fn add_columns(rows: &[f32], sums: &mut [f32]) {
    const COLUMNS: usize = 128;
    let n = sums.len();
    (sums.par_chunks_mut(COLUMNS).enumerate()).for_each(|(piece, sums)| {
        let first = piece * COLUMNS;
        wide(
            #[inline(always)]
            || {
                for row in rows.chunks_exact(n) {
                    for (sum, value) in sums.iter_mut().zip(&row[first..]) {
                        *sum += value;
                    }
                }
            },
        );
    });
}

fn add(values: &[f32], sums: &mut [f32]) {
    const PIECE: usize = 1 << 16;
    (sums.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE))).for_each(|(sums, values)| {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    });
}
