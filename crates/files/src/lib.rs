//! Files: reading text and tables by one rule, writing a file whole or not at all, and the one
//! error that names the file, the line and the reason.
//!
//! Every crate that touches files stands on this one. It knows nothing of genomes or signal.

mod error;
mod npz;
mod output;
mod text;
mod unfinished;

pub use error::FileError;
pub use npz::{NpzArray, NpzReader, NpzWriter, Packing};
pub use output::{Guard, OutputFile, folder, guard_outputs, says_gzip, write_text};
pub use text::{
    Lines, TEXT_BYTES, Table, check_name, fields, is_header, no_formula, open_file, open_regular,
    read_text,
};
pub use unfinished::{UnfinishedFolder, sweep_unfinished};
