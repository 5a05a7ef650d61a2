//! Signal files, made without Persea.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use npyz::WriterBuilder;
use persea_files::{NpzWriter, Packing};

/// Bins of each simulated chromosome of 60,010 bp; the last is 10 bp wide.
pub const CHROMOSOME_BINS: usize = 2_401;

/// Writes an `.npz` with one array.
pub fn write_npz<T: npyz::AutoSerialize>(path: &Path, values: &[T]) {
    let mut npz = NpzWriter::new(BufWriter::new(File::create(path).unwrap()));
    npz.begin("arr_0", Packing::Deflated).unwrap();
    let mut array = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[values.len() as u64])
        .writer(&mut npz)
        .begin_nd()
        .unwrap();
    array.extend(values).unwrap();
    array.finish().unwrap();
    npz.finish().unwrap();
}
