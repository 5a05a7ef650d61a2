//! A plain feed-forward network with dropout after each hidden layer.

use rayon::prelude::*;

use super::dense::Dense;
use super::head::{Head, Targets};
use super::parameters::{Net, Parameters, sum_chunks};
use super::stack::{Bottom, ChunkDropout, Stack, StackBuffers, StackGradient};
use crate::nn::NnError;
use crate::nn::product::Threads;
use crate::nn::seam::{DenseBatch, DenseSpec, FeedForward};

/// Samples that one thread takes at a time: a multiple of 4, as dropout's bytes need.
const CHUNK: usize = 256;

/// A feed-forward network in training.
pub(crate) type DenseNet = Net<Layers>;

/// What it needs besides its parameters.
#[derive(Debug)]
pub(crate) struct Layers {
    spec: DenseSpec,
    chunks: Vec<Chunk>,
}

#[derive(Debug, Default)]
struct Chunk {
    stack: StackBuffers,
    /// Of the hidden layers.
    gradient: Vec<f32>,
    residuals: Vec<f32>,
}

impl DenseNet {
    /// From its parameters, which fit; moments are 0.
    pub fn new(spec: &DenseSpec, parameters: &[f32]) -> Self {
        let tensors = spec.tensors();
        // Weights shrink, biases do not.
        let trained = |tensor: usize| (0..tensors[tensor][0], tensor.is_multiple_of(2));
        Net {
            parameters: Parameters::new(&tensors, trained, parameters),
            kind: Layers {
                spec: spec.clone(),
                chunks: Vec::new(),
            },
        }
    }
}

impl FeedForward for DenseNet {
    fn back(&mut self, batch: &DenseBatch<'_>) -> Result<f64, NnError> {
        let Net { parameters, kind } = self;
        let n = batch.targets.len();
        let n_chunks = n.div_ceil(CHUNK).max(1);
        let n_layers = kind.spec.layers.len();
        kind.chunks
            .resize_with(kind.chunks.len().max(n_chunks), Chunk::default);
        let chunks = &mut kind.chunks[..n_chunks];
        let values = &parameters.values;
        let layer = |i: usize| Dense {
            weight: &values[parameters.place(2 * i)],
            bias: &values[parameters.place(2 * i + 1)],
        };
        let head = layer(n_layers - 1);
        let stack = Stack {
            hidden: (0..n_layers - 1).map(layer).collect(),
            head: Head {
                weight: head.weight,
                bias: head.bias[0],
            },
        };
        let (of_head, of_bias) = (
            parameters.place(2 * n_layers - 2),
            parameters.place(2 * n_layers - 1),
        );
        let inputs = kind.spec.layers[0][0];
        (chunks.par_iter_mut().enumerate()).for_each(|(i, chunk)| {
            let samples = i * CHUNK..n.min((i + 1) * CHUNK);
            chunk.gradient.resize(of_head.start, 0.0);
            chunk.residuals.resize(samples.len(), 0.0);
            chunk.stack.head.clear(head.weight.len());
            let targets = Targets {
                values: &batch.targets[samples.clone()],
                weights: Some(&batch.weights[samples.clone()]),
                n_batch: n,
            };
            let dropout = ChunkDropout {
                dropout: &batch.dropout,
                n_batch: n,
                first: samples.start,
            };
            let gradient = StackGradient {
                hidden: &mut chunk.gradient,
                add: false,
            };
            stack.back(
                Bottom::Inputs(&batch.rows[samples.start * inputs..samples.end * inputs]),
                Some(dropout),
                &targets,
                &mut chunk.residuals,
                &mut chunk.stack,
                gradient,
                (|_| (), |_: &mut (), _, _: &mut [f32]| ()),
                Threads::One,
            );
        });
        let gradient = &mut parameters.gradient;
        sum_chunks(
            chunks,
            |chunk| &chunk.gradient,
            &mut gradient[..of_head.start],
        );
        if let Some((first, others)) = chunks.split_first_mut() {
            for chunk in others {
                first.stack.head.add(&chunk.stack.head);
            }
        }
        let sum = &chunks[0].stack.head;
        gradient[of_head].copy_from_slice(&sum.weight);
        gradient[of_bias].copy_from_slice(&[sum.bias]);
        Ok(sum.squares / n as f64)
    }
}
