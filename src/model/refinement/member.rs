//! One network of a refinement.

use ndarray::Array2;

use super::RefinementConfig;
use crate::model::{Dense, ModelError};
use crate::nn::product::Threads;
use crate::nn::{self, Activation};

/// One network: hidden layers (ReLU) and an output that is added to the average.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// First to last; the last has one output.
    pub layers: Vec<Dense>,
}

impl Member {
    /// # Errors
    /// When a layer's shape is not what the configuration asks for.
    pub fn check(&self, config: &RefinementConfig) -> Result<(), ModelError> {
        let expect = |name: String, found: (usize, usize), expected: (usize, usize)| {
            if found == expected {
                return Ok(());
            }
            Err(ModelError::Shape {
                name,
                found: [found.0, found.1],
                expected: [expected.0, expected.1],
            })
        };
        let n = self.layers.len();
        expect(
            "layers of a refinement".into(),
            (n, 1),
            (config.layers + 1, 1),
        )?;
        for (i, layer) in self.layers.iter().enumerate() {
            let inputs = if i == 0 {
                config.inputs()
            } else {
                config.nodes
            };
            let outputs = if i + 1 == n { 1 } else { config.nodes };
            let name = format!("layer {i} of a refinement");
            expect(name.clone(), layer.weight.dim(), (inputs, outputs))?;
            expect(name, (1, layer.bias.len()), (1, outputs))?;
        }
        Ok(())
    }

    /// Adds `share` times the output for each row of standardised inputs.
    pub(crate) fn add(&self, rows: &[f32], share: f32, sums: &mut [f32], layers: &mut LayerValues) {
        let LayerValues { now, next } = layers;
        for (i, layer) in self.layers.iter().enumerate() {
            let outputs = layer.bias.len();
            // What is there is overwritten.
            next.resize(sums.len() * outputs, 0.0);
            let activation = match i + 1 == self.layers.len() {
                true => Activation::Linear,
                false => Activation::Relu,
            };
            let weight = layer.weight.as_standard_layout();
            let (Some(weight), Some(bias)) = (weight.as_slice(), layer.bias.as_slice()) else {
                return;
            };
            let inputs = if i == 0 { rows } else { now.as_slice() };
            nn::Dense { weight, bias }.forward(inputs, outputs, activation, next, Threads::One);
            std::mem::swap(now, next);
        }
        sums.iter_mut()
            .zip(now.iter())
            .for_each(|(s, v)| *s += share * v);
    }
}

/// The values of two layers, kept from tile to tile: arrays that are made anew for each go back to the
/// system and are faulted in again, which took a third of the time.
#[derive(Default)]
pub(crate) struct LayerValues {
    now: Vec<f32>,
    next: Vec<f32>,
}

/// For those that keep a member's parameters flat.
impl Member {
    /// The weights and biases, one after another.
    pub fn flat(&self) -> impl Iterator<Item = f32> + '_ {
        (self.layers.iter()).flat_map(|l| l.weight.iter().chain(&l.bias).copied())
    }

    /// From what [`Member::flat`] gave; `None` when there are more or fewer numbers.
    pub fn from_flat(config: &RefinementConfig, values: &[f32]) -> Option<Self> {
        let mut rest = values;
        let mut layers = Vec::new();
        for (inputs, outputs) in config.shapes() {
            let (weight, after) = rest.split_at_checked(inputs * outputs)?;
            let (bias, after) = after.split_at_checked(outputs)?;
            rest = after;
            layers.push(Dense {
                weight: Array2::from_shape_vec((inputs, outputs), weight.to_vec()).ok()?,
                bias: bias.to_vec().into(),
            });
        }
        rest.is_empty().then_some(Member { layers })
    }

    /// How many numbers a member has.
    pub fn n_numbers(config: &RefinementConfig) -> usize {
        let numbers = |(inputs, outputs)| (inputs + 1) * outputs;
        config.shapes().map(numbers).sum()
    }
}
