//! The layers of a trained network, as they predict.

use ndarray::Array2;

use crate::Bug;
use crate::model::{Dense, forward_hidden, layer_view};
use crate::nn::product::Threads;
use crate::nn::{Activation, EncoderSpec};

/// The layers of the trained network.
pub(super) struct Trained {
    pub spec: EncoderSpec,
    /// Of each resolution: two hidden layers and the code.
    pub encoders: [([Dense; 2], Dense); 3],
    decoder: [Dense; 2],
}

impl Trained {
    pub fn new(spec: &EncoderSpec, parameters: &[f32]) -> Result<Self, Bug> {
        let mut rest = parameters;
        let mut layers = Vec::new();
        for pair in spec.tensors().chunks_exact(2) {
            let [rows, cols] = pair[0];
            let (weight, after) = rest.split_at(rows * cols);
            let (bias, after) = after.split_at(cols);
            rest = after;
            layers.push(Dense {
                // As many numbers as the shape has.
                weight: Array2::from_shape_fn((rows, cols), |(r, c)| weight[r * cols + c]),
                bias: bias.iter().copied().collect(),
            });
        }
        let count = layers.len();
        let layers: [Dense; 11] = layers
            .try_into()
            .map_err(|_| Bug::new(format!("an encoder in training has {count} layers")))?;
        let [a, b, c, d, e, f, g, h, i, hidden, output] = layers;
        Ok(Trained {
            spec: spec.clone(),
            encoders: [([a, b], c), ([d, e], f), ([g, h], i)],
            decoder: [hidden, output],
        })
    }

    /// Codes `[rows, code]` of inputs.
    pub fn codes(&self, s: usize, inputs: &[f32]) -> Vec<f32> {
        let (layers, last) = &self.encoders[s];
        let (mut first, mut hidden) = (Vec::new(), Vec::new());
        forward_hidden(layers, self.spec.nodes, inputs, &mut first, &mut hidden);
        forward(last, &hidden, Activation::Linear)
    }

    /// Predictions `[rows, tracks]` of codes side by side.
    pub fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let hidden = forward(&self.decoder[0], codes, Activation::Relu);
        forward(&self.decoder[1], &hidden, Activation::Linear)
    }
}

fn forward(layer: &Dense, inputs: &[f32], activation: Activation<'_>) -> Vec<f32> {
    let (rows, cols) = layer.weight.dim();
    let mut out = vec![0f32; inputs.len() / rows.max(1) * cols];
    layer_view(layer).forward(inputs, cols, activation, &mut out, Threads::One);
    out
}
