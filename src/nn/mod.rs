//! Dense networks: layers forward and back, one Adam, kernels, and the seam to libtorch.
//!
//! Used by training (`factorization`) and by imputation (`model`). It knows nothing of genomes,
//! tracks or databases: matrices and sizes come in, numbers go out. A network in training stands
//! behind `seam`, which has two sides, native and torch ([`Backend`]). Results of the native side do
//! not depend on the number of threads.

mod adam;
mod backend;
mod dropout;
mod error;
pub(crate) mod frozen;
mod lazy_table;
mod native;
mod packed;
mod panels;
mod pinned_product;
pub(crate) mod product;
pub(crate) mod seam;
mod shallow;
mod torch;
pub(crate) mod vectors;

pub(crate) use adam::Adam;
pub use adam::Schedule;
pub(crate) use adam::{AdamStep, adam_step_on_all_threads};
pub(crate) use backend::check_backend;
pub use backend::{Arithmetic, Backend, Device};
pub(crate) use dropout::Dropout;
pub use error::{LibraryProblem, NnError};
pub(crate) use lazy_table::{Alphas, LazyTable};
pub(crate) use native::{Activation, Dense};
pub(crate) use seam::{
    DenseBatch, DenseSpec, EncoderBatch, EncoderNetwork, EncoderSpec, FactorBatch, FactorGradients,
    FactorNetwork, FactorRows, FactorSpec, FeedForward,
};

/// Puts a factorisation's network on a backend and device, from its parameters in the order of
/// [`FactorSpec::tensors`]; moments are 0.
///
/// # Errors
/// When the backend cannot do what is asked for, or the parameters do not fit.
pub(crate) fn factor_network(
    backend: Backend,
    device: Device,
    spec: &FactorSpec,
    parameters: &[f32],
) -> Result<Box<dyn FactorNetwork>, NnError> {
    check_backend(backend, device, spec.arithmetic)?;
    check_parameters(parameters.len(), spec.n_parameters())?;
    match backend.on(device) {
        Backend::Torch => torch::factor_network(spec, parameters, device),
        _ => Ok(Box::new(native::FactorNet::new(spec, parameters))),
    }
}

/// Puts a feed-forward network on a backend and device, likewise.
///
/// # Errors
/// As [`factor_network`].
pub(crate) fn feed_forward(
    backend: Backend,
    device: Device,
    spec: &DenseSpec,
    parameters: &[f32],
) -> Result<Box<dyn FeedForward>, NnError> {
    check_backend(backend, device, Arithmetic::F32)?;
    check_parameters(parameters.len(), spec.n_parameters())?;
    match backend.on(device) {
        Backend::Torch => torch::feed_forward(spec, parameters, device),
        _ => Ok(Box::new(native::DenseNet::new(spec, parameters))),
    }
}

/// Puts an encoder with its decoder on a backend and device, likewise.
///
/// # Errors
/// As [`factor_network`].
pub(crate) fn encoder_network(
    backend: Backend,
    device: Device,
    spec: &EncoderSpec,
    parameters: &[f32],
) -> Result<Box<dyn EncoderNetwork>, NnError> {
    check_backend(backend, device, Arithmetic::F32)?;
    check_parameters(parameters.len(), spec.n_parameters())?;
    match backend.on(device) {
        Backend::Torch => torch::encoder_network(spec, parameters, device),
        _ => Ok(Box::new(native::EncoderNet::new(spec, parameters))),
    }
}

fn check_parameters(found: usize, expected: usize) -> Result<(), NnError> {
    match found == expected {
        true => Ok(()),
        false => Err(NnError::Shape {
            what: "a network's parameters",
            found,
            expected,
        }),
    }
}
