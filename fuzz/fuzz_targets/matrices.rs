//! Matrices, embeddings and Keras files of every format; the first byte chooses which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use persea_fuzz::setting;
use persea_tables::{KerasFile, read_embedding, read_matrix};

const NAMES: [&str; 8] = [
    "x.npz",
    "x.npy",
    "x.parquet",
    "x.h5",
    "x.tsv",
    "x.csv",
    "x.bed",
    "x.npz",
];

fuzz_target!(|data: &[u8]| {
    let setting = setting();
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let path = setting.file(NAMES[usize::from(choice % 8)], bytes);
    match choice / 8 % 3 {
        0 => {
            if let Ok(matrix) = read_matrix(&path, &|_, _| Ok(())) {
                assert_eq!(matrix.values.len(), matrix.n_rows * matrix.n_columns);
            }
        }
        1 => {
            if let Ok(table) = read_embedding(&path, None, None) {
                let n_rows = table.values.len() / table.n_columns.max(1);
                assert!(table.windows.is_empty() || table.windows.len() == n_rows);
            }
        }
        _ => drop(KerasFile::open(&path)),
    }
});
