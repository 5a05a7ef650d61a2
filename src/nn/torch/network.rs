//! Networks in training behind the C interface.

use std::ptr::null_mut;

use super::find::{LIBTORCH, VARIABLE};
use super::interface::{self, Execution, Slice, SliceMut};
use super::library::{Library, library};
use crate::nn::seam::{
    DenseBatch, DenseSpec, EncoderBatch, EncoderNetwork, EncoderSpec, FactorBatch, FactorGradients,
    FactorNetwork, FactorSpec, FeedForward, Trainable,
};
use crate::nn::{AdamStep, Arithmetic, Device, NnError};

/// A factorisation's network on libtorch.
///
/// # Errors
/// When the library cannot be loaded, there is no such GPU, or libtorch reports an error.
pub(crate) fn factor_network(
    spec: &FactorSpec,
    parameters: &[f32],
    device: Device,
) -> Result<Box<dyn FactorNetwork>, NnError> {
    let pair = |of: [usize; 2]| of.map(|n| n as u64);
    let rows = |of: &std::ops::Range<usize>| [of.start as u64, of.end as u64];
    let sizes = interface::FactorSizes {
        biosamples: pair(spec.biosamples),
        assays: pair(spec.assays),
        genome_factors: spec.genome_factors.map(|n| n as u64),
        layers: spec.layers as u64,
        nodes: spec.nodes as u64,
        trained_biosamples: rows(&spec.trained_biosamples),
        trained_assays: rows(&spec.trained_assays),
        trained_layers: u64::from(spec.trained_layers),
    };
    let new = |library: &Library, execution, out: &mut _| {
        // SAFETY: the pointers are of values that outlive the call.
        unsafe { (library.functions().factor_new)(&sizes, execution, Slice::of(parameters), out) }
    };
    let (handle, n_parameters) = (Handle::new(device, spec.arithmetic, new)?, parameters.len());
    Ok(Box::new(TorchNetwork {
        handle,
        n_parameters,
        widths: Vec::new(),
    }))
}

/// A feed-forward network on libtorch.
///
/// # Errors
/// As [`factor_network`].
pub(crate) fn feed_forward(
    spec: &DenseSpec,
    parameters: &[f32],
    device: Device,
) -> Result<Box<dyn FeedForward>, NnError> {
    let inputs = spec.layers.iter().map(|[inputs, _]| *inputs);
    let outputs = spec.layers.last().map(|[_, outputs]| *outputs);
    let widths: Vec<usize> = inputs.chain(outputs).collect();
    let sizes: Vec<u64> = widths.iter().map(|n| *n as u64).collect();
    let new = |library: &Library, execution, out: &mut _| {
        let (sizes, parameters) = (Slice::of(&sizes), Slice::of(parameters));
        // SAFETY: the pointers are of values that outlive the call.
        unsafe { (library.functions().feed_forward_new)(sizes, execution, parameters, out) }
    };
    let handle = Handle::new(device, Arithmetic::F32, new)?;
    Ok(Box::new(TorchNetwork {
        handle,
        n_parameters: parameters.len(),
        widths,
    }))
}

/// An encoder with its decoder on libtorch.
///
/// # Errors
/// As [`factor_network`].
pub(crate) fn encoder_network(
    spec: &EncoderSpec,
    parameters: &[f32],
    device: Device,
) -> Result<Box<dyn EncoderNetwork>, NnError> {
    let sizes = interface::EncoderSizes {
        inputs: spec.inputs.map(|n| n as u64),
        nodes: spec.nodes as u64,
        codes: spec.codes.map(|n| n as u64),
        decoder: spec.decoder as u64,
        outputs: spec.outputs as u64,
    };
    let new = |library: &Library, execution, out: &mut _| {
        // SAFETY: the pointers are of values that outlive the call.
        unsafe { (library.functions().encoder_new)(&sizes, execution, Slice::of(parameters), out) }
    };
    Ok(Box::new(TorchNetwork {
        handle: Handle::new(device, Arithmetic::F32, new)?,
        n_parameters: parameters.len(),
        widths: Vec::new(),
    }))
}

/// The library's handle of a network, freed when dropped.
struct Handle {
    library: &'static Library,
    network: *mut interface::Network,
}

// SAFETY: the library lets any thread use a handle, one at a time.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by the library, and not used again.
        unsafe { (self.library.functions().free)(self.network) }
    }
}

impl Handle {
    fn new(
        device: Device,
        arithmetic: Arithmetic,
        new: impl FnOnce(&Library, Execution, &mut *mut interface::Network) -> i32,
    ) -> Result<Self, NnError> {
        let library = library()?;
        let execution = Execution {
            device: number_of(library, device)?,
            arithmetic: match arithmetic {
                Arithmetic::F32 => interface::F32,
                Arithmetic::Bf16 => interface::BF16,
            },
            threads: u32::try_from(rayon::current_num_threads()).unwrap_or(0),
        };
        let mut network = null_mut();
        library.check(new(library, execution, &mut network))?;
        Ok(Handle { library, network })
    }

    /// Calls a function of the library.
    fn call(
        &self,
        call: impl FnOnce(&interface::Interface, *mut interface::Network) -> i32,
    ) -> Result<(), NnError> {
        self.library
            .check(call(self.library.functions(), self.network))
    }
}

/// A device's number in the interface.
fn number_of(library: &Library, device: Device) -> Result<i32, NnError> {
    let Device::Cuda(index) = device else {
        return Ok(interface::CPU);
    };
    let n = library.gpus()?;
    match i32::try_from(index) {
        Ok(number) if (index as u64) < n => Ok(number),
        _ => Err(NnError::NoDevice {
            why: format!(
                "the device {device} is not there: the libtorch of {} sees {n} GPUs; use the device \
                 cpu, or set {VARIABLE} to the folder of a PyTorch {LIBTORCH} with CUDA",
                library.path().display()
            ),
        }),
    }
}

/// A network of any kind.
struct TorchNetwork {
    handle: Handle,
    n_parameters: usize,
    /// A feed-forward network's inputs, hidden layers and output.
    widths: Vec<usize>,
}

impl TorchNetwork {
    fn read(&self, array: u32) -> Result<Vec<f32>, NnError> {
        let mut numbers = vec![0f32; self.n_parameters];
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live, and the array this call's alone.
            unsafe { (functions.read)(network, array, SliceMut::of(&mut numbers)) }
        })?;
        Ok(numbers)
    }
}

impl Trainable for TorchNetwork {
    fn parameters(&self) -> Result<Vec<f32>, NnError> {
        self.read(interface::PARAMETERS)
    }

    fn moments(&self) -> Result<(Vec<f32>, Vec<f32>), NnError> {
        Ok((
            self.read(interface::FIRST_MOMENTS)?,
            self.read(interface::SECOND_MOMENTS)?,
        ))
    }

    fn set_moments(&mut self, first: &[f32], second: &[f32]) -> Result<(), NnError> {
        for moments in [first, second] {
            if moments.len() != self.n_parameters {
                return Err(NnError::Shape {
                    what: "a network's moments",
                    found: moments.len(),
                    expected: self.n_parameters,
                });
            }
        }
        self.handle.call(|functions, network| {
            let (first, second) = (Slice::of(first), Slice::of(second));
            // SAFETY: the handle is live; the arrays outlive the call.
            unsafe { (functions.set_moments)(network, first, second) }
        })
    }

    fn gradients(&self) -> Result<Vec<f32>, NnError> {
        self.read(interface::GRADIENTS)
    }

    fn squared_norm(&self) -> Result<f64, NnError> {
        let mut sum = [0f64];
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live, and the array this call's alone.
            unsafe { (functions.squared_norm)(network, SliceMut::of(&mut sum)) }
        })?;
        Ok(sum[0])
    }

    fn scale_gradients(&mut self, factor: f32) -> Result<(), NnError> {
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live.
            unsafe { (functions.scale_gradients)(network, f64::from(factor)) }
        })
    }

    fn apply(&mut self, step: &AdamStep) -> Result<(), NnError> {
        let adam = interface::Adam {
            alpha: step.alpha,
            beta1: step.beta1,
            beta2: step.beta2,
            epsilon: step.epsilon,
            decay: step.decay,
        };
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live.
            unsafe { (functions.apply)(network, adam) }
        })
    }
}

impl FactorNetwork for TorchNetwork {
    fn back(&mut self, batch: &FactorBatch<'_>, out: &mut FactorGradients) -> Result<(), NnError> {
        out.residuals.clear();
        out.residuals.resize(batch.observed.len(), 0.0);
        for (gradients, rows) in out.genome.iter_mut().zip(&batch.genome) {
            gradients.clear();
            gradients.resize(rows.factors.len(), 0.0);
        }
        let mut loss = [0f64];
        let [fine, middle, coarse] = &mut out.genome;
        let given = interface::FactorBatch {
            tracks: Slice::of(batch.tracks),
            pairs: Slice::of(batch.pairs.as_flattened()),
            observed: Slice::of(batch.observed),
            genome: batch.genome.map(|rows| Slice::of(rows.factors)),
            starts: batch.genome.map(|rows| Slice::of(rows.starts)),
        };
        let results = interface::FactorGradients {
            loss: SliceMut::of(&mut loss),
            residuals: SliceMut::of(&mut out.residuals),
            genome: [fine, middle, coarse].map(|gradients| SliceMut::of(gradients)),
        };
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live; the arrays outlive the call, results are this call's alone.
            unsafe { (functions.factor_back)(network, &given, &results) }
        })?;
        out.loss = loss[0];
        Ok(())
    }
}

impl FeedForward for TorchNetwork {
    fn back(&mut self, batch: &DenseBatch<'_>) -> Result<f64, NnError> {
        let kept = self.kept_units(batch);
        let given = interface::DenseBatch {
            rows: Slice::of(batch.rows),
            targets: Slice::of(batch.targets),
            weights: Slice::of(batch.weights),
            kept: Slice::of(&kept),
            kept_scale: batch.dropout.kept(),
        };
        let mut error = [0f64];
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live; the arrays outlive the call.
            unsafe { (functions.feed_forward_back)(network, &given, SliceMut::of(&mut error)) }
        })?;
        Ok(error[0])
    }
}

impl EncoderNetwork for TorchNetwork {
    fn back(&mut self, batch: &EncoderBatch<'_>) -> Result<f64, NnError> {
        let given = interface::EncoderBatch {
            rows: batch.rows.map(Slice::of),
            targets: Slice::of(batch.targets),
            weights: Slice::of(batch.weights),
        };
        let mut loss = [0f64];
        self.handle.call(|functions, network| {
            // SAFETY: the handle is live; the arrays outlive the call.
            unsafe { (functions.encoder_back)(network, &given, SliceMut::of(&mut loss)) }
        })?;
        Ok(loss[0])
    }
}

impl TorchNetwork {
    /// For each hidden layer, 1 where a unit of a sample stays and 0 where it is left out; empty where
    /// all stay.
    fn kept_units(&self, batch: &DenseBatch<'_>) -> Vec<u8> {
        let (below, n) = (batch.dropout.below(), batch.targets.len());
        let mut kept = Vec::new();
        if below == 0 || self.widths.len() < 2 {
            return kept;
        }
        for (layer, units) in self.widths[1..self.widths.len() - 1].iter().enumerate() {
            let start = kept.len();
            kept.resize(start + n * units, 0);
            let here = &mut kept[start..];
            batch.dropout.bytes(layer, n * units, 0, here);
            here.iter_mut().for_each(|b| *b = u8::from(*b >= below));
        }
        kept
    }
}
