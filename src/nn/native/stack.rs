//! The layers of a chunk of samples above its bottom: hidden layers and the head, forward and back.

use super::dense::{Activation, Below, Dense, DenseGradient};
use super::head::{Head, HeadGradient, Targets};
use crate::nn::Dropout;
use crate::nn::product::Threads;

/// Hidden layers and the head above them.
pub(super) struct Stack<'a> {
    pub hidden: Vec<Dense<'a>>,
    pub head: Head<'a>,
}

/// What lies below the stack.
pub(super) enum Bottom<'a> {
    /// Inputs, `[n, inputs]`.
    Inputs(&'a [f32]),
    /// Activations of a layer with a ReLU, which turn into the gradients before it. Where the stack
    /// has no hidden layer, they may be the sums before the ReLU.
    Activations(&'a mut [f32]),
}

/// A chunk's part of the step's dropout.
#[derive(Clone, Copy)]
pub(super) struct ChunkDropout<'a> {
    pub dropout: &'a Dropout,
    /// Samples of the batch, and the chunk's first.
    pub n_batch: usize,
    pub first: usize,
}

/// Buffers of a chunk, kept from step to step.
#[derive(Debug, Default)]
pub(super) struct StackBuffers {
    /// Activations of each hidden layer, which turn into gradients.
    activations: Vec<Vec<f32>>,
    other: Vec<f32>,
    bytes: Vec<u8>,
    /// The head's gradient, added to.
    pub head: HeadGradient,
}

/// Where a chunk's gradients of the hidden layers go: weight and bias of each, one after another.
pub(super) struct StackGradient<'a> {
    pub hidden: &'a mut [f32],
    pub add: bool,
}

impl Stack<'_> {
    /// Takes a chunk forward and back. `start` and `fill` may make the bottom's rows just before the
    /// head takes them, where there is no hidden layer: see [`Head::sweep`].
    #[allow(clippy::too_many_arguments)]
    pub fn back<W>(
        &self,
        mut bottom: Bottom<'_>,
        dropout: Option<ChunkDropout<'_>>,
        targets: &Targets<'_>,
        residuals: &mut [f32],
        buffers: &mut StackBuffers,
        gradient: StackGradient<'_>,
        (start, fill): (
            impl Fn(usize) -> W + Sync,
            impl Fn(&mut W, usize, &mut [f32]) + Sync,
        ),
        threads: Threads,
    ) {
        let (n, n_hidden) = (targets.values.len(), self.hidden.len());
        let kept = dropout.map_or(1.0, |d| d.dropout.kept());
        let StackBuffers {
            activations,
            other,
            bytes,
            head,
        } = buffers;
        activations.resize_with(n_hidden, Vec::new);
        for (i, layer) in self.hidden.iter().enumerate() {
            let outputs = layer.bias.len();
            let (done, rest) = activations.split_at_mut(i);
            let below: &[f32] = match (done.last(), &bottom) {
                (Some(values), _) => values,
                (None, Bottom::Inputs(values)) => values,
                (None, Bottom::Activations(values)) => values,
            };
            rest[0].resize(n * outputs, 0.0);
            let activation = match dropout {
                Some(chunk) if chunk.dropout.below() > 0 => {
                    bytes.resize(n * outputs, 0);
                    let (all, first) = (chunk.n_batch * outputs, chunk.first * outputs);
                    chunk.dropout.bytes(i, all, first, bytes);
                    Activation::Dropout {
                        bytes,
                        below: chunk.dropout.below(),
                        kept,
                    }
                }
                _ => Activation::Relu,
            };
            layer.forward(below, outputs, activation, &mut rest[0], threads);
        }
        let top = match (activations.last_mut(), &mut bottom) {
            (Some(values), _) => &mut values[..],
            (None, Bottom::Activations(values)) => values,
            // A network has a hidden layer: its specification is checked.
            (None, Bottom::Inputs(_)) => return,
        };
        self.head
            .sweep(top, targets, kept, residuals, head, start, fill, threads);
        let mut rest = gradient.hidden;
        for (i, layer) in self.hidden.iter().enumerate().rev() {
            let (done, above) = activations.split_at_mut(i);
            let below = match (done.last_mut(), &mut bottom) {
                (Some(values), _) => Below::Activations {
                    values,
                    buffer: other,
                    kept,
                },
                (None, Bottom::Activations(values)) => Below::Activations {
                    values,
                    buffer: other,
                    kept: 1.0,
                },
                (None, Bottom::Inputs(inputs)) => Below::Inputs(inputs),
            };
            let (weight, bias) = (layer.weight.len(), layer.bias.len());
            let (before, bias) = rest.split_at_mut(rest.len() - bias);
            let (before, weight) = before.split_at_mut(before.len() - weight);
            rest = before;
            let into = DenseGradient {
                weight,
                bias,
                add: gradient.add,
            };
            layer.backward(&above[0], layer.bias.len(), below, into, threads);
        }
    }
}
