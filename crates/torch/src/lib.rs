//! Persea's training on libtorch: a small C interface over `tch`.
//!
//! The program loads this library when a torch backend is asked for, so that nothing else pays for
//! libtorch. What the functions do is written in `interface`, which the program compiles too.

mod boundary;
mod encoder;
mod execution;
mod factorization;
mod feed_forward;
// The program's own file: both sides are compiled from one text.
#[path = "../../../src/nn/torch/interface.rs"]
#[allow(dead_code)] // what only the caller uses
mod interface;
mod network;
mod parameters;
#[cfg(test)]
mod tests;

use std::ffi::c_char;

use interface::Interface;

/// The version of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn persea_torch_version() -> u32 {
    interface::VERSION
}

/// The functions of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn persea_torch_interface() -> *const Interface {
    &INTERFACE
}

static INTERFACE: Interface = Interface {
    built_for,
    error: boundary::error,
    cuda_devices: execution::cuda_devices,
    factor_new: network::factor_new,
    feed_forward_new: network::feed_forward_new,
    encoder_new: network::encoder_new,
    free: network::free,
    factor_back: network::factor_back,
    feed_forward_back: network::feed_forward_back,
    encoder_back: network::encoder_back,
    read: network::read,
    set_moments: network::set_moments,
    squared_norm: network::squared_norm,
    scale_gradients: network::scale_gradients,
    apply: network::apply,
};

/// # Safety
/// Arguments are as the interface says.
unsafe extern "C" fn built_for() -> *const c_char {
    interface::LIBTORCH.as_ptr()
}
