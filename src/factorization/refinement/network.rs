//! One network of a refinement in training, on libtorch: for devices other than the CPU.

use rand_chacha::rand_core::RngCore;
use tch::{Device, Kind, Tensor};

use super::learner::{Dropout, Step};
use super::sampling::Samples;
use crate::factorization::FactorizationError;
use crate::model::RefinementConfig;
use crate::random::{Purpose, generator};

/// A tensor with its Adam moments.
struct Parameter {
    value: Tensor,
    first: Tensor,
    second: Tensor,
}

/// A network in training.
pub(super) struct TorchMember {
    config: RefinementConfig,
    device: Device,
    /// Weight and bias of each layer.
    parameters: Vec<Parameter>,
}

impl TorchMember {
    /// From its numbers and their moments, equally many.
    pub fn new(
        config: &RefinementConfig,
        flat: &[f32],
        (first, second): (&[f32], &[f32]),
        device: Device,
    ) -> Result<Self, FactorizationError> {
        let mut parameters = Vec::new();
        let mut at = 0;
        for (inputs, outputs) in config.shapes() {
            for shape in [vec![inputs as i64, outputs as i64], vec![outputs as i64]] {
                let n_here: usize = shape.iter().product::<i64>() as usize;
                let tensor = |values: &[f32]| -> Result<Tensor, FactorizationError> {
                    Ok(Tensor::f_from_slice(&values[at..at + n_here])?
                        .f_reshape(shape.as_slice())?
                        .f_to(device)?)
                };
                parameters.push(Parameter {
                    value: tensor(flat)?,
                    first: tensor(first)?,
                    second: tensor(second)?,
                });
                at += n_here;
            }
        }
        Ok(TorchMember {
            config: config.clone(),
            device,
            parameters,
        })
    }

    fn all(&self, of: fn(&Parameter) -> &Tensor) -> Result<Vec<f32>, FactorizationError> {
        let mut all = Vec::new();
        for parameter in &self.parameters {
            let flat = of(parameter).f_to(Device::Cpu)?.f_reshape([-1])?;
            all.extend(Vec::<f32>::try_from(flat)?);
        }
        Ok(all)
    }

    /// All parameters, one after another.
    pub fn flat(&self) -> Result<Vec<f32>, FactorizationError> {
        self.all(|p| &p.value)
    }

    /// All first moments, then all second moments.
    pub fn moments(&self) -> Result<Vec<f32>, FactorizationError> {
        let mut all = self.all(|p| &p.first)?;
        all.extend(self.all(|p| &p.second)?);
        Ok(all)
    }

    /// One step of Adam on some samples; the mean of their squared errors before it, unweighted.
    pub fn step(&mut self, step: &Step<'_>) -> Result<f64, FactorizationError> {
        let Step {
            samples,
            options,
            adam,
            number,
            dropout,
        } = step;
        let n = samples.values.len();
        let kept = self.kept_units(n, dropout);
        let (squares, gradients) = self.back(samples, &kept)?;
        tch::no_grad(|| {
            let alpha = adam.alpha(*number);
            let decay = 1.0 - alpha * options.weight_decay;
            for (i, (p, g)) in self.parameters.iter_mut().zip(&gradients).enumerate() {
                let _ = p.first.g_mul_scalar_(adam.beta1);
                let _ = p.first.g_add_(&(g * (1.0 - adam.beta1)));
                let _ = p.second.g_mul_scalar_(adam.beta2);
                let _ = p.second.g_add_(&(g.square() * (1.0 - adam.beta2)));
                if i % 2 == 0 && options.weight_decay > 0.0 {
                    let _ = p.value.g_mul_scalar_(decay);
                }
                let update = &p.first / (p.second.sqrt() + adam.epsilon) * (-alpha);
                let _ = p.value.g_add_(&update);
            }
        });
        Ok(squares / n as f64)
    }

    /// For each hidden layer, how much each unit of each sample counts: 0 where it is left out.
    fn kept_units(&self, n: usize, dropout: &Dropout) -> Vec<Vec<f32>> {
        let below = dropout.below();
        if below == 0 {
            return Vec::new();
        }
        let kept = dropout.counts();
        let mut rng = generator(dropout.seed, Purpose::Dropout, dropout.index);
        let mut bytes = vec![0u8; n * self.config.nodes];
        let mut layer = || {
            rng.fill_bytes(&mut bytes);
            let counts = |b: &u8| if *b < below { 0.0 } else { kept };
            bytes.iter().map(counts).collect()
        };
        (0..self.config.layers).map(|_| layer()).collect()
    }

    /// Σ squared errors of the samples, and the gradients of what is trained.
    fn back(
        &self,
        samples: &Samples,
        kept: &[Vec<f32>],
    ) -> Result<(f64, Vec<Tensor>), FactorizationError> {
        let n = samples.values.len() as i64;
        let (width, nodes) = (self.config.inputs() as i64, self.config.nodes as i64);
        let tensor = |values: &[f32]| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(values)?.f_to(self.device)?)
        };
        // What is left to explain once the average is taken off.
        let rest: Vec<f32> = (samples.values.iter())
            .zip(&samples.averages)
            .map(|(v, a)| v - a)
            .collect();
        let (rest, weights) = (tensor(&rest)?, tensor(&samples.weights)?);
        let mut x = tensor(&samples.rows)?.f_reshape([n, width])?;
        tch::with_grad(|| {
            let leaves: Vec<Tensor> = (self.parameters.iter())
                .map(|p| p.value.detach().f_requires_grad_(true))
                .collect::<Result<_, _>>()?;
            for (i, pair) in leaves.chunks_exact(2).enumerate() {
                x = pair[1].f_addmm(&x, &pair[0])?;
                if i == self.config.layers {
                    break;
                }
                x = x.f_relu()?;
                if let Some(kept) = kept.get(i) {
                    x = x.f_mul(&tensor(kept)?.f_reshape([n, nodes])?)?;
                }
            }
            let squares = x.f_reshape([-1])?.f_sub(&rest)?.f_square()?;
            let weighted = squares
                .f_mul(&weights)?
                .f_sum(Kind::Float)?
                .f_div_scalar(n as f64)?;
            let leaves: Vec<&Tensor> = leaves.iter().collect();
            let gradients = Tensor::f_run_backward(&[&weighted], &leaves, false, false)?;
            Ok((squares.f_sum(Kind::Double)?.f_double_value(&[])?, gradients))
        })
    }
}
