//! Devices, threads and tensors on them.

use tch::{Cuda, Device, Kind, Tensor};

use crate::boundary::{Result, guarded, refuse};
use crate::interface::{BF16, CPU, Execution, F32, SliceMut};

/// Where a handle computes, checked.
#[derive(Debug, Clone, Copy)]
pub struct Compute {
    /// The device.
    pub device: Device,
    /// Whether the hidden layers' products are of bfloat16.
    pub bf16: bool,
    threads: i32,
}

fn n_devices() -> usize {
    if Cuda::is_available() {
        usize::try_from(Cuda::device_count()).unwrap_or(0)
    } else {
        0
    }
}

impl Compute {
    /// Checks what the caller asks for.
    pub fn new(of: Execution) -> Result<Self> {
        let device = match of.device {
            CPU => Device::Cpu,
            n => match usize::try_from(n) {
                Ok(n) if n < n_devices() => Device::Cuda(n),
                _ => return refuse(format!("GPU {n} is none of the {} there are", n_devices())),
            },
        };
        if ![F32, BF16].contains(&of.arithmetic) {
            return refuse(format!("{} is not arithmetic", of.arithmetic));
        }
        Ok(Compute {
            device,
            bf16: of.arithmetic == BF16,
            threads: of.threads.min(1 << 12) as i32,
        })
    }

    /// Works with the handle's number of threads, and leaves libtorch with the number it had.
    pub fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _set_back = (self.threads > 0).then(|| Threads::set(self.threads));
        work()
    }
}

/// libtorch's number of threads, set back when dropped.
struct Threads(i32);

impl Threads {
    fn set(threads: i32) -> Self {
        let before = Threads(tch::get_num_threads());
        if threads != before.0 {
            tch::set_num_threads(threads);
        }
        before
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if tch::get_num_threads() != self.0 {
            tch::set_num_threads(self.0);
        }
    }
}

/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn cuda_devices(out: SliceMut<u64>) -> i32 {
    // SAFETY: `out` is the caller's to promise.
    guarded(|| unsafe { out.write(n_devices() as u64, "the number of GPUs") })
}

impl Compute {
    /// A tensor of this shape with these numbers.
    pub fn tensor(&self, values: &[f32], shape: &[i64]) -> Result<Tensor> {
        Ok(Tensor::f_from_slice(values)?
            .f_reshape(shape)?
            .f_to(self.device)?)
    }

    /// Indices.
    pub fn indices(&self, values: &[i64]) -> Result<Tensor> {
        Ok(Tensor::f_from_slice(values)?.f_to(self.device)?)
    }
}

/// Copies all numbers of a tensor.
pub fn copy(tensor: &Tensor, out: &mut [f32]) -> Result<()> {
    let n = tensor.numel();
    if n != out.len() {
        return refuse(format!("{n} numbers do not fit into {}", out.len()));
    }
    if n > 0 {
        let here = tensor.f_detach()?.f_to(Device::Cpu)?.f_contiguous()?;
        here.f_copy_data(out, n)?;
    }
    Ok(())
}

/// A dense layer: bf16 products where asked for, sums and biases of f32.
pub fn layer(compute: &Compute, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if compute.bf16 {
        let (x, weight) = (
            x.f_to_kind(Kind::BFloat16)?,
            weight.f_to_kind(Kind::BFloat16)?,
        );
        return Ok(x.f_matmul(&weight)?.f_to_kind(Kind::Float)?.f_add(bias)?);
    }
    Ok(bias.f_addmm(x, weight)?)
}
