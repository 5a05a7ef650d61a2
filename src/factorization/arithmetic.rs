//! In which numbers the deep layers' matrix products are computed.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::FactorizationError;
use super::tensors::product;
use crate::model::Sizes;

/// The numbers that the deep layers' matrix products take. Weights, moments and sums are f32 in
/// either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// Single precision.
    #[default]
    F32,
    /// bfloat16 products, summed in f32 inside a product.
    Bf16,
}

/// How many times faster bfloat16 must be before it is worth its rounding.
const WORTH: f64 = 1.5;
/// The fewest units of a layer for which products, and not sweeps over memory, take the time.
const FEWEST_NODES: usize = 512;

impl Arithmetic {
    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Arithmetic::F32 => "f32",
            Arithmetic::Bf16 => "bf16",
        }
    }

    /// What this machine multiplies faster, by measuring it for about a quarter of a second.
    /// Networks that are not bound by products, and machines whose bfloat16 is not at least half
    /// as fast again, get f32.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn measured(sizes: &Sizes, device: Device) -> Result<Self, FactorizationError> {
        if sizes.layers < 2 || sizes.nodes < FEWEST_NODES {
            return Ok(Arithmetic::F32);
        }
        let (single, half) = (
            seconds(Kind::Float, sizes.nodes, device)?,
            seconds(Kind::BFloat16, sizes.nodes, device)?,
        );
        tracing::info!(
            "matrix products: {:.2} ms in f32, {:.2} ms in bf16",
            1e3 * single,
            1e3 * half
        );
        Ok(if single >= WORTH * half {
            Arithmetic::Bf16
        } else {
            Arithmetic::F32
        })
    }
}

/// Seconds of one product of the network's width, the fastest of several.
fn seconds(kind: Kind, nodes: usize, device: Device) -> Result<f64, FactorizationError> {
    let _guard = tch::no_grad_guard();
    let x = Tensor::f_ones([2_000, nodes as i64], (kind, device))?;
    let w = Tensor::f_ones([nodes as i64, nodes as i64], (kind, device))?;
    let mut fastest = f64::INFINITY;
    let began = Instant::now();
    // The first ones prepare the library and wake the threads.
    for i in 0..50 {
        let start = Instant::now();
        let product = product(&x, &w)?;
        // Reading a number waits for devices that compute behind our back.
        product.f_get(0)?.f_get(0)?.f_double_value(&[])?;
        if i > 0 {
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        if i > 1 && began.elapsed() > Duration::from_millis(120) {
            break;
        }
    }
    Ok(fastest)
}
