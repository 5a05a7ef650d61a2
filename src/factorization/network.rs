//! The dense part of the network on libtorch, and one step's gradients.

use std::ops::Range;
use std::sync::Mutex;

use ndarray::{Array1, Array2};
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use super::FactorizationError;
use super::adam::Adam;
use super::arithmetic::Arithmetic;
use super::batch::Batch;
use super::deep_layers::{DeepLayers, DeepRoom};
use super::first_layer::{OuterLayers, Output};
use super::single_layer::SingleRoom;
use super::tensors::{floats, floats_mut, product};
use super::vectors::wide;
use crate::genome::Scale;
use crate::model::{Dense, Network, Sizes};

/// A tensor with its Adam moments.
#[derive(Debug)]
struct Parameter {
    value: Tensor,
    first: Tensor,
    second: Tensor,
    /// Rows that training may change; `None` when all are frozen.
    trained: Option<Range<i64>>,
}

impl Parameter {
    fn new(value: Tensor, trained: Option<Range<i64>>) -> Self {
        Parameter {
            first: value.zeros_like(),
            second: value.zeros_like(),
            trained,
            value,
        }
    }

    fn step(&mut self, gradient: &Tensor, step: u32, adam: &Adam) {
        let Some(rows) = &self.trained else { return };
        let of = |t: &Tensor| t.narrow(0, rows.start, rows.end - rows.start);
        let (mut value, mut first, mut second) =
            (of(&self.value), of(&self.first), of(&self.second));
        let gradient = of(gradient);
        if value.device() == Device::Cpu && gradient.is_contiguous() {
            // One pass over memory where libtorch makes eight.
            let rates = (
                (1.0 - adam.beta1) as f32,
                (1.0 - adam.beta2) as f32,
                adam.alpha(step) as f32,
                adam.epsilon as f32,
            );
            let moments = (floats_mut(&mut first), floats_mut(&mut second));
            return dense_step(floats_mut(&mut value), moments, floats(&gradient), rates);
        }
        let _ = first.g_mul_scalar_(adam.beta1);
        let _ = first.g_add_(&(&gradient * (1.0 - adam.beta1)));
        let _ = second.g_mul_scalar_(adam.beta2);
        let _ = second.g_add_(&(gradient.square() * (1.0 - adam.beta2)));
        let update = &first / (second.sqrt() + adam.epsilon) * (-adam.alpha(step));
        let _ = value.g_add_(&update);
    }
}

/// Adam's step for values with their moments; rates: what the moments take of the gradient and of its
/// square, α, ε.
fn dense_step(
    values: &mut [f32],
    (first, second): (&mut [f32], &mut [f32]),
    gradient: &[f32],
    (take1, take2, alpha, epsilon): (f32, f32, f32, f32),
) {
    const PIECE: usize = 1 << 14;
    let pieces = (values.par_chunks_mut(PIECE))
        .zip(first.par_chunks_mut(PIECE))
        .zip(second.par_chunks_mut(PIECE))
        .zip(gradient.par_chunks(PIECE));
    pieces.for_each(|(((values, first), second), gradient)| {
        wide(
            #[inline(always)]
            || {
                for (((p, m), v), g) in (values.iter_mut().zip(first.iter_mut()))
                    .zip(second.iter_mut())
                    .zip(gradient)
                {
                    *m += (g - *m) * take1;
                    *v += (g * g - *v) * take2;
                    *p -= alpha * *m / (v.sqrt() + epsilon);
                }
            },
        );
    });
}

/// Which parts a training may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trained {
    /// Biosamples, by their place in the model.
    pub biosamples: Range<usize>,
    /// Assays, likewise.
    pub assays: Range<usize>,
    /// The genome's factors.
    pub genome: bool,
    /// The dense layers.
    pub layers: bool,
}

/// The dense part of the network, on a device.
#[derive(Debug)]
pub struct TorchNetwork {
    sizes: Sizes,
    device: Device,
    arithmetic: Arithmetic,
    /// Biosamples, assays, the first layer's weight and bias, each further layer's, the output's.
    parameters: Vec<Parameter>,
    room: Mutex<Room>,
}

/// Room that steps on the CPU use again and again, of one kind of network or the other.
#[derive(Debug, Default)]
struct Room {
    deep: DeepRoom,
    single: SingleRoom,
}

const BIOSAMPLES: usize = 0;
const ASSAYS: usize = 1;
const FIRST_WEIGHT: usize = 2;
const FIRST_BIAS: usize = 3;

/// A step's gradients and loss.
#[derive(Debug)]
pub struct Gradients {
    /// Mean squared error over the samples, before the step.
    pub loss: f64,
    /// Prediction − observation of each sample.
    pub residuals: Vec<f32>,
    dense: Vec<Tensor>,
    /// For each scale, the rows of the batch's groups one after another.
    pub genome: [Vec<f32>; 3],
}

impl Gradients {
    /// The common Euclidean norm of all gradients.
    pub fn norm(&self) -> f64 {
        let dense = self
            .dense
            .iter()
            .map(|g| g.square().sum(Kind::Double).double_value(&[]))
            .sum::<f64>();
        let genome = (self.genome.iter().flatten())
            .map(|g| f64::from(*g) * f64::from(*g))
            .sum::<f64>();
        (dense + genome).sqrt()
    }

    /// The largest difference between the dense gradients of two ways of computing them.
    #[cfg(test)]
    pub(super) fn largest_difference(&self, other: &Gradients) -> f64 {
        let differences = self
            .dense
            .iter()
            .zip(&other.dense)
            .map(|(a, b)| (a - b).abs().max().double_value(&[]));
        differences.fold(0.0, f64::max)
    }

    /// Scales all gradients down so that their common Euclidean norm is at most `most`.
    pub fn clip(&mut self, most: f64) {
        let norm = self.norm();
        if norm > most {
            let factor = most / norm;
            for gradient in &mut self.dense {
                let _ = gradient.g_mul_scalar_(factor);
            }
            for value in self.genome.iter_mut().flatten() {
                *value *= factor as f32;
            }
        }
    }
}

impl TorchNetwork {
    /// Puts a network on a device.
    ///
    /// # Errors
    /// When libtorch refuses, or shapes disagree with the sizes.
    pub fn new(
        network: &Network,
        sizes: &Sizes,
        trained: &Trained,
        device: Device,
        arithmetic: Arithmetic,
    ) -> Result<Self, FactorizationError> {
        network.check(sizes)?;
        let matrix = |m: &Array2<f32>| -> Result<Tensor, FactorizationError> {
            let flat: Vec<f32> = m.iter().copied().collect();
            Ok(Tensor::f_from_slice(&flat)?
                .f_reshape([m.nrows() as i64, m.ncols() as i64])?
                .f_to(device)?)
        };
        let vector = |v: &Array1<f32>| -> Result<Tensor, FactorizationError> {
            let flat: Vec<f32> = v.iter().copied().collect();
            Ok(Tensor::f_from_slice(&flat)?.f_to(device)?)
        };
        let rows = |range: &Range<usize>| {
            (!range.is_empty()).then_some(range.start as i64..range.end as i64)
        };
        let mut parameters = vec![
            Parameter::new(matrix(&network.biosamples)?, rows(&trained.biosamples)),
            Parameter::new(matrix(&network.assays)?, rows(&trained.assays)),
        ];
        for layer in network.hidden.iter().chain([&network.output]) {
            for tensor in [matrix(&layer.weight)?, vector(&layer.bias)?] {
                let all = trained.layers.then(|| 0..tensor.size()[0]);
                parameters.push(Parameter::new(tensor, all));
            }
        }
        Ok(TorchNetwork {
            sizes: *sizes,
            device,
            arithmetic,
            parameters,
            room: Mutex::default(),
        })
    }

    /// The network as plain numbers.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn to_network(&self) -> Result<Network, FactorizationError> {
        let matrix = |p: &Parameter| -> Result<Array2<f32>, FactorizationError> {
            let size = p.value.size();
            let flat = Vec::<f32>::try_from(p.value.f_to(Device::Cpu)?.f_reshape([-1])?)?;
            Array2::from_shape_vec((size[0] as usize, size[1] as usize), flat)
                .map_err(|e| FactorizationError::Options(e.to_string()))
        };
        let vector = |p: &Parameter| -> Result<Array1<f32>, FactorizationError> {
            Ok(Array1::from(Vec::<f32>::try_from(
                p.value.f_to(Device::Cpu)?,
            )?))
        };
        let mut layers = Vec::new();
        for pair in self.parameters[FIRST_WEIGHT..].chunks_exact(2) {
            layers.push(Dense {
                weight: matrix(&pair[0])?,
                bias: vector(&pair[1])?,
            });
        }
        let Some(output) = layers.pop() else {
            return Err(FactorizationError::Options("a network needs layers".into()));
        };
        Ok(Network {
            biosamples: matrix(&self.parameters[BIOSAMPLES])?,
            assays: matrix(&self.parameters[ASSAYS])?,
            hidden: layers,
            output,
        })
    }

    /// The moments of every parameter, flat, in a fixed order: what a checkpoint needs besides
    /// [`TorchNetwork::to_network`].
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn moments(&self) -> Result<Vec<f32>, FactorizationError> {
        let mut all = Vec::new();
        for parameter in &self.parameters {
            for moment in [&parameter.first, &parameter.second] {
                all.extend(Vec::<f32>::try_from(
                    moment.f_to(Device::Cpu)?.f_reshape([-1])?,
                )?);
            }
        }
        Ok(all)
    }

    /// Sets the moments that [`TorchNetwork::moments`] gave.
    ///
    /// # Errors
    /// When there are more or fewer than this network has.
    pub fn set_moments(&mut self, all: &[f32]) -> Result<(), FactorizationError> {
        let expected: usize = self.parameters.iter().map(|p| 2 * p.value.numel()).sum();
        if all.len() != expected {
            return Err(FactorizationError::Checkpoint(format!(
                "the checkpoint holds {} moments, the network needs {expected}",
                all.len()
            )));
        }
        let mut at = 0;
        for parameter in &mut self.parameters {
            let n = parameter.value.numel();
            for moment in [&mut parameter.first, &mut parameter.second] {
                let part = Tensor::f_from_slice(&all[at..at + n])?.f_reshape(moment.size())?;
                moment.f_copy_(&part)?;
                at += n;
            }
        }
        Ok(())
    }

    /// Adam's step for the dense part.
    pub fn apply(&mut self, gradients: &Gradients, step: u32, adam: &Adam) {
        tch::no_grad(|| {
            for (parameter, gradient) in self.parameters.iter_mut().zip(&gradients.dense) {
                parameter.step(gradient, step, adam);
            }
        });
    }

    /// The loss and its gradients for a batch; `genome` holds the rows of the batch's groups at each
    /// scale, `tracks` the biosample and assay of each training track.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn gradients(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        tracks: &[(u32, u32)],
    ) -> Result<Gradients, FactorizationError> {
        self.gradients_by(batch, genome, tracks, self.device != Device::Cpu)
    }

    /// The same by the way of devices, wherever the network is.
    #[cfg(test)]
    pub(super) fn gradients_on_device(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        tracks: &[(u32, u32)],
    ) -> Result<Gradients, FactorizationError> {
        self.gradients_by(batch, genome, tracks, true)
    }

    fn gradients_by(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        tracks: &[(u32, u32)],
        on_device: bool,
    ) -> Result<Gradients, FactorizationError> {
        let _guard = tch::no_grad_guard();
        let sizes = &self.sizes;
        let nodes = sizes.nodes as i64;
        let rows = Network::input_rows(sizes);
        let weight = |rows: &Range<usize>| {
            self.parameters[FIRST_WEIGHT]
                .value
                .narrow(0, rows.start as i64, rows.len() as i64)
        };
        let (biosamples, assays) = (
            &self.parameters[BIOSAMPLES].value,
            &self.parameters[ASSAYS].value,
        );
        let part_b = product(biosamples, &weight(&rows.biosample))?;
        let part_a =
            product(assays, &weight(&rows.assay))?.f_add(&self.parameters[FIRST_BIAS].value)?;
        if !on_device {
            return self.gradients_by_hand(batch, genome, tracks, &part_b, &part_a);
        }
        let mut factors = Vec::with_capacity(3);
        let mut parts = Vec::with_capacity(3);
        for scale in Scale::ALL {
            let width = sizes.genome_factors(scale) as i64;
            let table = Tensor::f_from_slice(&genome[scale.index()])?
                .f_reshape([-1, width])?
                .f_to(self.device)?;
            parts.push(product(&table, &weight(&rows.genome[scale.index()]))?);
            factors.push(table);
        }

        let back = self.back_on_device(batch, tracks, &part_b, &part_a, &parts)?;

        let mut first_weight = Vec::with_capacity(5);
        first_weight.push(product(&biosamples.f_tr()?, &back.biosamples)?);
        first_weight.push(product(&assays.f_tr()?, &back.assays)?);
        let mut genome_gradients: [Vec<f32>; 3] = Default::default();
        for scale in Scale::ALL {
            let s = scale.index();
            first_weight.push(product(&factors[s].f_tr()?, &back.genome[s])?);
            let gradient = product(&back.genome[s], &weight(&rows.genome[s]).f_tr()?)?;
            genome_gradients[s] =
                Vec::<f32>::try_from(gradient.f_to(Device::Cpu)?.f_reshape([-1])?)?;
        }
        let mut dense = vec![
            product(&back.biosamples, &weight(&rows.biosample).f_tr()?)?,
            product(&back.assays, &weight(&rows.assay).f_tr()?)?,
            Tensor::f_cat(&first_weight, 0)?,
            back.biosamples
                .f_sum_dim_intlist([0i64].as_slice(), false, Kind::Float)?
                .f_reshape([nodes])?,
        ];
        dense.extend(back.layers);
        Ok(Gradients {
            loss: back.loss,
            residuals: back.residuals,
            dense,
            genome: genome_gradients,
        })
    }

    /// The same on the CPU.
    fn gradients_by_hand(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        tracks: &[(u32, u32)],
        part_b: &Tensor,
        part_a: &Tensor,
    ) -> Result<Gradients, FactorizationError> {
        let nodes = self.sizes.nodes;
        let rows = Network::input_rows(&self.sizes);
        let first_weight = self.parameters[FIRST_WEIGHT].value.contiguous();
        let weights =
            |rows: &Range<usize>| &floats(&first_weight)[rows.start * nodes..rows.end * nodes];
        let (part_b, part_a) = (part_b.contiguous(), part_a.contiguous());
        let further: Vec<Tensor> = (self.parameters[FIRST_BIAS + 1..].iter())
            .map(|p| p.value.contiguous())
            .collect();
        let (hidden, last) = further.split_at(further.len() - 2);
        let outer = OuterLayers {
            nodes,
            biosamples: floats(&part_b),
            assays: floats(&part_a),
            genome_weights: [0, 1, 2].map(|s| weights(&rows.genome[s])),
            output: Output {
                weight: floats(&last[0]),
                bias: last[1].f_double_value(&[0])? as f32,
            },
            tracks,
        };
        let mut room = match self.room.lock() {
            Ok(room) => room,
            // Room has no contents to be spoilt.
            Err(poisoned) => poisoned.into_inner(),
        };
        let back = match self.sizes.layers {
            1 => outer.single_back(batch, genome, &mut room.single)?,
            _ => {
                let layers = DeepLayers {
                    outer,
                    arithmetic: self.arithmetic,
                    hidden: hidden.chunks_exact(2).map(|p| (&p[0], &p[1])).collect(),
                };
                layers.back(batch, genome, &mut room.deep)?
            }
        };
        let table = |values: &[f32]| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(values)?.f_reshape([-1, nodes as i64])?)
        };
        let (b, a) = (table(&back.biosamples)?, table(&back.assays)?);
        let factors = [BIOSAMPLES, ASSAYS].map(|i| &self.parameters[i].value);
        let mut first_layer = vec![
            product(&factors[0].f_tr()?, &b)?,
            product(&factors[1].f_tr()?, &a)?,
        ];
        for weights in &back.genome_weights {
            first_layer.push(table(weights)?);
        }
        let mut dense = vec![
            product(&b, &table(weights(&rows.biosample))?.f_tr()?)?,
            product(&a, &table(weights(&rows.assay))?.f_tr()?)?,
            Tensor::f_cat(&first_layer, 0)?,
            b.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Float)?,
        ];
        dense.extend(back.layers);
        Ok(Gradients {
            loss: back.loss,
            residuals: back.residuals,
            dense,
            genome: back.genome,
        })
    }

    /// The further layers on libtorch's autograd: the loss, the residuals, and the gradients of
    /// `hidden` (before the first ReLU) and of these layers.
    fn further_layers(
        &self,
        hidden: &Tensor,
        observed: &Tensor,
    ) -> Result<(f64, Vec<f32>, Tensor, Vec<Tensor>), FactorizationError> {
        tch::with_grad(|| {
            let mut inputs = vec![hidden.detach().f_requires_grad_(true)?];
            for parameter in &self.parameters[FIRST_BIAS + 1..] {
                inputs.push(parameter.value.detach().f_requires_grad_(true)?);
            }
            let mut x = inputs[0].f_relu()?;
            let pairs = inputs[1..].chunks_exact(2);
            let last = pairs.len() - 1;
            for (i, pair) in pairs.enumerate() {
                x = match self.arithmetic {
                    // The output layer is a vector: no product worth rounding for.
                    Arithmetic::Bf16 if i < last => {
                        let product = x
                            .f_to_kind(Kind::BFloat16)?
                            .f_matmul(&pair[0].f_to_kind(Kind::BFloat16)?)?;
                        product.f_to_kind(Kind::Float)?.f_add(&pair[1])?
                    }
                    _ => pair[1].f_addmm(&x, &pair[0])?,
                };
                if i < last {
                    x = x.f_relu()?;
                }
            }
            let residuals = x.f_reshape([-1])?.f_sub(observed)?;
            let loss = residuals.f_square()?.f_mean(Kind::Float)?;
            let mut gradients =
                Tensor::f_run_backward(&[&loss], &inputs.iter().collect::<Vec<_>>(), false, false)?;
            let layers = gradients.split_off(1);
            let Some(hidden) = gradients.pop() else {
                return Err(FactorizationError::Options(
                    "libtorch gave no gradient".into(),
                ));
            };
            let residuals = Vec::<f32>::try_from(residuals.detach().f_to(Device::Cpu)?)?;
            Ok((loss.f_double_value(&[])?, residuals, hidden, layers))
        })
    }

    /// The layers forward and back with libtorch alone, for devices whose memory is not ours.
    fn back_on_device(
        &self,
        batch: &Batch,
        tracks: &[(u32, u32)],
        part_b: &Tensor,
        part_a: &Tensor,
        parts: &[Tensor],
    ) -> Result<Back, FactorizationError> {
        let to_device = |index: Vec<i64>| -> Result<Tensor, FactorizationError> {
            Ok(Tensor::f_from_slice(&index)?.f_to(self.device)?)
        };
        let b = to_device(
            batch
                .tracks
                .iter()
                .map(|t| i64::from(tracks[*t as usize].0))
                .collect(),
        )?;
        let a = to_device(
            batch
                .tracks
                .iter()
                .map(|t| i64::from(tracks[*t as usize].1))
                .collect(),
        )?;
        let mut indices = Vec::with_capacity(3);
        for groups in &batch.groups {
            let mut index = vec![0i64; batch.len()];
            for (g, span) in groups.starts.windows(2).enumerate() {
                index[span[0] as usize..span[1] as usize].fill(g as i64);
            }
            indices.push(to_device(index)?);
        }
        let mut hidden = part_b
            .f_index_select(0, &b)?
            .f_add(&part_a.f_index_select(0, &a)?)?;
        for (part, index) in parts.iter().zip(&indices) {
            hidden = hidden.f_add(&part.f_index_select(0, index)?)?;
        }
        let observed = Tensor::f_from_slice(&batch.values)?.f_to(self.device)?;
        let (loss, residuals, gradient, layers) = self.further_layers(&hidden, &observed)?;
        let sums = |like: &Tensor, index: &Tensor| -> Result<Tensor, FactorizationError> {
            Ok(like.f_zeros_like()?.f_index_add_(0, index, &gradient)?)
        };
        Ok(Back {
            loss,
            residuals,
            layers,
            biosamples: sums(part_b, &b)?,
            assays: sums(part_a, &a)?,
            genome: parts
                .iter()
                .zip(&indices)
                .map(|(p, i)| sums(p, i))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What comes back through the network to the first layer's parts.
struct Back {
    loss: f64,
    residuals: Vec<f32>,
    layers: Vec<Tensor>,
    biosamples: Tensor,
    assays: Tensor,
    genome: Vec<Tensor>,
}
