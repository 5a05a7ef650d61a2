//! Which code trains a network, where, and in which numbers.

use persea_vocabulary::vocabulary;

use super::NnError;
use crate::instructions::Instructions;

vocabulary! {
    /// Which code trains a network.
    ///
    /// [`Backend::Auto`] is a rule, never a measurement, because a machine's speed must not decide a
    /// model.
    pub enum Backend = Auto {
        /// Native on a CPU, torch on CUDA
        Auto = "auto",
        /// Persea's own code, for CPUs
        Native = "native",
        /// libtorch, for CPUs and CUDA
        ///
        /// Its library is loaded when a network is made.
        Torch = "torch",
    }
}

impl Backend {
    /// The backend that trains on a device: never [`Backend::Auto`].
    #[must_use]
    pub const fn on(self, device: Device) -> Self {
        match (self, device) {
            (Backend::Auto, Device::Cpu) => Backend::Native,
            (Backend::Auto, Device::Cuda(_)) => Backend::Torch,
            (chosen, _) => chosen,
        }
    }
}

/// Where a network is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU, counted from 0.
    Cuda(usize),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl std::str::FromStr for Device {
    type Err = NnError;

    /// Reads `cpu`, `cuda` or `cuda:N`. Whether there is such a GPU shows when a network is made.
    ///
    /// # Errors
    /// When the text is none of these.
    fn from_str(text: &str) -> Result<Self, NnError> {
        let index = match text {
            "cpu" => return Ok(Device::Cpu),
            "cuda" => Some(0),
            other => other.strip_prefix("cuda:").and_then(|n| n.parse().ok()),
        };
        index
            .map(Device::Cuda)
            .ok_or_else(|| NnError::UnknownDevice {
                text: text.to_string(),
            })
    }
}

vocabulary! {
    /// The numbers that the products of hidden layers after the first take. Weights, moments and sums
    /// are f32 in either case.
    pub enum Arithmetic = F32 {
        /// Single precision
        F32 = "f32" | "auto",
        /// bfloat16 products, with the torch backend; weights, moments and sums remain f32
        Bf16 = "bf16",
    }
}

/// Refuses what a backend cannot do on a device. `backend` is what [`Backend::on`] gave.
///
/// # Errors
/// [`NnError::Unsupported`], naming what would do.
pub fn check_backend(
    backend: Backend,
    device: Device,
    arithmetic: Arithmetic,
) -> Result<(), NnError> {
    let refuse = |why: String| Err(NnError::Unsupported { why });
    if let (Backend::Torch, Some(pinned)) = (backend.on(device), Instructions::pinned()) {
        return refuse(format!(
            "the instructions are pinned to {pinned}, which libtorch knows nothing of: choose the backend native, or \
             pin nothing"
        ));
    }
    match (backend.on(device), device, arithmetic) {
        (Backend::Native, Device::Cuda(_), _) => refuse(format!(
            "the native backend trains on CPUs only: choose the backend torch for {device}"
        )),
        (Backend::Native, _, Arithmetic::Bf16) => refuse(
            "the native backend multiplies in f32 only: choose the backend torch for bf16".into(),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_native_on_a_cpu_and_torch_on_cuda() {
        assert_eq!(Backend::Auto.on(Device::Cpu), Backend::Native);
        assert_eq!(Backend::Auto.on(Device::Cuda(1)), Backend::Torch);
        assert_eq!(Backend::Torch.on(Device::Cpu), Backend::Torch);
    }

    #[test]
    fn a_device_is_read_as_it_is_written() {
        for device in [Device::Cpu, Device::Cuda(0), Device::Cuda(3)] {
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
        }
        assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
        for bad in ["gpu", "cuda:", "cuda:-1", ""] {
            let message = bad.parse::<Device>().unwrap_err().to_string();
            assert!(message.contains("cuda:N"), "{message}");
        }
    }

    #[test]
    fn what_the_native_backend_cannot_do_is_refused_with_the_remedy() {
        let message = |device, arithmetic| {
            let result = check_backend(Backend::Native, device, arithmetic);
            result.unwrap_err().to_string()
        };
        assert!(message(Device::Cuda(0), Arithmetic::F32).contains("torch for cuda:0"));
        assert!(message(Device::Cpu, Arithmetic::Bf16).contains("torch for bf16"));
        let by_torch = check_backend(Backend::Torch, Device::Cpu, Arithmetic::Bf16);
        assert!(by_torch.is_ok());
        let auto = check_backend(Backend::Auto, Device::Cpu, Arithmetic::Bf16);
        assert!(auto.is_err());
    }
}
