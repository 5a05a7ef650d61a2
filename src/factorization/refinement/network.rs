//! One network of a refinement in training, on libtorch.

use tch::{Device, Kind, Tensor};

use super::options::RefinementOptions;
use super::sampling::Samples;
use crate::factorization::{Adam, FactorizationError};
use crate::model::{Member, RefinementConfig};
use crate::random::{Purpose, fill_uniform, generator};
use rand_chacha::rand_core::RngCore;

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
            let inputs = if layer == 0 { config.inputs() } else { config.nodes };
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
            let inputs = if layer == 0 { config.inputs() } else { config.nodes };
            let outputs = if layer == config.layers { 1 } else { config.nodes };
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

    /// The network as plain numbers.
    pub fn to_member(&self) -> Result<Member, FactorizationError> {
        Member::from_flat(&self.config, &self.flat()?).ok_or_else(|| {
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
        let n = samples.values.len() as i64;
        let tensor = |values: &[f32]| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(values)?.f_to(self.device)?)
        };
        let rows = tensor(&samples.rows)?.f_reshape([n, -1])?;
        // What is left to explain once the average is taken off.
        let rest: Vec<f32> = (samples.values.iter().zip(&samples.averages))
            .map(|(v, a)| v - a)
            .collect();
        let (rest, weights) = (tensor(&rest)?, tensor(&samples.weights)?);
        let masks = self.masks(n as usize, options.dropout, dropout)?;
        let (loss, gradients) = tch::with_grad(|| -> Result<_, FactorizationError> {
            let leaves: Vec<Tensor> = (self.parameters.iter())
                .map(|p| p.value.detach().f_requires_grad_(true))
                .collect::<Result<_, _>>()?;
            let mut x = rows;
            let last = self.config.layers;
            for (i, pair) in leaves.chunks_exact(2).enumerate() {
                x = pair[1].f_addmm(&x, &pair[0])?;
                if i < last {
                    x = x.f_relu()?;
                    if let Some(mask) = masks.get(i) {
                        x = x.f_mul(mask)?;
                    }
                }
            }
            let squares = x.f_reshape([-1])?.f_sub(&rest)?.f_square()?;
            let weighted = squares.f_mul(&weights)?.f_mean(Kind::Float)?;
            let gradients = Tensor::f_run_backward(
                &[&weighted],
                &leaves.iter().collect::<Vec<_>>(),
                false,
                false,
            )?;
            Ok((squares.f_mean(Kind::Float)?.f_double_value(&[])?, gradients))
        })?;
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

    /// For each hidden layer, which units of which samples stay, and how much they count.
    fn masks(
        &self,
        n: usize,
        share: f64,
        (seed, index): (u64, u64),
    ) -> Result<Vec<Tensor>, FactorizationError> {
        let below = (share * 256.0).round() as u8;
        if below == 0 {
            return Ok(Vec::new());
        }
        let kept = 256.0 / (256.0 - f32::from(below));
        let nodes = self.config.nodes;
        let mut rng = generator(seed, Purpose::Dropout, index);
        let mut bytes = vec![0u8; n * nodes];
        let mut masks = Vec::with_capacity(self.config.layers);
        for _ in 0..self.config.layers {
            rng.fill_bytes(&mut bytes);
            let mask: Vec<f32> = (bytes.iter())
                .map(|b| if *b < below { 0.0 } else { kept })
                .collect();
            let mask = Tensor::f_from_slice(&mask)?.f_reshape([n as i64, nodes as i64])?;
            masks.push(mask.f_to(self.device)?);
        }
        Ok(masks)
    }
}
