//! The torch side of the seam.

use super::seam::{DenseSpec, FactorNetwork, FactorSpec, FeedForward};
use super::{Device, NnError};

fn missing() -> NnError {
    NnError::Library("this build has no torch backend: choose the backend native".into())
}

/// A factorisation's network on libtorch.
///
/// # Errors
/// When the library cannot be loaded, or libtorch reports an error.
pub(super) fn factor_network(
    _spec: &FactorSpec,
    _parameters: &[f32],
    _device: Device,
) -> Result<Box<dyn FactorNetwork>, NnError> {
    Err(missing())
}

/// A feed-forward network on libtorch.
///
/// # Errors
/// As [`factor_network`].
pub(super) fn feed_forward(
    _spec: &DenseSpec,
    _parameters: &[f32],
    _device: Device,
) -> Result<Box<dyn FeedForward>, NnError> {
    Err(missing())
}
