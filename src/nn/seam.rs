//! The seam between what is trained and the code that trains it: three kinds of network, each with a
//! native side and a torch side.
//!
//! Everything that crosses it is a slice of plain numbers or a struct of sizes, so that a side may
//! live in a shared library behind a C interface. Matrices are row-major. A dense layer is
//! `y = x · W + b` with `W` as `[inputs, outputs]`, as Keras stores it. Hidden layers end in a ReLU,
//! the last layer has one output and none.
//!
//! A network's parameters, gradients and moments cross as one flat slice in the order of its
//! specification's `tensors`.

use std::ops::Range;

use super::adam::AdamStep;
use super::{Arithmetic, NnError};

/// What every network in training can do.
pub(crate) trait Trainable: Send {
    /// All parameters, flat.
    fn parameters(&self) -> Result<Vec<f32>, NnError>;

    /// All first moments and all second moments, flat, each as long as the parameters.
    fn moments(&self) -> Result<(Vec<f32>, Vec<f32>), NnError>;

    /// Sets what [`Trainable::moments`] gave.
    ///
    /// # Errors
    /// When there are more or fewer than the network has.
    fn set_moments(&mut self, first: &[f32], second: &[f32]) -> Result<(), NnError>;

    /// The gradients that the last `back` left, flat, as long as the parameters.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests hold one backend to the other by it")
    )]
    fn gradients(&self) -> Result<Vec<f32>, NnError>;

    /// The sum of their squares, in f64.
    fn squared_norm(&self) -> Result<f64, NnError>;

    /// Multiplies them by a factor.
    fn scale_gradients(&mut self, factor: f32) -> Result<(), NnError>;

    /// Moves the parameters by them: one step of Adam. Rows that the specification freezes do not
    /// move, and their moments stay 0.
    fn apply(&mut self, step: &AdamStep) -> Result<(), NnError>;
}

/// The factorisation's network: factors of a biosample, of an assay and of the genome at three
/// scales, side by side, are the first layer's inputs. The genome's factors are the caller's; the
/// rest is the network's.
pub(crate) trait FactorNetwork: Trainable {
    /// Forward and back for a batch. Fills `out`, whose vectors may be used again, and keeps the
    /// gradients of the network's own parameters. The loss is the mean squared error.
    fn back(&mut self, batch: &FactorBatch<'_>, out: &mut FactorGradients) -> Result<(), NnError>;
}

/// A plain feed-forward network with dropout after each hidden layer.
pub(crate) trait FeedForward: Trainable {
    /// Forward and back for a batch, keeping the gradients of Σ wᵢ (yᵢ − tᵢ)² / n. Returns the mean of
    /// the squared errors, unweighted.
    fn back(&mut self, batch: &DenseBatch<'_>) -> Result<f64, NnError>;
}

/// Three encoders, one a resolution, and the decoder that they are trained with: the encoders' codes
/// side by side are the decoder's input, and every output is one track.
pub(crate) trait EncoderNetwork: Trainable {
    /// Forward and back for a batch, keeping the gradients of Σ w (y − t)² / Σ w over samples and
    /// outputs. Returns that mean.
    fn back(&mut self, batch: &EncoderBatch<'_>) -> Result<f64, NnError>;
}

/// What a [`FactorNetwork`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FactorSpec {
    /// How many biosamples, and the factors of each.
    pub biosamples: [usize; 2],
    /// How many assays, and the factors of each.
    pub assays: [usize; 2],
    /// Genome factors at each scale, finest first.
    pub genome_factors: [usize; 3],
    /// Hidden layers, 1 at least.
    pub layers: usize,
    /// Units of each.
    pub nodes: usize,
    /// The numbers of the hidden layers' products after the first.
    pub arithmetic: Arithmetic,
    /// Biosamples whose factors training may change.
    pub trained_biosamples: Range<usize>,
    /// Assays likewise.
    pub trained_assays: Range<usize>,
    /// Whether it may change the layers.
    pub trained_layers: bool,
}

impl FactorSpec {
    /// Inputs of the first layer: biosample, assay, then the genome's scales, finest first.
    pub fn inputs(&self) -> usize {
        self.biosamples[1] + self.assays[1] + self.genome_factors.iter().sum::<usize>()
    }

    /// Rows and columns of each tensor, in the order of the flat parameters: biosamples' factors,
    /// assays' factors, then weight and bias of each layer, the output's last.
    pub fn tensors(&self) -> Vec<[usize; 2]> {
        let mut tensors = vec![self.biosamples, self.assays];
        for layer in 0..=self.layers {
            let inputs = if layer == 0 {
                self.inputs()
            } else {
                self.nodes
            };
            let outputs = if layer == self.layers { 1 } else { self.nodes };
            tensors.extend([[inputs, outputs], [1, outputs]]);
        }
        tensors
    }

    /// How many parameters there are.
    pub fn n_parameters(&self) -> usize {
        self.tensors().iter().map(|[r, c]| r * c).sum()
    }
}

/// Samples of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactorBatch<'a> {
    /// Which of `pairs` each sample shows, `[n]`.
    pub tracks: &'a [u32],
    /// Biosample and assay of each track, as places in the network's tables.
    pub pairs: &'a [[u32; 2]],
    /// What each sample shows, `[n]`.
    pub observed: &'a [f32],
    /// The samples' rows of genome factors at each scale, finest first.
    pub genome: [FactorRows<'a>; 3],
}

/// Rows of genome factors at one scale; samples that share a row are consecutive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactorRows<'a> {
    /// The rows' factors, `[rows, factors]`.
    pub factors: &'a [f32],
    /// Where each row's samples start, and the number of samples as the last entry, `[rows + 1]`.
    pub starts: &'a [u32],
}

/// What [`FactorNetwork::back`] gives besides what the network keeps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FactorGradients {
    /// Mean squared error over the samples, before the step.
    pub loss: f64,
    /// Prediction − observation of each sample.
    pub residuals: Vec<f32>,
    /// Gradients of the batch's rows of genome factors at each scale, `[rows, factors]`.
    pub genome: [Vec<f32>; 3],
}

/// What a [`FeedForward`] network is: inputs and outputs of each layer, first to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DenseSpec {
    /// `[inputs, outputs]` of each layer; the last has one output.
    pub layers: Vec<[usize; 2]>,
}

impl DenseSpec {
    /// Rows and columns of each tensor, in the order of the flat parameters: weight and bias of each
    /// layer.
    pub fn tensors(&self) -> Vec<[usize; 2]> {
        let of = |[inputs, outputs]: &[usize; 2]| [[*inputs, *outputs], [1, *outputs]];
        self.layers.iter().flat_map(of).collect()
    }

    /// How many parameters there are.
    pub fn n_parameters(&self) -> usize {
        self.tensors().iter().map(|[r, c]| r * c).sum()
    }
}

/// Samples of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DenseBatch<'a> {
    /// Inputs, `[n, inputs]`.
    pub rows: &'a [f32],
    /// What the output shall be, `[n]`.
    pub targets: &'a [f32],
    /// How much each squared error counts, `[n]`.
    pub weights: &'a [f32],
    /// Which hidden units are left out.
    pub dropout: super::Dropout,
}

/// What an [`EncoderNetwork`] is. Resolutions are coarsest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncoderSpec {
    /// Inputs of the encoder of each resolution.
    pub inputs: [usize; 3],
    /// Units of each of an encoder's two hidden layers.
    pub nodes: usize,
    /// Numbers of the code of each resolution.
    pub codes: [usize; 3],
    /// Units of the decoder's hidden layer.
    pub decoder: usize,
    /// Outputs of the decoder.
    pub outputs: usize,
}

impl EncoderSpec {
    /// Tensors of one encoder: weight and bias of three layers.
    pub const PER_ENCODER: usize = 6;

    /// Rows and columns of each tensor, in the order of the flat parameters: weight and bias of each
    /// encoder's three layers, coarsest resolution first, then of the decoder's two.
    pub fn tensors(&self) -> Vec<[usize; 2]> {
        let mut tensors = Vec::new();
        for (inputs, code) in self.inputs.into_iter().zip(self.codes) {
            for [i, o] in [
                [inputs, self.nodes],
                [self.nodes, self.nodes],
                [self.nodes, code],
            ] {
                tensors.extend([[i, o], [1, o]]);
            }
        }
        for [i, o] in [
            [self.codes.iter().sum(), self.decoder],
            [self.decoder, self.outputs],
        ] {
            tensors.extend([[i, o], [1, o]]);
        }
        tensors
    }

    /// How many parameters there are.
    pub fn n_parameters(&self) -> usize {
        self.tensors().iter().map(|[r, c]| r * c).sum()
    }
}

/// Samples of a step. Samples that are decoded from more resolutions come first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncoderBatch<'a> {
    /// Inputs of each resolution, coarsest first, `[n, inputs]` for the first n samples: all of them
    /// at the coarsest resolution, as many at a finer one as at a coarser one or fewer. A sample
    /// without a code at a resolution has zeros there.
    pub rows: [&'a [f32]; 3],
    /// What the outputs shall be, `[n, outputs]`.
    pub targets: &'a [f32],
    /// How much each squared error counts, `[n, outputs]`.
    pub weights: &'a [f32],
}
