//! A factorisation's network, trained by autograd.
//!
//! The first layer takes a concatenation, so it is a sum of products: one for each biosample, each
//! assay and each row of genome factors in the batch, not one for each sample. The samples go through
//! the further layers in chunks, so that autograd keeps a chunk's activations and no more; what comes
//! back to the products is summed and then taken through them once.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::boundary::{Result, refuse};
use crate::execution::{Compute, copy, layer};
use crate::interface::{FactorBatch, FactorGradients, FactorSizes};
use crate::parameters::{self, Parameter, count};

const BIOSAMPLES: usize = 0;
const ASSAYS: usize = 1;
const FIRST_WEIGHT: usize = 2;
const FIRST_BIAS: usize = 3;
/// More numbers than an array may have.
const MOST: u64 = 1 << 40;

/// A factorisation's network.
pub struct Factorization {
    sizes: FactorSizes,
}

/// Samples whose activations autograd keeps at once: what a few units of work a core are on a CPU; a
/// GPU is to be kept busy by one product.
fn chunk_of(compute: &Compute) -> usize {
    match compute.device {
        Device::Cpu => 4_096,
        _ => 65_536,
    }
}

impl FactorSizes {
    fn check(&self) -> Result<()> {
        let [g25, g250, g5000] = self.genome_factors;
        let named = [
            ("biosamples", self.biosamples[0]),
            ("assays", self.assays[0]),
            ("biosample factors", self.biosamples[1]),
            ("assay factors", self.assays[1]),
            ("25 bp factors", g25),
            ("250 bp factors", g250),
            ("5 kbp factors", g5000),
            ("layers", self.layers),
            ("nodes", self.nodes),
        ];
        for (name, size) in named {
            if size == 0 || size > 1 << 20 {
                return refuse(format!("{size} {name} are not between 1 and 1048576"));
            }
        }
        let most = [
            self.biosamples[0] * self.biosamples[1],
            self.assays[0] * self.assays[1],
            self.first_inputs() * self.nodes,
            self.layers.saturating_mul(self.nodes * self.nodes),
        ];
        match most.into_iter().any(|n| n > MOST) {
            true => refuse("the network is larger than memory could be"),
            false => Ok(()),
        }
    }

    fn first_inputs(&self) -> u64 {
        self.biosamples[1] + self.assays[1] + self.genome_factors.iter().sum::<u64>()
    }

    /// The first layer's inputs that belong to biosamples, assays and each scale.
    fn inputs(&self) -> [Range<i64>; 5] {
        let mut at = 0;
        let [a, b, c] = self.genome_factors;
        [self.biosamples[1], self.assays[1], a, b, c].map(|n| {
            let start = at;
            at += n as i64;
            start..at
        })
    }
}

impl Factorization {
    /// The network, and its parameters: biosamples, assays, each layer's weight and bias.
    pub fn new(
        sizes: FactorSizes,
        compute: &Compute,
        values: &[f32],
    ) -> Result<(Self, Vec<Parameter>)> {
        sizes.check()?;
        let mut parameters = Vec::new();
        let mut rest = values;
        for ([n, width], [start, end], what) in [
            (sizes.biosamples, sizes.trained_biosamples, "biosamples"),
            (sizes.assays, sizes.trained_assays, "assays"),
        ] {
            if start > end || end > n {
                return refuse(format!("trained {what} {start}..{end} of {n}"));
            }
            let Some((here, after)) = rest.split_at_checked((n * width) as usize) else {
                return refuse(format!("too few numbers for the {what}"));
            };
            rest = after;
            let value = compute.tensor(here, &[n as i64, width as i64])?;
            parameters.push(Parameter::new(value, start as i64..end as i64)?);
        }
        let nodes = sizes.nodes as usize;
        let mut widths = vec![sizes.first_inputs() as usize];
        widths.extend(std::iter::repeat_n(nodes, sizes.layers as usize));
        widths.push(1);
        let mut layers = parameters::layers(compute, &widths, rest)?;
        if sizes.trained_layers == 0 {
            layers.iter_mut().for_each(Parameter::freeze);
        }
        parameters.extend(layers);
        if count(&parameters) != values.len() {
            let (found, needed) = (values.len(), count(&parameters));
            return refuse(format!("{found} parameters, the network has {needed}"));
        }
        Ok((Factorization { sizes }, parameters))
    }

    /// The loss of a batch and its gradients: those of the parameters are returned.
    ///
    /// # Safety
    /// The arrays must be as `Slice::read` and `SliceMut::exactly` need them.
    pub unsafe fn back(
        &self,
        compute: &Compute,
        parameters: &[Parameter],
        batch: &FactorBatch,
        out: &FactorGradients,
    ) -> Result<Vec<Tensor>> {
        // SAFETY: as the caller promises.
        let (batch, out) = unsafe {
            let batch = Batch::new(batch, &self.sizes)?;
            let out = Outputs::new(out, &batch)?;
            (batch, out)
        };
        let n = batch.values.len();
        let leaves: Vec<Tensor> = (parameters.iter())
            .map(Parameter::leaf)
            .collect::<Result<_>>()?;
        let tables: Vec<Tensor> = (batch.genome.iter().zip(self.sizes.genome_factors))
            .map(|(rows, width)| {
                let mut table = compute.tensor(rows, &[-1, width as i64])?;
                Ok(table.f_requires_grad_(true)?)
            })
            .collect::<Result<_>>()?;
        let products = self.products(&leaves, &tables)?;
        // The graph is cut here: what comes back to the products is summed over the chunks.
        let parts: Vec<Tensor> = products
            .iter()
            .map(|p| Ok(p.f_detach()?.f_requires_grad_(true)?))
            .collect::<Result<_>>()?;
        let indices = batch.indices(compute)?;
        let observed = compute.tensor(batch.values, &[-1])?;

        let further = &leaves[FIRST_BIAS + 1..];
        let inputs: Vec<&Tensor> = parts.iter().chain(further).collect();
        let mut sums: Vec<Tensor> = inputs
            .iter()
            .map(|t| Ok(t.f_zeros_like()?.f_detach()?))
            .collect::<Result<_>>()?;
        let mut loss = 0.0;
        let chunk = chunk_of(compute);
        for first in (0..n).step_by(chunk) {
            let (start, length) = (first as i64, chunk.min(n - first));
            let cut = |t: &Tensor| t.f_narrow(0, start, length as i64);
            let mut x: Option<Tensor> = None;
            for (part, index) in parts.iter().zip(&indices) {
                let rows = part.f_index_select(0, &cut(index)?)?;
                x = Some(match x {
                    Some(x) => x.f_add(&rows)?,
                    None => rows,
                });
            }
            let Some(x) = x else {
                return refuse("the network has no inputs");
            };
            let residuals = output(compute, &x, further)?.f_sub(&cut(&observed)?)?;
            let squares = residuals.f_square()?.f_sum(Kind::Float)?;
            let of_chunk = squares.f_div_scalar(n as f64)?;
            let gradients = Tensor::f_run_backward(&[&of_chunk], &inputs, false, false)?;
            let _guard = tch::no_grad_guard();
            for (sum, gradient) in sums.iter_mut().zip(&gradients) {
                let _ = sum.f_add_(gradient)?;
            }
            loss += residuals
                .f_square()?
                .f_sum(Kind::Double)?
                .f_double_value(&[])?;
            copy(&residuals, &mut out.residuals[first..first + length])?;
        }
        out.loss[0] = loss / n as f64;

        // Through the products: the gradient of Σ product · sum is that of the loss.
        let mut through: Option<Tensor> = None;
        for (product, sum) in products.iter().zip(&sums) {
            let term = product.f_mul(sum)?.f_sum(Kind::Float)?;
            through = Some(match through {
                Some(all) => all.f_add(&term)?,
                None => term,
            });
        }
        let Some(through) = through else {
            return refuse("the network has no inputs");
        };
        let inputs: Vec<&Tensor> = leaves[..=FIRST_BIAS].iter().chain(&tables).collect();
        let mut dense = Tensor::f_run_backward(&[&through], &inputs, false, false)?;
        let genome = dense.split_off(FIRST_BIAS + 1);
        for (gradient, out) in genome.iter().zip(out.genome) {
            copy(gradient, out)?;
        }
        dense.extend(sums.split_off(parts.len()));
        Ok(dense)
    }

    /// What the biosamples, the assays (the bias with them) and each scale's rows add to the first
    /// layer.
    fn products(&self, leaves: &[Tensor], tables: &[Tensor]) -> Result<Vec<Tensor>> {
        let rows = [&leaves[BIOSAMPLES], &leaves[ASSAYS]];
        let mut products = Vec::with_capacity(5);
        for (rows, inputs) in rows.into_iter().chain(tables).zip(self.sizes.inputs()) {
            let n = inputs.end - inputs.start;
            let weight = leaves[FIRST_WEIGHT].f_narrow(0, inputs.start, n)?;
            products.push(rows.f_matmul(&weight)?);
        }
        products[ASSAYS] = products[ASSAYS].f_add(&leaves[FIRST_BIAS])?;
        Ok(products)
    }
}

/// The output from what goes into the first ReLU.
fn output(compute: &Compute, first: &Tensor, further: &[Tensor]) -> Result<Tensor> {
    let mut x = first.f_relu()?;
    let (hidden, last) = further.split_at(further.len() - 2);
    for pair in hidden.chunks_exact(2) {
        x = layer(compute, &x, &pair[0], &pair[1])?.f_relu()?;
    }
    // A vector: no product worth rounding for.
    Ok(last[1].f_addmm(&x, &last[0])?.f_reshape([-1])?)
}

/// A step's samples, checked against the network.
struct Batch<'a> {
    tracks: &'a [u32],
    values: &'a [f32],
    starts: [&'a [u32]; 3],
    genome: [&'a [f32]; 3],
    pairs: &'a [u32],
}

/// Where its results go.
struct Outputs<'a> {
    loss: &'a mut [f64],
    residuals: &'a mut [f32],
    genome: [&'a mut [f32]; 3],
}

impl<'a> Outputs<'a> {
    /// # Safety
    /// The arrays must be as `SliceMut::exactly` needs them.
    unsafe fn new(of: &FactorGradients, batch: &Batch<'_>) -> Result<Self> {
        let what = "the gradients of the genome's factors";
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Outputs {
                loss: of.loss.exactly(1, "the loss")?,
                residuals: of.residuals.exactly(batch.values.len(), "the residuals")?,
                genome: [
                    of.genome[0].exactly(batch.genome[0].len(), what)?,
                    of.genome[1].exactly(batch.genome[1].len(), what)?,
                    of.genome[2].exactly(batch.genome[2].len(), what)?,
                ],
            })
        }
    }
}

impl<'a> Batch<'a> {
    /// # Safety
    /// The arrays must be as `Slice::read` needs them.
    unsafe fn new(of: &FactorBatch, sizes: &FactorSizes) -> Result<Self> {
        // SAFETY: as the caller promises.
        let batch: Batch<'a> = unsafe {
            let values = of.observed.read("the samples' values")?;
            Batch {
                values,
                tracks: of.tracks.exactly(values.len(), "the samples' tracks")?,
                starts: [
                    of.starts[0].read("the 25 bp groups")?,
                    of.starts[1].read("the 250 bp groups")?,
                    of.starts[2].read("the 5 kbp groups")?,
                ],
                genome: [
                    of.genome[0].read("the 25 bp factors")?,
                    of.genome[1].read("the 250 bp factors")?,
                    of.genome[2].read("the 5 kbp factors")?,
                ],
                pairs: of.pairs.read("the tracks' biosamples and assays")?,
            }
        };
        batch.check(sizes)?;
        Ok(batch)
    }

    fn check(&self, sizes: &FactorSizes) -> Result<()> {
        let n = self.values.len();
        if n == 0 {
            return refuse("a step needs samples");
        }
        for scale in 0..3 {
            let starts = self.starts[scale];
            let whole = starts.len() > 1
                && starts[0] == 0
                && starts.windows(2).all(|pair| pair[0] < pair[1])
                && starts.last().is_some_and(|last| *last as usize == n);
            if !whole {
                return refuse(format!(
                    "the groups of scale {scale} are no cut of {n} samples"
                ));
            }
            let expected = (starts.len() - 1) * sizes.genome_factors[scale] as usize;
            if self.genome[scale].len() != expected {
                let found = self.genome[scale].len();
                return refuse(format!("scale {scale}: {found} factors, not {expected}"));
            }
        }
        let (pairs, rest) = self.pairs.as_chunks::<2>();
        let within = |pair: &[u32; 2]| {
            u64::from(pair[0]) < sizes.biosamples[0] && u64::from(pair[1]) < sizes.assays[0]
        };
        if !rest.is_empty() || !pairs.iter().all(within) {
            return refuse("a track's biosample or assay is not the network's");
        }
        if !self.tracks.iter().all(|t| (*t as usize) < pairs.len()) {
            return refuse(format!("a sample's track is none of the {}", pairs.len()));
        }
        Ok(())
    }

    /// Each sample's row among the biosamples, the assays and the groups of each scale.
    fn indices(&self, compute: &Compute) -> Result<Vec<Tensor>> {
        let mut indices = Vec::with_capacity(5);
        for member in 0..2 {
            let of = |t: &u32| i64::from(self.pairs[2 * *t as usize + member]);
            let index: Vec<i64> = self.tracks.iter().map(of).collect();
            indices.push(compute.indices(&index)?);
        }
        for starts in self.starts {
            let mut index = vec![0i64; self.values.len()];
            for (group, span) in starts.windows(2).enumerate() {
                index[span[0] as usize..span[1] as usize].fill(group as i64);
            }
            indices.push(compute.indices(&index)?);
        }
        Ok(indices)
    }
}
