//! The numbers of libtorch's tensors as slices, and products of them.

use tch::{Device, Kind, Tensor};

use super::FactorizationError;
use crate::model::product::{Matrix, Threads, multiply};

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

/// A matrix product: of f32 in this process' memory by [`crate::model::product`], anything else by
/// libtorch.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn product(a: &Tensor, b: &Tensor) -> Result<Tensor, FactorizationError> {
    if !is_ours(a) || !is_ours(b) {
        return Ok(a.f_matmul(b)?);
    }
    let size = [a.size()[0], b.size()[1]];
    let mut out = Tensor::f_empty(size, (Kind::Float, Device::Cpu))?;
    let (a, b) = (Laid::new(a)?, Laid::new(b)?);
    multiply(
        floats_mut(&mut out),
        a.matrix(),
        b.matrix(),
        false,
        Threads::All,
    );
    Ok(out)
}

fn is_ours(tensor: &Tensor) -> bool {
    tensor.kind() == Kind::Float && tensor.device() == Device::Cpu
}

/// A matrix whose memory is row-major as it is or once transposed.
struct Laid {
    tensor: Tensor,
    transposed: bool,
}

impl Laid {
    fn new(tensor: &Tensor) -> Result<Self, FactorizationError> {
        let transpose = tensor.f_tr()?;
        Ok(match (tensor.is_contiguous(), transpose.is_contiguous()) {
            (false, true) => Laid {
                tensor: transpose,
                transposed: true,
            },
            _ => Laid {
                tensor: tensor.f_contiguous()?,
                transposed: false,
            },
        })
    }

    fn matrix(&self) -> Matrix<'_> {
        let matrix = Matrix::new(floats(&self.tensor), self.tensor.size()[1] as usize);
        match self.transposed {
            true => matrix.t(),
            false => matrix,
        }
    }
}
