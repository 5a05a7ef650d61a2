//! Manifests, ingest, metadata and averages on small databases.

mod about;
mod ingest;
mod manifest;
mod normalise;
mod real_data;
mod values;

use std::fs;
use std::path::Path;

use super::*;
use crate::store::Database;

/// Writes float32 `.npy`: the concatenated bins.
fn write_npy(path: &Path, values: &[f32]) {
    let header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}",
        values.len()
    );
    let padded = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded.len() as u16).to_le_bytes());
    bytes.extend(padded.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn ramp(seed: u32) -> Vec<f32> {
    (0..200)
        .map(|i| ((i * 7 + seed * 13) % 50) as f32 / 10.0)
        .collect()
}

/// A folder with a manifest of the given lines and `a.npy`, `b.npy`, `c.npy`.
fn folder_with(manifest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        write_npy(&folder.path().join(format!("{name}.npy")), &ramp(i as u32));
    }
    fs::write(folder.path().join("m.tsv"), manifest.replace(' ', "\t")).unwrap();
    folder
}

fn read(folder: &tempfile::TempDir) -> Result<Manifest, CompendiumError> {
    Manifest::read(&folder.path().join("m.tsv"), &ColumnMap::default())
}

fn run(db: &Database, folder: &tempfile::TempDir) -> IngestReport {
    ingest(db, &read(folder).unwrap(), &IngestOptions::default()).unwrap()
}

fn names(experiments: &[Experiment]) -> Vec<String> {
    experiments.iter().map(Experiment::to_string).collect()
}

fn asinh(values: &[f32]) -> Vec<f32> {
    values
        .iter()
        .map(|v| f64::from(*v).asinh() as f32)
        .collect()
}
