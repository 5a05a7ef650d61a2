//! One network of a refinement in training, on libtorch.

use std::ops::Range;

use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use super::options::RefinementOptions;
use super::sampling::Samples;
use crate::factorization::{Adam, FactorizationError};
use crate::model::{Member, RefinementConfig};
use crate::random::{Purpose, fill_uniform, generator};
use rand_chacha::rand_core::RngCore;

/// Samples that one thread takes at a time on the CPU. Gradients are summed chunk by chunk, whatever
/// the number of threads.
const CHUNK: usize = 256;

/// A tensor with its Adam moments.
struct Parameter {
    value: Tensor,
    first: Tensor,
    second: Tensor,
}

/// A network in training.
pub(super) struct TorchMember {
    shape: Shape,
    device: Device,
    /// Weight and bias of each layer.
    parameters: Vec<Parameter>,
}

impl TorchMember {
    /// First values: Glorot-uniform in the hidden layers, 0 in the output, so that training starts
    /// from the average.
    pub fn initial(
        config: &RefinementConfig,
        seed: u64,
        member: usize,
        device: Device,
    ) -> Result<Self, FactorizationError> {
        let mut flat = vec![0f32; Member::n_numbers(config)];
        let mut at = 0;
        for layer in 0..config.layers {
            let inputs = if layer == 0 {
                config.inputs()
            } else {
                config.nodes
            };
            let limit = (6.0 / (inputs + config.nodes) as f32).sqrt();
            let stream = (1 << 32) + ((member as u64) << 8) + layer as u64;
            let mut rng = generator(seed, Purpose::Initial, stream);
            fill_uniform(&mut rng, limit, &mut flat[at..at + inputs * config.nodes]);
            at += (inputs + 1) * config.nodes;
        }
        let moments = vec![0f32; 2 * flat.len()];
        TorchMember::from_flat(config, &flat, &moments, device)
    }

    /// From the numbers that [`TorchMember::flat`] and [`TorchMember::moments`] gave.
    pub fn from_flat(
        config: &RefinementConfig,
        flat: &[f32],
        moments: &[f32],
        device: Device,
    ) -> Result<Self, FactorizationError> {
        let n = Member::n_numbers(config);
        if flat.len() != n || moments.len() != 2 * n {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's refinement is not of this model's sizes".into(),
            ));
        }
        let mut parameters = Vec::new();
        let mut at = 0;
        for layer in 0..=config.layers {
            let inputs = if layer == 0 {
                config.inputs()
            } else {
                config.nodes
            };
            let outputs = if layer == config.layers {
                1
            } else {
                config.nodes
            };
            for shape in [vec![inputs as i64, outputs as i64], vec![outputs as i64]] {
                let n_here: usize = shape.iter().product::<i64>() as usize;
                let tensor = |values: &[f32]| -> Result<Tensor, FactorizationError> {
                    Ok(Tensor::f_from_slice(&values[at..at + n_here])?
                        .f_reshape(shape.as_slice())?
                        .f_to(device)?)
                };
                parameters.push(Parameter {
                    value: tensor(flat)?,
                    first: tensor(&moments[..n])?,
                    second: tensor(&moments[n..])?,
                });
                at += n_here;
            }
        }
        Ok(TorchMember {
            shape: Shape {
                config: config.clone(),
            },
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

    /// The network as plain numbers.
    pub fn to_member(&self) -> Result<Member, FactorizationError> {
        Member::from_flat(&self.shape.config, &self.flat()?).ok_or_else(|| {
            FactorizationError::Options("a refinement's numbers do not fit its sizes".into())
        })
    }

    /// One step of Adam on some samples; the mean of their squared errors before it, unweighted.
    pub fn step(
        &mut self,
        samples: &Samples,
        options: &RefinementOptions,
        adam: &Adam,
        step: u32,
        dropout: (u64, u64),
    ) -> Result<f64, FactorizationError> {
        let n = samples.values.len();
        let chunk = if self.device == Device::Cpu {
            CHUNK
        } else {
            n.max(1)
        };
        let kept = self.kept_units(n, options.dropout, dropout);
        let jobs: Vec<(usize, Vec<Tensor>)> = (0..n.div_ceil(chunk))
            .map(|i| {
                (
                    i * chunk,
                    self.parameters
                        .iter()
                        .map(|p| p.value.shallow_clone())
                        .collect(),
                )
            })
            .collect();
        let done = jobs
            .into_par_iter()
            .map(|(first, values)| {
                let which = first..(first + chunk).min(n);
                self.shape.back(samples, which, &kept, values, self.device)
            })
            .collect::<Result<Vec<_>, FactorizationError>>()?;
        let mut loss = 0.0;
        let mut gradients: Vec<Tensor> = Vec::new();
        for (squares, of_chunk) in done {
            loss += squares / n as f64;
            if gradients.is_empty() {
                gradients = of_chunk;
                continue;
            }
            for (sum, gradient) in gradients.iter_mut().zip(&of_chunk) {
                let _ = sum.g_add_(gradient);
            }
        }
        tch::no_grad(|| {
            let alpha = adam.alpha(step);
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
        Ok(loss)
    }

    /// For each hidden layer, how much each unit of each sample counts: 0 where it is left out.
    fn kept_units(&self, n: usize, share: f64, (seed, index): (u64, u64)) -> Vec<Vec<f32>> {
        let below = (share * 256.0).round() as u8;
        if below == 0 {
            return Vec::new();
        }
        let kept = 256.0 / (256.0 - f32::from(below));
        let mut rng = generator(seed, Purpose::Dropout, index);
        let mut bytes = vec![0u8; n * self.shape.config.nodes];
        let mut layer = || {
            rng.fill_bytes(&mut bytes);
            let counts = |b: &u8| if *b < below { 0.0 } else { kept };
            bytes.iter().map(counts).collect()
        };
        (0..self.shape.config.layers).map(|_| layer()).collect()
    }
}

/// A network's shape, which all threads know.
#[derive(Debug, Clone)]
struct Shape {
    config: RefinementConfig,
}

impl Shape {
    /// Σ squared errors of some samples, and their gradients' share of the step's.
    fn back(
        &self,
        samples: &Samples,
        which: Range<usize>,
        kept: &[Vec<f32>],
        values: Vec<Tensor>,
        device: Device,
    ) -> Result<(f64, Vec<Tensor>), FactorizationError> {
        let (n, all) = (which.len() as i64, samples.values.len() as f64);
        let (width, nodes) = (self.config.inputs(), self.config.nodes);
        let tensor = |values: &[f32]| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(values)?.f_to(device)?)
        };
        let rows = &samples.rows[which.start * width..which.end * width];
        // What is left to explain once the average is taken off.
        let rest: Vec<f32> = (samples.values[which.clone()].iter())
            .zip(&samples.averages[which.clone()])
            .map(|(v, a)| v - a)
            .collect();
        let (rest, weights) = (tensor(&rest)?, tensor(&samples.weights[which.clone()])?);
        let mut x = tensor(rows)?.f_reshape([n, width as i64])?;
        tch::with_grad(|| {
            let leaves: Vec<Tensor> = (values.iter())
                .map(|v| v.detach().f_requires_grad_(true))
                .collect::<Result<_, _>>()?;
            for (i, pair) in leaves.chunks_exact(2).enumerate() {
                x = pair[1].f_addmm(&x, &pair[0])?;
                if i == self.config.layers {
                    break;
                }
                x = x.f_relu()?;
                if let Some(kept) = kept.get(i) {
                    let of_these = &kept[which.start * nodes..which.end * nodes];
                    x = x.f_mul(&tensor(of_these)?.f_reshape([n, nodes as i64])?)?;
                }
            }
            let squares = x.f_reshape([-1])?.f_sub(&rest)?.f_square()?;
            let weighted = squares
                .f_mul(&weights)?
                .f_sum(Kind::Float)?
                .f_div_scalar(all)?;
            let leaves: Vec<&Tensor> = leaves.iter().collect();
            let gradients = Tensor::f_run_backward(&[&weighted], &leaves, false, false)?;
            Ok((squares.f_sum(Kind::Double)?.f_double_value(&[])?, gradients))
        })
    }
}
