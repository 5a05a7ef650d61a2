//! Signal files, made without Persea.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::NpzWriter;

/// Bins of each simulated chromosome of 60,010 bp; the last is 10 bp wide.
pub const CHROMOSOME_BINS: usize = 2_401;

/// Writes an `.npz` with one array.
pub fn write_npz<T: npyz::AutoSerialize>(path: &Path, values: &[T]) {
    let mut npz = NpzWriter::new(BufWriter::new(File::create(path).unwrap()));
    let mut array = npz
        .array("arr_0", Default::default())
        .unwrap()
        .default_dtype()
        .shape(&[values.len() as u64])
        .begin_nd()
        .unwrap();
    array.extend(values).unwrap();
    array.finish().unwrap();
    npz.zip_writer().flush().unwrap();
}
