//! The torch side of the seam: libtorch by autograd, on CPUs and CUDA.
//!
//! libtorch stays out of the program. Everything that needs it is `libpersea_torch` (`crates/torch`),
//! a library with a small C interface (`interface.rs`), which is found and loaded when the first
//! network is made (`library.rs`).

#[cfg(all(feature = "torch", unix))]
mod find;
#[cfg(all(feature = "torch", unix))]
mod interface;
#[cfg(all(feature = "torch", unix))]
mod library;
#[cfg(all(feature = "torch", unix))]
mod network;
#[cfg(all(test, feature = "torch", unix))]
mod tests;

#[cfg(all(feature = "torch", unix))]
pub(super) use network::{encoder_network, factor_network, feed_forward};

#[cfg(not(all(feature = "torch", unix)))]
pub(super) use without::{encoder_network, factor_network, feed_forward};

#[cfg(not(all(feature = "torch", unix)))]
mod without {
    use crate::nn::seam::{
        DenseSpec, EncoderNetwork, EncoderSpec, FactorNetwork, FactorSpec, FeedForward,
    };
    use crate::nn::{Device, LibraryProblem, NnError};

    fn missing() -> NnError {
        NnError::library(
            LibraryProblem::NotBuilt,
            "this program was built without the torch backend: choose the backend native",
        )
    }

    /// # Errors
    /// Always.
    pub fn factor_network(
        _spec: &FactorSpec,
        _parameters: &[f32],
        _device: Device,
    ) -> Result<Box<dyn FactorNetwork>, NnError> {
        Err(missing())
    }

    /// # Errors
    /// Always.
    pub fn encoder_network(
        _spec: &EncoderSpec,
        _parameters: &[f32],
        _device: Device,
    ) -> Result<Box<dyn EncoderNetwork>, NnError> {
        Err(missing())
    }

    /// # Errors
    /// Always.
    pub fn feed_forward(
        _spec: &DenseSpec,
        _parameters: &[f32],
        _device: Device,
    ) -> Result<Box<dyn FeedForward>, NnError> {
        Err(missing())
    }
}
