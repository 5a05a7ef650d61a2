//! The native side of the seam: networks trained by this crate's own kernels, on CPUs.
//!
//! One dense layer, forward and back ([`Dense`]), serves every layer of every network. The last
//! layer, of one output, is taken forward, through the loss and back in one sweep ([`head`]). A batch
//! goes through the layers in chunks of samples whose buffers are kept from step to step. Where the
//! weights are few, each thread takes whole chunks, and gradients are summed chunk by chunk in their
//! order; where they are many, all threads share each product. Which of both depends on sizes alone,
//! so that a model does not depend on the number of threads.

mod dense;
mod dense_net;
mod encoder_net;
mod factor_net;
mod factor_step;
mod head;
mod parameters;
mod stack;
mod sum_of_parts;
#[cfg(test)]
mod tests;

pub(crate) use dense::{Activation, Dense};
pub(super) use dense_net::DenseNet;
pub(super) use encoder_net::EncoderNet;
pub(super) use factor_net::FactorNet;
