//! Models of the original Avocado (Schreiber et al. 2020), in and out: `NAME.json` with the names and
//! sizes, `NAME.h5` with the weights that Keras saved.
//!
//! The original knows no coordinates. A pair of files has one genome axis of `n_genomic_positions`
//! bins, counted from 0, with `int(n / 10) + 1` rows at 250 bp and `int(n / 200) + 1` at 5 kbp. Trained
//! on a whole chromosome from bin 0 this is our own axis: bin / 10 and bin / 200. Where n is a multiple
//! of 10 (of 200) the last coarse row is one that no bin uses: it is kept beside the model as a
//! padding row, so that an export gives back what an import was given. A pair of files a chromosome,
//! all with one network, is one model here.

mod export;
mod import;
mod keras_config;
mod parameters_file;

pub use export::{ExportedAvocado, export_avocado};
pub use import::{AvocadoPart, ImportOptions, import_avocado};

use crate::genome::Resolution;

/// The layer of an axis' factors.
fn embedding_layer(axis: &str) -> String {
    format!("{axis}_embedding")
}

/// The layer of a scale's factors.
fn genome_layer(scale: Resolution) -> String {
    embedding_layer(&format!("genome_{scale}"))
}

/// The tensor of a scale's padding row.
fn padding_tensor(scale: Resolution) -> String {
    format!("genome_{scale}_padding")
}

/// Rows that the original has at a scale for so many positions.
fn original_rows(scale: Resolution, positions: u64) -> u64 {
    match scale {
        Resolution::Bp25 => positions,
        coarse => positions / coarse.bins() + 1,
    }
}

#[cfg(test)]
mod tests;
