//! The C interface of `libpersea_torch`, the library that holds everything that needs libtorch.
//!
//! This file is compiled into both sides: the program, which calls, and `crates/torch`, which answers.
//! The library exports two symbols. [`VERSION_SYMBOL`] gives the version of the interface it was built
//! with; [`INTERFACE_SYMBOL`] gives its functions as an [`Interface`], whose layout belongs to that
//! version. So a caller compares versions before it reads anything else.
//!
//! Every function that can fail returns 0, or another number and leaves a message that
//! [`Interface::error`] gives on the same thread. Nothing panics or throws across the boundary. Sizes
//! are checked on the library's side. Arrays are row-major f32 unless their type says otherwise, and
//! belong to the caller. A handle may be used by one thread at a time.

use std::ffi::{CStr, c_char};

/// The version of this file. It changes with every change of what is below.
pub const VERSION: u32 = 2;
/// The libtorch that the library is built for.
pub const LIBTORCH: &CStr = c"2.13.0";
/// `extern "C" fn() -> u32`: the version of the interface.
pub const VERSION_SYMBOL: &CStr = c"persea_torch_version";
/// `extern "C" fn() -> *const Interface`: the functions, valid for as long as the library is loaded.
pub const INTERFACE_SYMBOL: &CStr = c"persea_torch_interface";

/// The type of [`VERSION_SYMBOL`].
pub type VersionFunction = unsafe extern "C" fn() -> u32;
/// The type of [`INTERFACE_SYMBOL`].
pub type InterfaceFunction = unsafe extern "C" fn() -> *const Interface;

/// Numbers to be read.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Slice<T> {
    /// The first; not read where `len` is 0.
    pub data: *const T,
    /// How many.
    pub len: usize,
}

impl<T> Slice<T> {
    /// The same numbers as a C array.
    pub fn of(values: &[T]) -> Self {
        Slice {
            data: values.as_ptr(),
            len: values.len(),
        }
    }
}

/// Numbers to be written.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SliceMut<T> {
    /// The first; not written where `len` is 0.
    pub data: *mut T,
    /// How many.
    pub len: usize,
}

impl<T> SliceMut<T> {
    /// The same numbers as a C array.
    pub fn of(values: &mut [T]) -> Self {
        SliceMut {
            data: values.as_mut_ptr(),
            len: values.len(),
        }
    }
}

/// The device of a CPU; a GPU's is its number, from 0 on.
pub const CPU: i32 = -1;
/// Products of f32.
pub const F32: u32 = 0;
/// Hidden layers' products of bfloat16; everything else stays f32.
pub const BF16: u32 = 1;

/// Where a handle computes, and how.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Execution {
    /// [`CPU`], or the number of a GPU.
    pub device: i32,
    /// [`F32`] or [`BF16`].
    pub arithmetic: u32,
    /// Threads of a step on the CPU, 0 for libtorch's own choice. Set for the duration of a call and
    /// set back.
    pub threads: u32,
}

/// One step of Adam: p ← (1 − decay) p − alpha m / (√v + epsilon).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    /// The step's learning rate, both bias corrections included.
    pub alpha: f64,
    /// Decay of the first moment m.
    pub beta1: f64,
    /// Decay of the second moment v.
    pub beta2: f64,
    /// Added to √v.
    pub epsilon: f64,
    /// The share that the step takes away from each weight of a feed-forward network or an encoder.
    pub decay: f64,
}

/// What a factorisation's network is.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorSizes {
    /// How many biosamples, and the factors of each.
    pub biosamples: [u64; 2],
    /// How many assays, and the factors of each.
    pub assays: [u64; 2],
    /// Factors of a position at 25 bp, 250 bp and 5 kbp.
    pub genome_factors: [u64; 3],
    /// Hidden layers, at least 1.
    pub layers: u64,
    /// Units of each.
    pub nodes: u64,
    /// The first biosample that steps change, and the one after the last.
    pub trained_biosamples: [u64; 2],
    /// Likewise of the assays.
    pub trained_assays: [u64; 2],
    /// 0 where steps leave the layers as they are.
    pub trained_layers: u64,
}

/// The samples of a step. Samples that share a row of genome factors are consecutive.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FactorBatch {
    /// The track of each sample, `[n]`.
    pub tracks: Slice<u32>,
    /// Biosample and assay of each track, `[tracks, 2]`.
    pub pairs: Slice<u32>,
    /// The observed signal, `[n]`.
    pub observed: Slice<f32>,
    /// For each scale, the batch's rows of genome factors, `[rows, factors]`.
    pub genome: [Slice<f32>; 3],
    /// For each scale, where each row's samples start; last, the number of samples, `[rows + 1]`.
    pub starts: [Slice<u32>; 3],
}

/// What a step of a factorisation gives beside the gradients that stay in the library.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FactorGradients {
    /// The mean squared error over the samples, one number.
    pub loss: SliceMut<f64>,
    /// Prediction − observation of each sample, `[n]`.
    pub residuals: SliceMut<f32>,
    /// For each scale, the gradients of the batch's rows, `[rows, factors]`.
    pub genome: [SliceMut<f32>; 3],
}

/// The samples of a step of a feed-forward network.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct DenseBatch {
    /// `[n, inputs]`.
    pub rows: Slice<f32>,
    /// What the output should be, `[n]`.
    pub targets: Slice<f32>,
    /// How much each squared error counts, `[n]`.
    pub weights: Slice<f32>,
    /// Dropout: for each hidden layer in turn `[n, units]`, 1 where a unit stays and 0 where it is left
    /// out. Empty where all stay.
    pub kept: Slice<u8>,
    /// What the activations that stay are multiplied by.
    pub kept_scale: f32,
}

/// What encoders and their decoder are. Resolutions are coarsest first.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSizes {
    /// Inputs of the encoder of each resolution.
    pub inputs: [u64; 3],
    /// Units of each of an encoder's two hidden layers.
    pub nodes: u64,
    /// Numbers of the code of each resolution.
    pub codes: [u64; 3],
    /// Units of the decoder's hidden layer.
    pub decoder: u64,
    /// Outputs of the decoder.
    pub outputs: u64,
}

/// The samples of a step of an encoder. Samples that have inputs at more resolutions come first.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct EncoderBatch {
    /// For each resolution, coarsest first, the inputs of the first samples, `[samples, inputs]`: of
    /// all n at the coarsest resolution, of as many at a finer one as at a coarser one or fewer. The
    /// others' codes are zeros there.
    pub rows: [Slice<f32>; 3],
    /// What the outputs should be, `[n, outputs]`.
    pub targets: Slice<f32>,
    /// How much each squared error counts, `[n, outputs]`.
    pub weights: Slice<f32>,
}

/// A network in training.
#[repr(C)]
pub struct Network {
    _private: [u8; 0],
}

/// [`Interface::read`]: the parameters.
pub const PARAMETERS: u32 = 0;
/// [`Interface::read`]: the first moments.
pub const FIRST_MOMENTS: u32 = 1;
/// [`Interface::read`]: the second moments.
pub const SECOND_MOMENTS: u32 = 2;
/// [`Interface::read`]: the gradients of the last batch.
pub const GRADIENTS: u32 = 3;

/// The functions of the library.
///
/// A network's numbers are one flat array: for a factorisation the factors of biosamples and of assays,
/// then each layer's weight, `[inputs, outputs]`, and bias; for a feed-forward network weights and
/// biases; for an encoder those of each encoder's three layers, then those of the decoder's two. Moments
/// begin at 0.
#[repr(C)]
pub struct Interface {
    /// The libtorch that the library was built for, such as `2.13.0`.
    pub built_for: unsafe extern "C" fn() -> *const c_char,
    /// Why the last call on this thread failed, as UTF-8; valid until the thread's next call.
    pub error: unsafe extern "C" fn() -> *const c_char,
    /// How many GPUs there are.
    pub cuda_devices: unsafe extern "C" fn(SliceMut<u64>) -> i32,
    /// A factorisation's network from its parameters.
    pub factor_new:
        unsafe extern "C" fn(*const FactorSizes, Execution, Slice<f32>, *mut *mut Network) -> i32,
    /// A feed-forward network from its parameters. Widths: inputs, each hidden layer, 1.
    pub feed_forward_new:
        unsafe extern "C" fn(Slice<u64>, Execution, Slice<f32>, *mut *mut Network) -> i32,
    /// An encoder with its decoder from its parameters.
    pub encoder_new:
        unsafe extern "C" fn(*const EncoderSizes, Execution, Slice<f32>, *mut *mut Network) -> i32,
    /// Ends a network; null is allowed.
    pub free: unsafe extern "C" fn(*mut Network),
    /// Loss and gradients of a factorisation's batch.
    pub factor_back:
        unsafe extern "C" fn(*mut Network, *const FactorBatch, *const FactorGradients) -> i32,
    /// Gradients of Σ wᵢ (yᵢ − tᵢ)² / n of a feed-forward network; gives the mean of the squared
    /// errors, unweighted.
    pub feed_forward_back:
        unsafe extern "C" fn(*mut Network, *const DenseBatch, SliceMut<f64>) -> i32,
    /// Σ w (y − t)² / Σ w of an encoder's batch and its gradients; all are 0 where no weight is above 0.
    pub encoder_back: unsafe extern "C" fn(*mut Network, *const EncoderBatch, SliceMut<f64>) -> i32,
    /// Copies one of the arrays, by its number.
    pub read: unsafe extern "C" fn(*mut Network, u32, SliceMut<f32>) -> i32,
    /// Sets first and second moments.
    pub set_moments: unsafe extern "C" fn(*mut Network, Slice<f32>, Slice<f32>) -> i32,
    /// The sum of the squares of the last batch's gradients.
    pub squared_norm: unsafe extern "C" fn(*mut Network, SliceMut<f64>) -> i32,
    /// Multiplies the last batch's gradients.
    pub scale_gradients: unsafe extern "C" fn(*mut Network, f64) -> i32,
    /// Moves the parameters by the last batch's gradients.
    pub apply: unsafe extern "C" fn(*mut Network, Adam) -> i32,
}
