//! Files: opening text, writing a file whole or not at all, and the one error that names the file,
//! the line and the reason.
//!
//! Every crate that touches files stands on this one. It knows no format.

mod aside;
mod error;
mod text;

pub use aside::{AsideFile, folder, write_text};
pub use error::FileError;
pub use text::open_text;
