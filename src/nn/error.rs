//! What can go wrong with a network.

/// Errors of the module `nn`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A text that names no device.
    #[error("`{text}` is not a device; use cpu, cuda or cuda:N")]
    UnknownDevice {
        /// The text.
        text: String,
    },
    /// A backend that does not train on that device, or not in that arithmetic.
    #[error("{why}")]
    Unsupported {
        /// What the backend cannot do, and which one can.
        why: String,
    },
    /// A device that this machine, or its libtorch, does not have.
    #[error("{why}")]
    NoDevice {
        /// Which, and what there is.
        why: String,
    },
    /// Numbers that do not fit the network's shapes.
    #[error("{what}: {found} numbers, the network needs {expected}")]
    Shape {
        /// What the numbers are.
        what: &'static str,
        /// How many were given.
        found: usize,
        /// How many fit.
        expected: usize,
    },
    /// The torch backend's library is missing, or cannot be used.
    #[error("{message}")]
    Library {
        /// What is wrong.
        problem: LibraryProblem,
        /// Where, and what to do.
        message: String,
    },
    /// libtorch reported an error.
    #[error("libtorch: {0}")]
    Torch(String),
}

/// What is wrong with the torch backend's library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LibraryProblem {
    /// The program was built without the backend.
    NotBuilt,
    /// The library, or libtorch, is not where it is looked for.
    Missing,
    /// The library, or libtorch, is of another version than this one.
    Version,
    /// The system cannot load it.
    Load,
}

impl NnError {
    pub(super) fn library(problem: LibraryProblem, message: impl Into<String>) -> Self {
        NnError::Library {
            problem,
            message: message.into(),
        }
    }
}
