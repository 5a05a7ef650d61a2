//! Tracks that are stored as counts of a step.

use super::*;
use crate::store::ValueType;
use crate::store::test_support::{read_track, toy_database};

fn ingested(db: &Database, folder: &tempfile::TempDir, values: Option<ValueType>) -> IngestReport {
    let options = IngestOptions {
        values,
        ..IngestOptions::default()
    };
    ingest(db, &read(folder).unwrap(), &options).unwrap()
}

const U16: ValueType = ValueType::U16(crate::store::Step::ONE_IN_512);

#[test]
fn a_track_is_stored_to_half_a_step_and_stays_so_until_the_user_says_otherwise() {
    let folder = folder_with("biosample assay path\nE001 x a.npy\nE002 x b.npy\n");
    let (_keep, db) = toy_database();
    let values = || ["E001", "E002"].map(|b| db.track(b, "x").unwrap().unwrap().values);
    assert_eq!(ingested(&db, &folder, Some(U16)).ingested.len(), 2);
    assert_eq!(values(), [U16; 2]);
    let exact = asinh(&ramp(0));
    let stored = read_track(&db, "E001", "x");
    let differences = stored.iter().zip(&exact).map(|(a, b)| (a - b).abs());
    let greatest = differences.fold(0.0, f32::max);
    assert!(greatest > 0.0 && greatest <= 1.0 / 1024.0, "{greatest}");
    // Zero is the first value of the ramp.
    assert_eq!((exact[0], stored[0].to_bits()), (0.0, 0));
    let track = db.track("E001", "x").unwrap().unwrap();
    let mean = stored.iter().map(|v| f64::from(*v)).sum::<f64>() / 200.0;
    assert!((track.mean - mean).abs() < 1e-12);
    assert_eq!(db.check().unwrap(), []);

    // Neither option nor file has changed; then the file of one.
    assert_eq!(ingested(&db, &folder, Some(U16)).skipped.len(), 2);
    assert_eq!(ingested(&db, &folder, None).skipped.len(), 2);
    write_npy(&folder.path().join("b.npy"), &ramp(7));
    let report = ingested(&db, &folder, None);
    assert_eq!((report.skipped.len(), report.replaced.len()), (1, 1));
    assert_eq!(values(), [U16; 2]);

    // Another step, and none.
    let fine = ValueType::U16("1/1024".parse().unwrap());
    for other in [fine, ValueType::F32] {
        let report = ingested(&db, &folder, Some(other));
        assert_eq!(report.replaced.len(), 2);
        assert_eq!(values(), [other; 2]);
    }
    assert_eq!(read_track(&db, "E001", "x"), exact);
    assert_eq!(db.check().unwrap(), []);
}

#[test]
fn a_track_with_values_out_of_range_is_stored_as_f32_with_a_warning_and_is_not_read_again() {
    let folder =
        folder_with("biosample assay path transform\nE001 x a.npy none\nE002 x b.npy none\n");
    let mut values = ramp(0);
    (values[150], values[151]) = (112.5, f32::NAN);
    write_npy(&folder.path().join("a.npy"), &values);
    let (_keep, db) = toy_database();
    let seen = std::sync::Mutex::new(0);
    let count = |event: IngestEvent<'_>| {
        if let IngestEvent::Bins { n } = event {
            *seen.lock().unwrap() += n;
        }
    };
    let options = IngestOptions {
        values: Some(U16),
        progress: Some(&count),
        ..IngestOptions::default()
    };
    let report = ingest(&db, &read(&folder).unwrap(), &options).unwrap();
    assert_eq!(names(&report.ingested), ["E001 x", "E002 x"]);
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    // Axis bin 150 is the eleventh of the third region, which begins at bin 10 of chr1.
    let warned = &report.warnings[0];
    for said in [
        "E001 x: stored as f32",
        "chr1:501-525",
        "is 112.5",
        "-16 to 111.99609375",
    ] {
        assert!(warned.contains(said), "{said}: {warned}");
    }
    let stored = read_track(&db, "E001", "x");
    assert_eq!(stored[150], 112.5);
    assert!(stored[151].is_nan());
    assert_eq!(*seen.lock().unwrap(), 400);
    let of = |b: &str| db.track(b, "x").unwrap().unwrap().values.to_string();
    assert_eq!(
        (of("E001"), of("E002")),
        ("f32 (beyond u16 1/512)".into(), "u16 1/512".into())
    );
    for values in [Some(U16), None] {
        assert_eq!(ingested(&db, &folder, values).skipped.len(), 2);
    }
    // A file that fits is stored as was asked for.
    write_npy(&folder.path().join("a.npy"), &ramp(3));
    assert_eq!(ingested(&db, &folder, None).replaced.len(), 1);
    assert_eq!(of("E001"), "u16 1/512");
    // With a longer step the other one fits as well.
    write_npy(&folder.path().join("a.npy"), &values);
    let long = ValueType::U16("1/256".parse().unwrap());
    assert_eq!(ingested(&db, &folder, Some(long)).replaced.len(), 2);
    assert_eq!(of("E001"), "u16 1/256");
    assert_eq!(db.check().unwrap(), []);
}
