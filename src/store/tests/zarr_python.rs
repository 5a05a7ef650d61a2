//! `signal.zarr` opens in Python's zarr as it is.

use std::process::Command;

use super::super::test_support::*;

#[test]
fn pythons_zarr_reads_the_same_values_and_attributes() {
    let python = std::env::var("PERSEA_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_zarr = Command::new(&python)
        .args([
            "-c",
            "import zarr; assert int(zarr.__version__.split('.')[0]) >= 3",
        ])
        .output();
    if !has_zarr.is_ok_and(|o| o.status.success()) {
        let why = format!("{python} has no zarr 3 (PERSEA_PYTHON names another)");
        crate::skipped::skipped("python", why);
        return;
    }
    let (_folder, db) = toy_database();
    let values: Vec<f32> = (0..200).map(|i| (i % 11) as f32 / 4.0 - 1.0).collect();
    store_track(&db, "E003", "H3K4me1", &values);
    store_track(&db, "E017", "H3K4me3", &[0.0; 200]);
    let mut track = toy_track("E116", "DNase");
    track.values = crate::store::ValueType::U16(Default::default());
    let mut writer = db.begin_track(track).unwrap();
    let counted: Vec<f32> = (0..200)
        .map(|i| {
            if i % 7 == 6 {
                f32::NAN
            } else {
                (i % 7) as f32 / 4.0 - 1.0
            }
        })
        .collect();
    writer.write(0, &counted).unwrap();
    writer.commit().unwrap();
    let script = r#"
import sys, warnings, zarr
# Python's zarr warns of each codec that is not in the specification.
warnings.filterwarnings("ignore", message=".*Numcodecs codecs are not in the Zarr version 3.*")
root = zarr.open_group(sys.argv[1], mode="r")
assert root.attrs["assembly"] == "toy" and root.attrs["bin_bp"] == 25
regions = root.attrs["regions"]
assert [r["first_bin"] for r in regions] == [0, 40, 140], regions
assert regions[1] == {"name": "B", "chrom": "chr1", "start": 5000, "end": 7500,
                      "first_bin": 40, "n_bins": 100}, regions[1]
assert regions[0]["end"] == 990
arrays = {a.attrs["biosample"]: a for _, a in root.arrays()}
a = arrays["E003"]
assert a.dtype == "float32" and a.shape == (200,), a
assert a.metadata.dimension_names == ("bin",)
assert dict(a.attrs) == {"biosample": "E003", "assay": "H3K4me1", "transform": "arcsinh",
                         "unit": "fold change"}, dict(a.attrs)
assert a[:].tolist() == [(i % 11) / 4 - 1 for i in range(200)]
assert a[57:60].tolist() == [(i % 11) / 4 - 1 for i in range(57, 60)]
assert arrays["E017"][:].tolist() == [0.0] * 200
c = arrays["E116"]
assert c.dtype == "uint16", c
codes, missing = c[:], c.attrs["_FillValue"]
decoded = codes * c.attrs["scale_factor"] + c.attrs["add_offset"]
assert [None if code == missing else value for code, value in zip(codes.tolist(), decoded.tolist())] == [
    None if i % 7 == 6 else (i % 7) / 4 - 1 for i in range(200)]
print("agreed")
"#;
    let output = Command::new(&python)
        .args(["-W", "error", "-c", script])
        .arg(db.path().join("signal.zarr"))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.contains("agreed"), "{err}");
}
