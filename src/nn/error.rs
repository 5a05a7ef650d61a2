//! What can go wrong with a network.

/// Errors of the nn room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A backend, device or arithmetic that cannot be had.
    #[error("{0}")]
    Options(String),
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
    #[error("{0}")]
    Library(String),
    /// libtorch reported an error.
    #[error("libtorch: {0}")]
    Torch(String),
}
