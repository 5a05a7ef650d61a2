//! A feed-forward network with one output, trained by autograd on weighted squared errors.

use tch::{Kind, Tensor};

use crate::boundary::{Result, refuse};
use crate::execution::{Compute, layer};
use crate::interface::DenseBatch;
use crate::parameters::{self, Parameter, count};

/// A feed-forward network.
pub struct FeedForward {
    /// Inputs, each hidden layer, 1.
    widths: Vec<usize>,
}

/// A step's samples, checked against the network.
struct Batch<'a> {
    inputs: &'a [f32],
    targets: &'a [f32],
    weights: &'a [f32],
    kept: &'a [u8],
    kept_scale: f32,
}

impl<'a> Batch<'a> {
    /// # Safety
    /// The arrays must be as `Slice::read` needs them.
    unsafe fn new(of: &DenseBatch, widths: &[usize]) -> Result<Self> {
        let n = of.targets.len;
        if n == 0 {
            return refuse("a step needs samples");
        }
        let (inputs, hidden) = (widths[0], &widths[1..widths.len() - 1]);
        let (Some(n_inputs), Some(n_kept)) = (
            n.checked_mul(inputs),
            n.checked_mul(hidden.iter().sum::<usize>()),
        ) else {
            return refuse(format!("{n} samples are too many"));
        };
        let n_kept = if of.kept.len == 0 { 0 } else { n_kept };
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Batch {
                inputs: of.rows.exactly(n_inputs, "the inputs")?,
                targets: of.targets.read("the targets")?,
                weights: of.weights.exactly(n, "the weights")?,
                kept: of.kept.exactly(n_kept, "the units that stay")?,
                kept_scale: of.kept_scale,
            })
        }
    }
}

impl FeedForward {
    /// The network, and its parameters: each layer's weight and bias.
    pub fn new(
        widths: &[u64],
        compute: &Compute,
        values: &[f32],
    ) -> Result<(Self, Vec<Parameter>)> {
        if widths.len() < 2 || widths.last() != Some(&1) {
            return refuse("a network has inputs and one output");
        }
        if let Some(width) = widths.iter().find(|w| !(1..=1 << 20).contains(*w)) {
            return refuse(format!("a width of {width} is not between 1 and 1048576"));
        }
        let widths: Vec<usize> = widths.iter().map(|w| *w as usize).collect();
        let mut parameters = parameters::layers(compute, &widths, values)?;
        parameters.iter_mut().step_by(2).for_each(Parameter::decay);
        if count(&parameters) != values.len() {
            let (found, needed) = (values.len(), count(&parameters));
            return refuse(format!("{found} parameters, the network has {needed}"));
        }
        Ok((FeedForward { widths }, parameters))
    }

    /// The mean of the squared errors of a batch, unweighted, and the gradients of the weighted mean.
    ///
    /// # Safety
    /// The batch's arrays must be as `Slice::read` needs them.
    pub unsafe fn back(
        &self,
        compute: &Compute,
        parameters: &[Parameter],
        batch: &DenseBatch,
    ) -> Result<(f64, Vec<Tensor>)> {
        // SAFETY: as the caller promises.
        let batch = unsafe { Batch::new(batch, &self.widths)? };
        let n = batch.targets.len();
        let leaves: Vec<Tensor> = (parameters.iter())
            .map(Parameter::leaf)
            .collect::<Result<_>>()?;
        let (rows, width) = (n as i64, self.widths[0] as i64);
        let mut x = compute.tensor(batch.inputs, &[rows, width])?;
        let (hidden, last) = leaves.split_at(leaves.len() - 2);
        let mut kept = batch.kept;
        for (pair, nodes) in hidden.chunks_exact(2).zip(&self.widths[1..]) {
            x = layer(compute, &x, &pair[0], &pair[1])?.f_relu()?;
            if !kept.is_empty() {
                let (here, rest) = kept.split_at(n * nodes);
                kept = rest;
                let stays = Tensor::f_from_slice(here)?
                    .f_to(compute.device)?
                    .f_reshape([rows, *nodes as i64])?
                    .f_to_kind(Kind::Float)?
                    .f_mul_scalar(f64::from(batch.kept_scale))?;
                x = x.f_mul(&stays)?;
            }
        }
        let output = last[1].f_addmm(&x, &last[0])?.f_reshape([-1])?;
        let squares = output
            .f_sub(&compute.tensor(batch.targets, &[-1])?)?
            .f_square()?;
        let weighted = squares
            .f_mul(&compute.tensor(batch.weights, &[-1])?)?
            .f_sum(Kind::Float)?
            .f_div_scalar(n as f64)?;
        let leaves: Vec<&Tensor> = leaves.iter().collect();
        let gradients = Tensor::f_run_backward(&[&weighted], &leaves, false, false)?;
        let sum = squares.f_sum(Kind::Double)?.f_double_value(&[])?;
        Ok((sum / n as f64, gradients))
    }
}
