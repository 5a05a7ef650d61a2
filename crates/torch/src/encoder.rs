//! Three encoders and the decoder that they are trained with, by autograd on weighted squared errors.

use tch::{Kind, Tensor};

use crate::boundary::{Result, refuse};
use crate::execution::{Compute, layer};
use crate::interface::{EncoderBatch, EncoderSizes};
use crate::parameters::{self, Parameter, count};

/// Tensors of one encoder: weight and bias of three layers.
const PER_ENCODER: usize = 6;

/// Three encoders and their decoder.
pub struct Encoders {
    sizes: EncoderSizes,
}

impl EncoderSizes {
    fn check(&self) -> Result<()> {
        let named: [(&str, &[u64]); 5] = [
            ("inputs", &self.inputs),
            ("nodes", &[self.nodes]),
            ("numbers of a code", &self.codes),
            ("units of the decoder", &[self.decoder]),
            ("outputs", &[self.outputs]),
        ];
        for (name, sizes) in named {
            if let Some(size) = sizes.iter().find(|n| !(1..=1 << 20).contains(*n)) {
                return refuse(format!("{size} {name} are not between 1 and 1048576"));
            }
        }
        Ok(())
    }

    /// The widths of each encoder, coarsest resolution first, then of the decoder.
    fn widths(&self) -> [Vec<usize>; 4] {
        let of = |widths: &[u64]| -> Vec<usize> { widths.iter().map(|w| *w as usize).collect() };
        let [a, b, c] =
            [0, 1, 2].map(|s| of(&[self.inputs[s], self.nodes, self.nodes, self.codes[s]]));
        let decoder = of(&[self.codes.iter().sum(), self.decoder, self.outputs]);
        [a, b, c, decoder]
    }
}

/// A step's samples, checked against the network.
struct Batch<'a> {
    /// Inputs of each resolution, and how many samples have them.
    rows: [(&'a [f32], usize); 3],
    targets: &'a [f32],
    weights: &'a [f32],
    n: usize,
}

impl<'a> Batch<'a> {
    /// # Safety
    /// The arrays must be as `Slice::read` needs them.
    unsafe fn new(of: &EncoderBatch, sizes: &EncoderSizes) -> Result<Self> {
        let outputs = sizes.outputs as usize;
        let n = of.targets.len / outputs;
        if n == 0 || of.targets.len != n * outputs {
            let found = of.targets.len;
            return refuse(format!(
                "{found} targets are not those of samples of {outputs} outputs"
            ));
        }
        let mut rows = [(&[][..], 0); 3];
        let mut coarser = n;
        for (s, (rows, inputs)) in rows.iter_mut().zip(sizes.inputs).enumerate() {
            let (found, inputs) = (of.rows[s].len, inputs as usize);
            let encoded = found / inputs;
            if found != encoded * inputs || encoded > coarser || (s == 0 && encoded < n) {
                return refuse(format!(
                    "{found} inputs at resolution {s} are not {inputs} for each sample, or each of \
                     the first ones of {coarser}"
                ));
            }
            coarser = encoded;
            // SAFETY: as the caller promises.
            *rows = (unsafe { of.rows[s].read("the inputs")? }, encoded);
        }
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Batch {
                rows,
                targets: of.targets.read("the targets")?,
                weights: of.weights.exactly(n * outputs, "the weights")?,
                n,
            })
        }
    }
}

impl Encoders {
    /// The network, and its parameters: weight and bias of each encoder's layers, coarsest resolution
    /// first, then of the decoder's.
    pub fn new(
        sizes: EncoderSizes,
        compute: &Compute,
        values: &[f32],
    ) -> Result<(Self, Vec<Parameter>)> {
        sizes.check()?;
        let mut all = Vec::new();
        for widths in sizes.widths() {
            let rest = values.get(count(&all)..).unwrap_or_default();
            all.extend(parameters::layers(compute, &widths, rest)?);
        }
        all.iter_mut().step_by(2).for_each(Parameter::decay);
        if count(&all) != values.len() {
            let (found, needed) = (values.len(), count(&all));
            return refuse(format!("{found} parameters, the network has {needed}"));
        }
        Ok((Encoders { sizes }, all))
    }

    /// The weighted mean of a batch's squared errors, and its gradients.
    ///
    /// # Safety
    /// The batch's arrays must be as `Slice::read` needs them.
    pub unsafe fn back(
        &self,
        compute: &Compute,
        parameters: &[Parameter],
        batch: &EncoderBatch,
    ) -> Result<(f64, Vec<Tensor>)> {
        // SAFETY: as the caller promises.
        let batch = unsafe { Batch::new(batch, &self.sizes)? };
        let leaves: Vec<Tensor> = (parameters.iter())
            .map(Parameter::leaf)
            .collect::<Result<_>>()?;
        let (encoders, decoder) = leaves.split_at(leaves.len() - 4);
        let mut codes = Vec::new();
        for ((tensors, (rows, encoded)), inputs) in (encoders.chunks_exact(PER_ENCODER))
            .zip(batch.rows)
            .zip(self.sizes.inputs)
        {
            let x = compute.tensor(rows, &[encoded as i64, inputs as i64])?;
            // A sample without a code at a resolution has zeros there.
            let without = (batch.n - encoded) as i64;
            codes.push(through(compute, tensors, x)?.f_constant_pad_nd([0, 0, 0, without])?);
        }
        let outputs = through(compute, decoder, Tensor::f_cat(&codes, 1)?)?.f_reshape([-1])?;
        let total: f64 = batch.weights.iter().map(|w| f64::from(*w)).sum();
        let share = if total > 0.0 { 1.0 / total } else { 0.0 };
        let squares = outputs
            .f_sub(&compute.tensor(batch.targets, &[-1])?)?
            .f_square()?
            .f_mul(&compute.tensor(batch.weights, &[-1])?)?;
        let mean = squares.f_sum(Kind::Float)?.f_mul_scalar(share)?;
        let leaves: Vec<&Tensor> = leaves.iter().collect();
        let gradients = Tensor::f_run_backward(&[&mean], &leaves, false, false)?;
        let sum = squares.f_sum(Kind::Double)?.f_double_value(&[])?;
        Ok((sum * share, gradients))
    }
}

/// Rows through layers, a ReLU after each but the last.
fn through(compute: &Compute, tensors: &[Tensor], mut x: Tensor) -> Result<Tensor> {
    let n = tensors.len() / 2;
    for (i, pair) in tensors.chunks_exact(2).enumerate() {
        x = layer(compute, &x, &pair[0], &pair[1])?;
        if i + 1 < n {
            x = x.f_relu()?;
        }
    }
    Ok(x)
}
