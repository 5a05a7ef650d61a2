//! What the module promises as a whole, tested across formats.

use std::path::{Path, PathBuf};

use super::array::float32_header;
use super::{Format, FormatError, Location, Missing, ReadOptions, ReadReport, open_signal};
use persea_genome::{Assembly, GenomeAxis, Region};

mod arrays;
mod bad_input;
mod foreign;
mod golden;
mod remote;
mod same_bins;
mod writers;

/// Reads a file's bins and checks what a reader promises of its pieces.
fn read_bins(
    location: &Location,
    format: Option<Format>,
    axis: &GenomeAxis,
    missing: Missing,
) -> Result<(Vec<f32>, ReadReport), FormatError> {
    let mut bins = vec![0.0; axis.n_bins() as usize];
    let mut came = vec![false; bins.len()];
    let mut last = None;
    let mut sink = |start: u64, values: &[f32]| {
        let region = axis.locate(start).region;
        let end = start + values.len() as u64;
        assert!(!values.is_empty() && values.len() <= 65_536);
        assert!(
            end <= axis.region_bins(region).end,
            "a piece crosses a region"
        );
        assert!(
            last.is_none_or(|(r, e)| r != region || e <= start),
            "pieces go back"
        );
        last = Some((region, end));
        let range = start as usize..end as usize;
        assert!(came[range.clone()].iter().all(|c| !c), "a bin comes twice");
        came[range.clone()].fill(true);
        bins[range].copy_from_slice(values);
        Ok(())
    };
    let report = open_signal(location, format)?.read(axis, &ReadOptions { missing }, &mut sink)?;
    assert!(came.iter().all(|c| *c), "a bin never comes");
    Ok((bins, report))
}

/// Values as numbers to compare, a bin without data as -9999.
fn shown(values: &[f32]) -> Vec<f32> {
    let number = |v: &f32| if v.is_nan() { -9_999.0 } else { *v };
    values.iter().map(number).collect()
}

/// The message with which a file is refused.
fn refusal(location: &Location, format: Option<Format>, axis: &GenomeAxis) -> String {
    match read_bins(location, format, axis, Missing::Zero) {
        Ok(_) => panic!("{location} was read"),
        Err(error) => error.to_string(),
    }
}

fn assembly(chromosomes: &[(&str, u64)]) -> Assembly {
    let list: Vec<(String, u64)> = chromosomes
        .iter()
        .map(|(n, l)| (n.to_string(), *l))
        .collect();
    Assembly::from_chromosomes("toy", &list).unwrap()
}

fn region(chrom: &str, first_bin: u64, n_bins: u64) -> Region {
    Region {
        name: None,
        chrom: chrom.into(),
        first_bin,
        n_bins,
    }
}

fn path(path: impl AsRef<Path>) -> Location {
    Location::Path(path.as_ref().to_path_buf())
}

/// A float32 array as a `.npy` file.
fn npy(values: &[f32]) -> Vec<u8> {
    let mut bytes = float32_header(values.len() as u64);
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// An archive of arrays.
fn put_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    use std::io::Write;
    let mut npz = persea_files::NpzWriter::new(std::fs::File::create(path).unwrap());
    for (key, bytes) in arrays {
        npz.begin(key, persea_files::Packing::Deflated).unwrap();
        npz.write_all(bytes).unwrap();
    }
    npz.finish().unwrap();
}

/// A file of the shared real data; `None`, said so, where it is absent.
pub(super) fn shared(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = data.join(name);
    if file.exists() {
        return Some(file);
    }
    crate::skipped::skipped("data", format!("{} is not there", file.display()));
    None
}
