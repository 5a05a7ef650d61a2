//! Signal files, read without Persea, and tracks as they are stored.

use std::path::Path;

use persea_files::NpzReader;

/// The length of each simulated chromosome.
pub const CHROMOSOME_BP: u32 = 60_010;

/// The signal of an `.npz`.
pub fn read_npz(path: &Path) -> Vec<f32> {
    read_npz_array(path, "arr_0")
}

/// An array of an `.npz`.
pub fn read_npz_array(path: &Path, name: &str) -> Vec<f32> {
    let mut npz = NpzReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let array = npz.array(name).unwrap();
    npyz::NpyFile::new(array).unwrap().into_vec().unwrap()
}

/// A chromosome of a bigWig, base by base; NaN where it has no value.
pub fn read_bigwig(path: &Path, chrom: &str) -> Vec<f32> {
    let mut file = bigtools::BigWigRead::open_file(path).unwrap();
    let chroms: Vec<(String, u32)> = (file.chroms().iter())
        .map(|c| (c.name.clone(), c.length))
        .collect();
    assert_eq!(
        chroms,
        [
            ("chr1".into(), CHROMOSOME_BP),
            ("chr2".into(), CHROMOSOME_BP)
        ],
        "every chromosome of the assembly belongs in the header"
    );
    let mut bases = vec![f32::NAN; CHROMOSOME_BP as usize];
    for value in file.get_interval(chrom, 0, CHROMOSOME_BP).unwrap() {
        let value = value.unwrap();
        bases[value.start as usize..value.end as usize].fill(value.value);
    }
    bases
}

/// A chromosome of a bedGraph, base by base; NaN where it has no value.
pub fn read_bedgraph(path: &Path, chrom: &str) -> Vec<f32> {
    let mut bases = vec![f32::NAN; CHROMOSOME_BP as usize];
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, start, end, value] = fields.as_slice() else {
            panic!("{line}");
        };
        if *name == chrom {
            bases[start.parse().unwrap()..end.parse().unwrap()].fill(value.parse().unwrap());
        }
    }
    bases
}

/// The value of each bin; all of its bases must share it.
pub fn bins(bases: &[f32]) -> Vec<f32> {
    let bin = |bin: &[f32]| {
        assert!(bin.iter().all(|v| v.to_bits() == bin[0].to_bits()));
        bin[0]
    };
    bases.chunks(25).map(bin).collect()
}

/// The mean over all bins of (a − b)².
pub fn mse(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

/// A track as it is stored: arcsinh of the mean signal.
pub fn stored(database: &Path, biosample: &str, assay: &str) -> Vec<f32> {
    let database = persea::store::Database::open(database).unwrap();
    let track = database.track(biosample, assay).unwrap().unwrap();
    let signal = database.signal(&track).unwrap();
    let mut values = vec![0.0; signal.n_bins() as usize];
    signal.read(0..signal.n_bins(), &mut values).unwrap();
    values
}
