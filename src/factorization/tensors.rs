//! The numbers of libtorch's tensors as slices.

use tch::{Device, Kind, Tensor};

/// The numbers of a contiguous f32 tensor on the CPU.
pub(super) fn floats(tensor: &Tensor) -> &[f32] {
    assert!(
        tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous()
    );
    // SAFETY: contiguous f32 in this process' memory (asserted), alive as long as the tensor is borrowed.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// The same, to be written; the tensor must be the only one of its storage.
pub(super) fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(
        tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous()
    );
    // SAFETY: as above; the tensor was made for this and is borrowed mutably.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}
