//! Parameters with their Adam moments.

use std::ops::Range;

use tch::Tensor;

use crate::boundary::{Result, refuse};
use crate::execution::{Compute, copy};
use crate::interface::Adam;

/// One array of parameters.
#[derive(Debug)]
pub struct Parameter {
    /// Its numbers.
    pub value: Tensor,
    first: Tensor,
    second: Tensor,
    /// Rows that steps change.
    trained: Range<i64>,
    /// Whether weight decay shrinks it.
    decays: bool,
}

impl Parameter {
    /// With moments of 0.
    pub fn new(value: Tensor, trained: Range<i64>) -> Result<Self> {
        Ok(Parameter {
            first: value.f_zeros_like()?,
            second: value.f_zeros_like()?,
            decays: false,
            trained,
            value,
        })
    }

    /// The same numbers as a leaf of a new graph.
    pub fn leaf(&self) -> Result<Tensor> {
        Ok(self.value.f_detach()?.f_requires_grad_(true)?)
    }

    /// Lets weight decay shrink it.
    pub fn decay(&mut self) {
        self.decays = true;
    }

    /// Keeps it from changing.
    pub fn freeze(&mut self) {
        self.trained = 0..0;
    }

    /// One step of Adam.
    fn step(&mut self, gradient: &Tensor, adam: &Adam) -> Result<()> {
        let n = self.trained.end - self.trained.start;
        if n <= 0 {
            return Ok(());
        }
        let start = self.trained.start;
        let rows = |t: &Tensor| t.f_narrow(0, start, n);
        let gradient = rows(gradient)?;
        let (mut value, mut first, mut second) =
            (rows(&self.value)?, rows(&self.first)?, rows(&self.second)?);
        let _ = first.f_lerp_(&gradient, 1.0 - adam.beta1)?;
        let _ = second.f_lerp_(&gradient.f_square()?, 1.0 - adam.beta2)?;
        if self.decays && adam.decay > 0.0 {
            let _ = value.f_mul_scalar_(1.0 - adam.decay)?;
        }
        let root = second.f_sqrt()?.f_add_scalar_(adam.epsilon)?;
        let _ = value.f_add_(&first.f_div(&root)?.f_mul_scalar_(-adam.alpha)?)?;
        Ok(())
    }
}

/// Takes a step for all.
pub fn step(all: &mut [Parameter], gradients: &[Tensor], adam: &Adam) -> Result<()> {
    if gradients.len() != all.len() {
        return refuse("no gradients: a step needs those of a batch first");
    }
    let _guard = tch::no_grad_guard();
    for (parameter, gradient) in all.iter_mut().zip(gradients) {
        parameter.step(gradient, adam)?;
    }
    Ok(())
}

/// How many numbers all have.
pub fn count(all: &[Parameter]) -> usize {
    all.iter().map(|p| p.value.numel()).sum()
}

/// Which of a parameter's arrays.
pub enum Array {
    /// Its numbers.
    Values,
    /// The first moments.
    First,
    /// The second moments.
    Second,
}

impl Array {
    fn of<'a>(&self, parameter: &'a Parameter) -> &'a Tensor {
        match self {
            Array::Values => &parameter.value,
            Array::First => &parameter.first,
            Array::Second => &parameter.second,
        }
    }
}

/// One array of all parameters, one after another.
pub fn read(all: &[Parameter], array: &Array, mut out: &mut [f32]) -> Result<()> {
    for parameter in all {
        let tensor = array.of(parameter);
        let Some((here, rest)) = out.split_at_mut_checked(tensor.numel()) else {
            return refuse("there is too little space for the parameters");
        };
        copy(tensor, here)?;
        out = rest;
    }
    Ok(())
}

/// Sets one array of all parameters.
pub fn write(all: &mut [Parameter], array: &Array, mut values: &[f32]) -> Result<()> {
    let _guard = tch::no_grad_guard();
    for parameter in all {
        let mut tensor = array.of(parameter).shallow_clone();
        let Some((here, rest)) = values.split_at_checked(tensor.numel()) else {
            return refuse("too few numbers for the parameters");
        };
        tensor.f_copy_(&Tensor::f_from_slice(here)?.f_reshape(tensor.size())?)?;
        values = rest;
    }
    Ok(())
}

/// Weight and bias of each layer of the given widths, from numbers one after another.
pub fn layers(compute: &Compute, widths: &[usize], values: &[f32]) -> Result<Vec<Parameter>> {
    let mut all = Vec::new();
    let mut at = 0;
    for pair in widths.windows(2) {
        let (inputs, outputs) = (pair[0] as i64, pair[1] as i64);
        for shape in [&[inputs, outputs][..], &[outputs]] {
            let n: usize = shape.iter().product::<i64>() as usize;
            let Some(here) = values.get(at..at + n) else {
                return refuse("too few numbers for the layers");
            };
            at += n;
            all.push(Parameter::new(compute.tensor(here, shape)?, 0..shape[0])?);
        }
    }
    Ok(all)
}
