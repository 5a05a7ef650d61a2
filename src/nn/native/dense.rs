//! A dense layer: its one forward and its one backward pass.

use rayon::prelude::*;

use crate::nn::product::{Matrix, Threads, multiply};
use crate::nn::vectors::wide;

/// Values that one thread sweeps at a time.
const PIECE: usize = 1 << 16;
/// Columns that one thread sums at a time.
const COLUMNS: usize = 128;

/// A dense layer, `y = f(x · W + b)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dense<'a> {
    /// `[inputs, outputs]`.
    pub weight: &'a [f32],
    /// `[outputs]`.
    pub bias: &'a [f32],
}

/// What becomes of a layer's sums.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Activation<'a> {
    /// They stay.
    Linear,
    /// What is below 0 becomes 0.
    Relu,
    /// The same; then units whose byte is below `below` are left out, and the others count `kept`.
    Dropout {
        bytes: &'a [u8],
        below: u8,
        kept: f32,
    },
}

/// What lies below a layer, and what a backward pass makes of it.
pub(crate) enum Below<'a> {
    /// Inputs, `[n, inputs]`, whose gradient nobody wants.
    Inputs(&'a [f32]),
    /// Inputs, and where their gradient is written, or added if `add` is set.
    WithGradient {
        inputs: &'a [f32],
        gradient: &'a mut [f32],
        add: bool,
    },
    /// Activations of a layer with a ReLU, which turn into the gradients before it; each unit that is
    /// not 0 counted `kept` times. `buffer` is overwritten.
    Activations {
        values: &'a mut [f32],
        buffer: &'a mut Vec<f32>,
        kept: f32,
    },
}

/// Where a backward pass leaves the gradients of a layer's own numbers.
pub(crate) struct DenseGradient<'a> {
    /// `[inputs, outputs]`.
    pub weight: &'a mut [f32],
    /// `[outputs]`; empty where nobody wants it.
    pub bias: &'a mut [f32],
    /// Whether they are added to what is there.
    pub add: bool,
}

impl Dense<'_> {
    /// Forward: `out`, `[n, outputs]`, of inputs `[n, inputs]`; `outputs` is given apart because a
    /// layer without bias has none to count.
    pub fn forward(
        &self,
        inputs: &[f32],
        outputs: usize,
        activation: Activation<'_>,
        out: &mut [f32],
        threads: Threads,
    ) {
        let n_inputs = self.weight.len() / outputs;
        let (rows, weight) = (
            Matrix::new(inputs, n_inputs),
            Matrix::new(self.weight, outputs),
        );
        multiply(out, rows, weight, false, threads);
        if self.bias.is_empty() {
            debug_assert!(matches!(activation, Activation::Linear));
            return;
        }
        let piece = match threads {
            Threads::One => out.len(),
            Threads::All => (PIECE / outputs).max(1) * outputs,
        };
        let activate = |(i, rows): (usize, &mut [f32])| {
            self.activate(rows, i * piece, activation);
        };
        match threads {
            Threads::One => activate((0, out)),
            Threads::All => out.par_chunks_mut(piece).enumerate().for_each(activate),
        }
    }

    /// Bias and activation of some rows of sums; `first` is their first value's place among all.
    fn activate(&self, rows: &mut [f32], first: usize, activation: Activation<'_>) {
        let bias = self.bias;
        let rows = rows.chunks_exact_mut(bias.len());
        match activation {
            Activation::Linear => wide(
                #[inline(always)]
                || {
                    for row in rows {
                        for (value, b) in row.iter_mut().zip(bias) {
                            *value += b;
                        }
                    }
                },
            ),
            Activation::Relu => wide(
                #[inline(always)]
                || {
                    for row in rows {
                        for (value, b) in row.iter_mut().zip(bias) {
                            *value = (*value + b).max(0.0);
                        }
                    }
                },
            ),
            Activation::Dropout { bytes, below, kept } => wide(
                #[inline(always)]
                || {
                    for (row, bytes) in rows.zip(bytes[first..].chunks_exact(bias.len())) {
                        for ((value, b), byte) in row.iter_mut().zip(bias).zip(bytes) {
                            let counts = if *byte < below { 0.0 } else { kept };
                            *value = (*value + b).max(0.0) * counts;
                        }
                    }
                },
            ),
        }
    }

    /// Backward: from the gradient of the layer's sums, `[n, outputs]`, to those of its own numbers
    /// and of what lies below.
    pub fn backward(
        &self,
        gradient: &[f32],
        outputs: usize,
        below: Below<'_>,
        into: DenseGradient<'_>,
        threads: Threads,
    ) {
        let n_inputs = self.weight.len() / outputs;
        let gradients = Matrix::new(gradient, outputs);
        let inputs = match &below {
            Below::Inputs(inputs) | Below::WithGradient { inputs, .. } => inputs,
            Below::Activations { values, .. } => &**values,
        };
        let inputs = Matrix::new(inputs, n_inputs);
        multiply(into.weight, inputs.t(), gradients, into.add, threads);
        if !into.bias.is_empty() {
            if !into.add {
                into.bias.fill(0.0);
            }
            add_columns(gradient, into.bias, threads);
        }
        let weight = Matrix::new(self.weight, outputs).t();
        match below {
            Below::Inputs(_) => {}
            Below::WithGradient {
                gradient: out, add, ..
            } => multiply(out, gradients, weight, add, threads),
            Below::Activations {
                values,
                buffer,
                kept,
            } => {
                buffer.resize(values.len(), 0.0);
                multiply(buffer, gradients, weight, false, threads);
                through_relu(buffer, kept, values, threads);
            }
        }
    }
}

/// Replaces activations by the gradients that come back to them, where they are not 0.
fn through_relu(gradient: &[f32], kept: f32, activations: &mut [f32], threads: Threads) {
    let replace = |(activations, gradient): (&mut [f32], &[f32])| {
        wide(
            #[inline(always)]
            || {
                for (value, g) in activations.iter_mut().zip(gradient) {
                    *value = if *value > 0.0 { *g * kept } else { 0.0 };
                }
            },
        );
    };
    match threads {
        Threads::One => replace((activations, gradient)),
        Threads::All => (activations.par_chunks_mut(PIECE))
            .zip(gradient.par_chunks(PIECE))
            .for_each(replace),
    }
}

/// Adds the columns' sums, row after row, whatever the threads.
fn add_columns(rows: &[f32], sums: &mut [f32], threads: Threads) {
    let n = sums.len();
    let add = |(first, sums): (usize, &mut [f32])| {
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
    };
    match threads {
        Threads::One => add((0, sums)),
        Threads::All => (sums.par_chunks_mut(COLUMNS).enumerate())
            .for_each(|(piece, sums)| add((piece * COLUMNS, sums))),
    }
}
