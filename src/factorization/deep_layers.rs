//! The layers after the first, on the CPU: forward and back by hand, some samples at a time.
//!
//! A chunk's activations are thrown away once their part of the weights' gradient is summed, where
//! autograd would keep those of the whole batch. What is left beside the matrix products is one
//! fused sweep over the last layer. The products may be of bfloat16, libtorch's
//! ([`Arithmetic::Bf16`]): weights, moments, sums and the first and last layer stay f32.

use rayon::prelude::*;
use tch::{Kind, Tensor};

use super::FactorizationError;
use super::arithmetic::Arithmetic;
use super::batch::Batch;
use super::first_layer::{Output, OutputGradient, Parts};
use super::tensors::{add_product, floats, floats_mut, product};

/// Samples whose activations are in memory at once; few in tests, so that batches have several.
const CHUNK: usize = if cfg!(test) { 150 } else { 4_000 };
/// Samples that one thread sweeps at a time.
const TILE: usize = 50;

/// The layers after the first, with their values as the products take them.
pub(super) struct DeepLayers<'a> {
    nodes: usize,
    kind: Kind,
    /// Weight and bias of each hidden layer after the first.
    hidden: Vec<(Tensor, Tensor)>,
    output: Output<'a>,
}

/// What comes back through the layers.
pub(super) struct DeepBack {
    /// Mean squared error over the batch.
    pub loss: f64,
    /// Gradients of weight and bias of each hidden layer after the first, then of the output.
    pub layers: Vec<Tensor>,
}

impl<'a> DeepLayers<'a> {
    /// From weight and bias of each hidden layer after the first, and the output's.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn new(
        hidden: &[(&Tensor, &Tensor)],
        output: Output<'a>,
        nodes: usize,
        arithmetic: Arithmetic,
    ) -> Result<Self, FactorizationError> {
        let kind = arithmetic.kind();
        let cast = |(weight, bias): &(&Tensor, &Tensor)| {
            Ok::<_, FactorizationError>((weight.f_to_kind(kind)?, bias.f_to_kind(kind)?))
        };
        Ok(DeepLayers {
            nodes,
            kind,
            hidden: hidden.iter().map(cast).collect::<Result<_, _>>()?,
            output,
        })
    }

    /// Forward and back for a batch: fills `gradient` with the loss's gradient before the first
    /// layer's ReLU, `[samples, nodes]`, and `residuals` with prediction − observation.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn back(
        &self,
        parts: &Parts<'_>,
        batch: &Batch,
        gradient: &mut [f32],
        residuals: &mut [f32],
    ) -> Result<DeepBack, FactorizationError> {
        let nodes = self.nodes as i64;
        let options = (Kind::Float, tch::Device::Cpu);
        let mut sums = Vec::with_capacity(self.hidden.len());
        for _ in &self.hidden {
            sums.push((
                Tensor::f_zeros([nodes, nodes], options)?,
                Tensor::f_zeros([nodes], options)?,
            ));
        }
        let mut output = OutputGradient::zero(self.nodes);
        let mut first = 0;
        let chunks = gradient.chunks_mut(CHUNK * self.nodes);
        for (gradient, residuals) in chunks.zip(residuals.chunks_mut(CHUNK)) {
            let n = residuals.len();
            let mut before = Tensor::f_empty([n as i64, nodes], options)?;
            parts.assemble(batch, first, floats_mut(&mut before));
            let mut activations = vec![before.f_relu_()?.f_to_kind(self.kind)?];
            for (weight, bias) in &self.hidden {
                let mut next = product(&activations[activations.len() - 1], weight)?;
                activations.push(next.f_add_(bias)?.f_relu_()?);
            }
            let Some(last) = activations.last() else {
                break;
            };
            let mut last = last.f_to_kind(Kind::Float)?.f_contiguous()?;
            if self.kind == Kind::Float {
                // The sweep writes over it.
                let mut copy = last.f_empty_like()?;
                copy.f_copy_(&last)?;
                last = copy;
            }
            let observed = &batch.values[first..first + n];
            self.sweep(
                floats_mut(&mut last),
                observed,
                batch.len(),
                residuals,
                &mut output,
            );
            let mut back = last.f_to_kind(self.kind)?;
            for (i, (weight, _)) in self.hidden.iter().enumerate().rev() {
                let below = &activations[i];
                let (weights, biases) = &mut sums[i];
                if self.kind == Kind::Float {
                    add_product(weights, &below.f_tr()?, &back)?;
                } else {
                    let _ =
                        weights.f_add_(&below.f_tr()?.f_matmul(&back)?.f_to_kind(Kind::Float)?)?;
                }
                let _ = biases.f_add_(&back.f_sum_dim_intlist(
                    [0i64].as_slice(),
                    false,
                    Kind::Float,
                )?)?;
                back = below.f_threshold_backward(&product(&back, &weight.f_tr()?)?, 0.0)?;
            }
            let back = back.f_to_kind(Kind::Float)?.f_contiguous()?;
            gradient.copy_from_slice(floats(&back));
            first += n;
        }
        let mut layers = Vec::with_capacity(2 * self.hidden.len() + 2);
        for (weight, bias) in sums {
            layers.extend([weight, bias]);
        }
        layers.push(Tensor::f_from_slice(&output.weight)?.f_reshape([nodes, 1])?);
        layers.push(Tensor::f_from_slice(&[output.bias])?);
        Ok(DeepBack {
            loss: output.loss / batch.len() as f64,
            layers,
        })
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
        let (nodes, output) = (self.nodes, &self.output);
        let partial: Vec<OutputGradient> = last
            .par_chunks_mut(TILE * nodes)
            .zip(observed.par_chunks(TILE))
            .zip(residuals.par_chunks_mut(TILE))
            .map(|((rows, observed), residuals)| {
                let mut part = OutputGradient::zero(nodes);
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        let rows = rows.chunks_exact_mut(nodes);
                        for ((row, observed), residual) in rows.zip(observed).zip(residuals) {
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
