//! Bins in NumPy arrays: `.npy`, and `.npz` with one array for all regions or one a chromosome.

mod npy;
mod reader;
mod writer;

pub use npy::npy_header;
pub(super) use reader::ArrayReader;
pub(super) use writer::ArrayWriter;

#[cfg(test)]
pub(super) use npy::float32_header;
