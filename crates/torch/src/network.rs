//! The functions of the interface: a network of any kind with its parameters and gradients.

use tch::{Kind, Tensor};

use crate::boundary::{Result, argument, behind, end, give, guarded, refuse};
use crate::encoder::Encoders;
use crate::execution::{Compute, copy};
use crate::factorization::Factorization;
use crate::feed_forward::FeedForward;
use crate::interface::{
    Adam, DenseBatch, EncoderBatch, EncoderSizes, Execution, FIRST_MOMENTS, FactorBatch,
    FactorGradients, FactorSizes, GRADIENTS, Network, PARAMETERS, SECOND_MOMENTS, Slice, SliceMut,
};
use crate::parameters::{self, Array, Parameter, count};

enum Kinds {
    Factorization(Factorization),
    FeedForward(FeedForward),
    Encoders(Encoders),
}

struct State {
    kind: Kinds,
    compute: Compute,
    parameters: Vec<Parameter>,
    /// Of the last batch; none before the first, and none after one that failed.
    gradients: Vec<Tensor>,
}

impl State {
    fn new(kind: Kinds, compute: Compute, parameters: Vec<Parameter>) -> Self {
        State {
            kind,
            compute,
            parameters,
            gradients: Vec::new(),
        }
    }

    fn has_gradients(&self) -> Result<()> {
        match self.gradients.is_empty() {
            true => refuse("there are no gradients: they are a batch's, which comes first"),
            false => Ok(()),
        }
    }
}

/// Works on the state behind a handle, with its number of threads.
///
/// # Safety
/// As [`behind`].
unsafe fn with(handle: *mut Network, work: impl FnOnce(&mut State) -> Result<()>) -> i32 {
    guarded(|| {
        // SAFETY: as the caller promises.
        let state: &mut State = unsafe { behind(handle)? };
        let compute = state.compute;
        compute.run(|| work(state))
    })
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn factor_new(
    sizes: *const FactorSizes,
    execution: Execution,
    values: Slice<f32>,
    out: *mut *mut Network,
) -> i32 {
    // SAFETY: pointers are the caller's to promise.
    guarded(|| unsafe {
        let (sizes, values) = (*argument(sizes, "sizes")?, values.read("the parameters")?);
        let compute = Compute::new(execution)?;
        let (network, parameters) = Factorization::new(sizes, &compute, values)?;
        give(
            State::new(Kinds::Factorization(network), compute, parameters),
            out,
        )
    })
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn feed_forward_new(
    widths: Slice<u64>,
    execution: Execution,
    values: Slice<f32>,
    out: *mut *mut Network,
) -> i32 {
    // SAFETY: pointers are the caller's to promise.
    guarded(|| unsafe {
        let (widths, values) = (widths.read("the widths")?, values.read("the parameters")?);
        let compute = Compute::new(execution)?;
        let (network, parameters) = FeedForward::new(widths, &compute, values)?;
        give(
            State::new(Kinds::FeedForward(network), compute, parameters),
            out,
        )
    })
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn encoder_new(
    sizes: *const EncoderSizes,
    execution: Execution,
    values: Slice<f32>,
    out: *mut *mut Network,
) -> i32 {
    // SAFETY: pointers are the caller's to promise.
    guarded(|| unsafe {
        let (sizes, values) = (*argument(sizes, "sizes")?, values.read("the parameters")?);
        let compute = Compute::new(execution)?;
        let (network, parameters) = Encoders::new(sizes, &compute, values)?;
        give(
            State::new(Kinds::Encoders(network), compute, parameters),
            out,
        )
    })
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn free(handle: *mut Network) {
    // SAFETY: the handle is the caller's to promise.
    unsafe { end::<_, State>(handle) }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn factor_back(
    handle: *mut Network,
    batch: *const FactorBatch,
    out: *const FactorGradients,
) -> i32 {
    // SAFETY: all pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.gradients.clear();
            let Kinds::Factorization(network) = &state.kind else {
                return refuse("the network is not a factorisation's");
            };
            let (batch, out) = (
                argument(batch, "the batch")?,
                argument(out, "the gradients")?,
            );
            state.gradients =
                tch::with_grad(|| network.back(&state.compute, &state.parameters, batch, out))?;
            Ok(())
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn feed_forward_back(
    handle: *mut Network,
    batch: *const DenseBatch,
    error: SliceMut<f64>,
) -> i32 {
    // SAFETY: all pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.gradients.clear();
            let Kinds::FeedForward(network) = &state.kind else {
                return refuse("the network is not a feed-forward network");
            };
            let (batch, error) = (
                argument(batch, "the batch")?,
                error.exactly(1, "the error")?,
            );
            (error[0], state.gradients) =
                tch::with_grad(|| network.back(&state.compute, &state.parameters, batch))?;
            Ok(())
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn encoder_back(
    handle: *mut Network,
    batch: *const EncoderBatch,
    loss: SliceMut<f64>,
) -> i32 {
    // SAFETY: all pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.gradients.clear();
            let Kinds::Encoders(network) = &state.kind else {
                return refuse("the network is no encoder");
            };
            let (batch, loss) = (argument(batch, "the batch")?, loss.exactly(1, "the loss")?);
            (loss[0], state.gradients) =
                tch::with_grad(|| network.back(&state.compute, &state.parameters, batch))?;
            Ok(())
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn read(handle: *mut Network, which: u32, out: SliceMut<f32>) -> i32 {
    // SAFETY: the pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            let out = out.exactly(count(&state.parameters), "the network's numbers")?;
            let array = match which {
                PARAMETERS => Array::Values,
                FIRST_MOMENTS => Array::First,
                SECOND_MOMENTS => Array::Second,
                GRADIENTS => return read_gradients(state, out),
                _ => return refuse(format!("there is no array {which}")),
            };
            parameters::read(&state.parameters, &array, out)
        })
    }
}

fn read_gradients(state: &State, mut out: &mut [f32]) -> Result<()> {
    state.has_gradients()?;
    for gradient in &state.gradients {
        let Some((here, rest)) = out.split_at_mut_checked(gradient.numel()) else {
            return refuse("there are more gradients than parameters");
        };
        copy(gradient, here)?;
        out = rest;
    }
    Ok(())
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn set_moments(
    handle: *mut Network,
    first: Slice<f32>,
    second: Slice<f32>,
) -> i32 {
    // SAFETY: the pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            let n = count(&state.parameters);
            let first = first.exactly(n, "the first moments")?;
            let second = second.exactly(n, "the second moments")?;
            parameters::write(&mut state.parameters, &Array::First, first)?;
            parameters::write(&mut state.parameters, &Array::Second, second)
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn squared_norm(handle: *mut Network, out: SliceMut<f64>) -> i32 {
    // SAFETY: the pointers are the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.has_gradients()?;
            let mut sum = 0.0;
            for gradient in &state.gradients {
                let squares = gradient.f_square()?.f_sum(Kind::Double)?;
                sum += squares.f_double_value(&[])?;
            }
            out.write(sum, "the squared norm")
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn scale_gradients(handle: *mut Network, factor: f64) -> i32 {
    // SAFETY: the handle is the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.has_gradients()?;
            let _guard = tch::no_grad_guard();
            for gradient in &mut state.gradients {
                let _ = gradient.f_mul_scalar_(factor)?;
            }
            Ok(())
        })
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn apply(handle: *mut Network, adam: Adam) -> i32 {
    // SAFETY: the handle is the caller's to promise.
    unsafe {
        with(handle, |state| {
            state.has_gradients()?;
            parameters::step(&mut state.parameters, &state.gradients, &adam)
        })
    }
}
