//! Three encoders and their decoder in training: chains of dense layers, a chunk of samples at a time.

use rayon::prelude::*;

use super::dense::{Activation, Below, Dense, DenseGradient};
use super::parameters::{Net, Parameters, sum_chunks};
use crate::nn::NnError;
use crate::nn::product::Threads;
use crate::nn::seam::{EncoderBatch, EncoderNetwork, EncoderSpec};

/// Samples that one thread takes at a time.
const CHUNK: usize = 256;
/// Tensors of an encoder: weight and bias of three layers.
const PER_ENCODER: usize = EncoderSpec::PER_ENCODER;

/// An encoder with its decoder in training.
pub(crate) type EncoderNet = Net<Encoders>;

/// What it needs besides its parameters.
#[derive(Debug)]
pub(crate) struct Encoders {
    spec: EncoderSpec,
    chunks: Vec<Chunk>,
}

/// Buffers of a chunk of samples, kept from step to step.
#[derive(Debug, Default)]
struct Chunk {
    /// Activations of each encoder's two hidden layers, which turn into gradients.
    hidden: [[Vec<f32>; 2]; 3],
    /// One encoder's codes, then their gradient, `[samples, code]`.
    code: Vec<f32>,
    /// Codes of all resolutions side by side, and their gradient.
    codes: Vec<f32>,
    codes_gradient: Vec<f32>,
    /// Activations of the decoder's hidden layer.
    decoder: Vec<f32>,
    /// The outputs, which turn into their gradient.
    outputs: Vec<f32>,
    buffer: Vec<f32>,
    /// Of all parameters.
    gradient: Vec<f32>,
    /// Σ w (y − t)².
    squares: f64,
}

impl EncoderNet {
    /// From its parameters, which fit; moments are 0.
    pub fn new(spec: &EncoderSpec, parameters: &[f32]) -> Self {
        let tensors = spec.tensors();
        // Weights shrink, biases do not.
        let trained = |tensor: usize| (0..tensors[tensor][0], tensor.is_multiple_of(2));
        Net {
            parameters: Parameters::new(&tensors, trained, parameters),
            kind: Encoders {
                spec: spec.clone(),
                chunks: Vec::new(),
            },
        }
    }
}

impl EncoderNetwork for EncoderNet {
    fn back(&mut self, batch: &EncoderBatch<'_>) -> Result<f64, NnError> {
        let Net { parameters, kind } = self;
        let spec = &kind.spec;
        let n = batch.targets.len() / spec.outputs.max(1);
        let total: f64 = batch.weights.iter().map(|w| f64::from(*w)).sum();
        let n_chunks = n.div_ceil(CHUNK).max(1);
        let chunks = &mut kind.chunks;
        chunks.resize_with(chunks.len().max(n_chunks), Chunk::default);
        let step = Step {
            spec,
            values: &parameters.values,
            parameters,
            batch,
            slope: if total > 0.0 {
                (2.0 / total) as f32
            } else {
                0.0
            },
        };
        let chunks = &mut chunks[..n_chunks];
        (chunks.par_iter_mut().enumerate())
            .for_each(|(i, chunk)| step.take(chunk, i * CHUNK, n.min((i + 1) * CHUNK)));
        sum_chunks(chunks, |chunk| &chunk.gradient, &mut parameters.gradient);
        let squares: f64 = chunks.iter().map(|c| c.squares).sum();
        Ok(if total > 0.0 { squares / total } else { 0.0 })
    }
}

/// What every chunk of a step shares.
struct Step<'a> {
    spec: &'a EncoderSpec,
    values: &'a [f32],
    parameters: &'a Parameters,
    batch: &'a EncoderBatch<'a>,
    /// 2 / Σ w.
    slope: f32,
}

impl Step<'_> {
    fn layer(&self, tensor: usize) -> Dense<'_> {
        Dense {
            weight: &self.values[self.parameters.range(tensor)],
            bias: &self.values[self.parameters.range(tensor + 1)],
        }
    }

    /// The samples of a chunk that a resolution encodes.
    fn encoded(&self, resolution: usize, first: usize, end: usize) -> usize {
        let of_batch = self.batch.rows[resolution].len() / self.spec.inputs[resolution].max(1);
        of_batch.clamp(first, end) - first
    }

    /// Takes samples `first..end` forward and back.
    fn take(&self, chunk: &mut Chunk, first: usize, end: usize) {
        let EncoderSpec {
            nodes,
            codes,
            decoder,
            outputs,
            ..
        } = *self.spec;
        let (n, width) = (end - first, codes.iter().sum::<usize>());
        chunk.gradient.clear();
        chunk.gradient.resize(self.values.len(), 0.0);
        chunk.codes.clear();
        chunk.codes.resize(n * width, 0.0);
        let mut column = 0;
        for (s, code) in codes.into_iter().enumerate() {
            let n = self.encoded(s, first, end);
            if n > 0 {
                let inputs = self.inputs(s, first, n);
                let [below, above] = &mut chunk.hidden[s];
                below.resize(n * nodes, 0.0);
                above.resize(n * nodes, 0.0);
                chunk.code.resize(n * code, 0.0);
                let at = s * PER_ENCODER;
                let one = Threads::One;
                (self.layer(at)).forward(inputs, nodes, Activation::Relu, below, one);
                (self.layer(at + 2)).forward(below, nodes, Activation::Relu, above, one);
                let out = &mut chunk.code[..n * code];
                (self.layer(at + 4)).forward(above, code, Activation::Linear, out, one);
                copy_columns(out, code, &mut chunk.codes, width, column);
            }
            column += code;
        }
        chunk.decoder.resize(n * decoder, 0.0);
        chunk.outputs.resize(n * outputs, 0.0);
        let at = codes.len() * PER_ENCODER;
        let (hidden, head) = (self.layer(at), self.layer(at + 2));
        let (of_hidden, of_out) = (
            &mut chunk.decoder[..n * decoder],
            &mut chunk.outputs[..n * outputs],
        );
        hidden.forward(
            &chunk.codes,
            decoder,
            Activation::Relu,
            of_hidden,
            Threads::One,
        );
        head.forward(of_hidden, outputs, Activation::Linear, of_out, Threads::One);
        chunk.squares = self.errors(of_out, first * outputs);
        self.back(chunk, first, end);
    }

    fn inputs(&self, resolution: usize, first: usize, n: usize) -> &[f32] {
        let width = self.spec.inputs[resolution];
        &self.batch.rows[resolution][first * width..(first + n) * width]
    }

    /// Turns outputs into their gradient; returns Σ w (y − t)².
    fn errors(&self, outputs: &mut [f32], at: usize) -> f64 {
        let targets = &self.batch.targets[at..at + outputs.len()];
        let weights = &self.batch.weights[at..at + outputs.len()];
        let mut squares = 0f64;
        for ((out, target), weight) in outputs.iter_mut().zip(targets).zip(weights) {
            let residual = *out - target;
            squares += f64::from(*weight) * f64::from(residual) * f64::from(residual);
            *out = self.slope * weight * residual;
        }
        squares
    }

    fn back(&self, chunk: &mut Chunk, first: usize, end: usize) {
        let EncoderSpec {
            nodes,
            codes,
            decoder,
            outputs,
            ..
        } = *self.spec;
        let (n, width) = (end - first, codes.iter().sum::<usize>());
        let Chunk {
            hidden,
            code,
            codes: all,
            codes_gradient,
            decoder: activations,
            outputs: gradient,
            buffer,
            gradient: into,
            ..
        } = chunk;
        let at = codes.len() * PER_ENCODER;
        let below = Below::Activations {
            values: &mut activations[..n * decoder],
            buffer,
            kept: 1.0,
        };
        let head = self.parts(into, at + 2);
        (self.layer(at + 2)).backward(&gradient[..n * outputs], outputs, below, head, Threads::One);
        codes_gradient.resize(n * width, 0.0);
        let below = Below::WithGradient {
            inputs: all,
            gradient: &mut codes_gradient[..n * width],
            add: false,
        };
        let of_hidden = self.parts(into, at);
        (self.layer(at)).backward(
            &activations[..n * decoder],
            decoder,
            below,
            of_hidden,
            Threads::One,
        );
        let mut column = 0;
        for (s, width_of) in codes.into_iter().enumerate() {
            let n = self.encoded(s, first, end);
            if n > 0 {
                code.resize(n * width_of, 0.0);
                take_columns(codes_gradient, width, column, code, width_of);
                let [lower, upper] = &mut hidden[s];
                let at = s * PER_ENCODER;
                let below = Below::Activations {
                    values: &mut upper[..n * nodes],
                    buffer,
                    kept: 1.0,
                };
                let parts = self.parts(into, at + 4);
                (self.layer(at + 4)).backward(code, width_of, below, parts, Threads::One);
                let below = Below::Activations {
                    values: &mut lower[..n * nodes],
                    buffer,
                    kept: 1.0,
                };
                let parts = self.parts(into, at + 2);
                (self.layer(at + 2)).backward(
                    &upper[..n * nodes],
                    nodes,
                    below,
                    parts,
                    Threads::One,
                );
                let below = Below::Inputs(self.inputs(s, first, n));
                let parts = self.parts(into, at);
                (self.layer(at)).backward(&lower[..n * nodes], nodes, below, parts, Threads::One);
            }
            column += width_of;
        }
    }

    /// Where a layer's gradient goes.
    fn parts<'g>(&self, gradient: &'g mut [f32], tensor: usize) -> DenseGradient<'g> {
        let (weight, bias) = (
            self.parameters.range(tensor),
            self.parameters.range(tensor + 1),
        );
        let (before, of_bias) = gradient.split_at_mut(bias.start);
        DenseGradient {
            weight: &mut before[weight],
            bias: &mut of_bias[..bias.len()],
            add: false,
        }
    }
}

/// Copies the rows of a narrow matrix into some columns of a wide one.
fn copy_columns(from: &[f32], cols: usize, to: &mut [f32], width: usize, column: usize) {
    for (row, out) in from.chunks_exact(cols).zip(to.chunks_exact_mut(width)) {
        out[column..column + cols].copy_from_slice(row);
    }
}

/// The reverse, for as many rows as the narrow matrix has.
fn take_columns(from: &[f32], width: usize, column: usize, to: &mut [f32], cols: usize) {
    for (row, out) in from.chunks_exact(width).zip(to.chunks_exact_mut(cols)) {
        out.copy_from_slice(&row[column..column + cols]);
    }
}
