//! Files that other programs exchange with a model: tables, arrays, Keras' weights.
//!
//! Owns the writers of tables with named rows and columns (npz, Parquet, TSV, AnnData's h5ad), the
//! readers of matrices (NumPy, Parquet), Keras' HDF5 weights, and the Zarr cube of a completed
//! compendium. It knows nothing of models: it gets numbers and names.

mod cube;
mod embedding;
mod hdf5;
mod keras;
mod matrix;
mod table;

pub use cube::CubeWriter;
pub use embedding::{EmbeddingTable, read_embedding};
pub use keras::{KerasFile, KerasModel, KerasRows, KerasWeight, write_keras};
pub use matrix::{NumberMatrix, ShapeCheck, read_matrix};
pub use table::{LabelKind, Labels, TableFormat, TableShape, TableSource, write_table};
