//! Arrays: which one holds what, and what is refused.

use super::*;

fn axis() -> GenomeAxis {
    let toy = assembly(&[("chr1", 110), ("chr2", 50)]);
    GenomeAxis::new(toy, vec![region("chr2", 0, 2), region("chr1", 1, 2)]).unwrap()
}

#[test]
fn nan_is_a_bin_without_data_and_infinity_is_refused_with_its_bin() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.npy");
    std::fs::write(&file, npy(&[1.0, f32::NAN, -2.0, 4.0])).unwrap();
    let (bins, report) = read_bins(&path(&file), None, &axis(), Missing::Zero).unwrap();
    assert_eq!(shown(&bins), [1.0, -9_999.0, -2.0, 4.0]);
    assert_eq!(
        (report.n_nan_bins, report.n_negative_bins, report.n_records),
        (1, 1, 4)
    );
    std::fs::write(&file, npy(&[1.0, 0.0, 0.0, f32::NEG_INFINITY])).unwrap();
    let message = refusal(&path(&file), None, &axis());
    assert!(
        message.contains("a.npy: the value at chr1:51-75 is -inf"),
        "{message}"
    );
}

#[test]
fn an_array_of_another_length_says_how_many_bins_were_expected() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.npz");
    put_npz(&file, &[("signal", npy(&[0.0; 5]))]);
    let message = refusal(&path(&file), None, &axis());
    assert!(
        message.contains("the array `signal` has 5 values: expected 4, one for each 25 bp bin"),
        "{message}"
    );
    put_npz(&file, &[("chr1", npy(&[0.0; 4])), ("chr2", npy(&[0.0; 2]))]);
    let message = refusal(&path(&file), None, &axis());
    assert!(
        message.contains("`chr1` has 4 values: expected 5, one for each 25 bp bin of chr1, or 2"),
        "{message}"
    );
}

#[test]
fn an_archive_without_a_covered_chromosome_says_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.npz");
    put_npz(&file, &[("chr1", npy(&[0.0; 5])), ("3", npy(&[0.0; 2]))]);
    let message = refusal(&path(&file), None, &axis());
    assert!(message.contains("has no array `chr2`"), "{message}");
    put_npz(&file, &[("x", npy(&[0.0; 5])), ("y", npy(&[0.0; 2]))]);
    let message = refusal(&path(&file), None, &axis());
    assert!(
        message.contains("(it has x, y): expected `arr_0`"),
        "{message}"
    );
    put_npz(&file, &[]);
    let message = refusal(&path(&file), None, &axis());
    assert!(message.contains("has no array in it"), "{message}");
}

#[test]
fn a_damaged_or_foreign_archive_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.npz");
    std::fs::write(&file, b"no archive").unwrap();
    let message = refusal(&path(&file), None, &axis());
    assert!(
        message.contains("a.npz: is not a whole .npz archive"),
        "{message}"
    );
    put_npz(&file, &[("arr_0", npy(&[0.25, 1.0, 2.0, 3.0]))]);
    let good = std::fs::read(&file).unwrap();
    // Any bit of the member's data: the archive's checksum tells.
    let end = good.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    // Behind the member's name and its extra field, with the lengths of large files.
    let extra = usize::from(u16::from_le_bytes([good[28], good[29]]));
    for at in "PK.header of thirty bytes.....arr_0.npy".len() + extra..end {
        let mut bad = good.clone();
        bad[at] ^= 4;
        std::fs::write(&file, &bad).unwrap();
        assert!(
            read_bins(&path(&file), None, &axis(), Missing::Zero).is_err(),
            "byte {at}"
        );
    }
    for n in 0..good.len() {
        std::fs::write(&file, &good[..n]).unwrap();
        assert!(
            read_bins(&path(&file), None, &axis(), Missing::Zero).is_err(),
            "{n} bytes"
        );
    }
}

#[test]
fn the_pilot_s_own_arrays_are_read_as_they_are() {
    let (Some(track), Some(bed)) = (
        shared("pilot/tracks/E003.H3K4me3.pilot.arcsinh.npz"),
        shared("pilot/pilot_regions.hg19.bed"),
    ) else {
        return;
    };
    let axis = GenomeAxis::from_bed(Assembly::by_name("hg19").unwrap(), &bed).unwrap();
    let (bins, report) = read_bins(&path(track), None, &axis, Missing::Zero).unwrap();
    assert_eq!(bins.len(), 1_126_469);
    assert_eq!((report.n_nan_bins, report.n_records), (0, 1_126_469));
    // numpy: float(a.sum(dtype='f8')), a[1000], a[-1]
    let sum: f64 = bins.iter().map(|v| f64::from(*v)).sum();
    assert!((sum - PILOT_SUM).abs() < 1e-3, "{sum}");
    assert_eq!((bins[1_000], bins[1_126_468]), PILOT_BINS);
}

// python3 -c "import numpy as np; a = np.load('E003.H3K4me3.pilot.arcsinh.npz')['arr_0'];
//   print(float(a.sum(dtype='f8')), repr(a[1000]), repr(a[-1]))"
const PILOT_SUM: f64 = 307_507.599_647_483_9;
const PILOT_BINS: (f32, f32) = (0.088_106_77, 0.082_267_17);
