//! Storing, reading, replacing, renaming and removing tracks.

use std::fs;

use serde_json::{Map, Value, json};

use super::super::test_support::*;
use super::super::{Database, StoreError, Transform};
use crate::formats::Missing;

#[test]
fn a_track_comes_back_with_what_is_known_of_it() {
    let (_folder, db) = toy_database();
    let values: Vec<f32> = (0..200).map(|i| (i as f32 - 10.0) / 10.0).collect();
    let mut writer = db.begin_track(toy_track("E003", "H3K4me1")).unwrap();
    writer.write(140, &values[140..]).unwrap();
    assert!(db.track("E003", "H3K4me1").unwrap().is_none());
    writer.write(0, &values[..100]).unwrap();
    writer.write(100, &values[100..140]).unwrap();
    let track = writer.commit().unwrap();
    assert_eq!(db.track("E003", "H3K4me1").unwrap().unwrap(), track);
    assert_eq!(db.tracks().unwrap(), std::slice::from_ref(&track));
    assert_eq!(track.location, "E003.H3K4me1.bw");
    assert_eq!(track.checksum, "checksum of E003 H3K4me1");
    assert_eq!(
        (track.bytes, track.modified),
        (100, Some(1_700_000_000_000_000_000))
    );
    assert_eq!(
        (track.transform, track.multiplier),
        (Transform::Arcsinh, 2.0)
    );
    assert_eq!(track.unit.as_deref(), Some("fold change"));
    assert_eq!((track.missing, track.n_nan_bins), (Missing::Nan, 0));
    assert_eq!(track.covered_bins, Some(200));
    assert!(db.coverage(&track).unwrap().is_complete());
    assert_eq!(track.n_negative_bins, 10);
    // −1.0, −0.9, …, 18.9: mean 8.95, variance (200² − 1) / 12 / 100.
    assert!((track.mean - 8.95).abs() < 1e-6);
    assert!((track.variance - 39_999.0 / 1_200.0).abs() < 1e-5);
    assert!((track.maximum - 18.9).abs() < 1e-5);
    assert!(track.array.starts_with(&format!("track_{}_", track.id)));
    assert_eq!(read_track(&db, "E003", "H3K4me1"), values);

    let signal = db.signal(&track).unwrap();
    let mut some = [0.0; 3];
    signal.read(99..102, &mut some).unwrap();
    assert_eq!(some, values[99..102]);
    for (bins, length) in [(199..201, 2), (0..2, 3), (5..5, 1)] {
        let mut out = vec![0.0; length];
        let error = signal.read(bins, &mut out).unwrap_err().to_string();
        assert!(error.contains("cannot be read into"), "{error}");
    }
    let backwards = std::ops::Range { start: 5, end: 4 };
    signal.read(backwards, &mut []).unwrap_err();
    signal.read(200..200, &mut []).unwrap();
}

#[test]
fn bins_without_data_are_nan_and_their_intervals_are_known_without_the_array() {
    let (_folder, db) = toy_database();
    let mut values = vec![2.0f32; 200];
    values[..40].fill(f32::NAN);
    values[150..152].fill(f32::NAN);
    values[199] = 4.0;
    store_track(&db, "E003", "H3K4me1", &values);
    let track = db.track("E003", "H3K4me1").unwrap().unwrap();
    assert_eq!((track.covered_bins, track.n_nan_bins), (Some(158), 42));
    assert_eq!(track.coverage(200), 0.79);
    // 157 twos and a four.
    assert!((track.mean - 318.0 / 158.0).abs() < 1e-12);
    let read = read_track(&db, "E003", "H3K4me1");
    assert!(read[..40].iter().all(|v| v.is_nan()) && read[40] == 2.0);
    let coverage = db.coverage(&track).unwrap();
    assert_eq!(
        coverage.intervals().collect::<Vec<_>>(),
        [40..150, 152..200]
    );
    assert!(db.check().unwrap().is_empty());

    // One bit of the intervals.
    db.write_in(&[], |t| {
        // 40 without and 160 with data.
        let sql = "UPDATE track_intervals SET runs = x'28A001'";
        Ok(t.execute(sql, [])?)
    })
    .unwrap();
    let error = db.coverage(&track).unwrap_err().to_string();
    assert!(error.contains("not those of this track"), "{error}");
    assert_eq!(db.check().unwrap().len(), 1);
    // Signal does not depend on them.
    assert_eq!(read_track(&db, "E003", "H3K4me1")[40], 2.0);

    let mut writer = db.begin_track(toy_track("E003", "H3K27ac")).unwrap();
    writer.write(0, &[f32::NAN; 200]).unwrap();
    let error = writer.commit().unwrap_err().to_string();
    assert!(error.contains("none of its bins has data"), "{error}");
}

#[test]
fn intervals_that_are_not_the_arrays_are_found_and_a_track_without_any_is_complete() {
    let (_folder, db) = toy_database();
    let mut values = vec![1.0f32; 200];
    values[7] = f32::NAN;
    store_track(&db, "E003", "a", &values);
    values[8] = f32::NAN;
    store_track(&db, "E003", "b", &values);
    let tables = &["track_coverage"];
    // Those of b, whole, in the place of a's.
    db.write_in(tables, |t| {
        let of_b = "SELECT id FROM tracks WHERE array LIKE 'track_2_%'";
        let of_a = "SELECT id FROM tracks WHERE array LIKE 'track_1_%'";
        t.execute(
            &format!(
                "UPDATE track_intervals SET runs = (SELECT runs FROM track_intervals
            WHERE track = ({of_b})) WHERE track = ({of_a})"
            ),
            [],
        )?;
        Ok(t.execute(
            &format!(
                "UPDATE track_coverage SET (n_bins, digest) = (SELECT n_bins, digest
            FROM track_coverage WHERE track = ({of_b})) WHERE track = ({of_a})"
            ),
            [],
        )?)
    })
    .unwrap();
    let found = db.check().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].message.contains("not those of its array"),
        "{found:?}"
    );

    // As a Persea before version 8 left it.
    db.write_in(tables, |t| {
        t.execute("DELETE FROM track_intervals", [])?;
        Ok(t.execute("DELETE FROM track_coverage", [])?)
    })
    .unwrap();
    let track = db.track("E003", "a").unwrap().unwrap();
    assert_eq!(track.covered_bins, None);
    assert_eq!(track.coverage(200), 1.0);
    assert!(db.coverage(&track).unwrap().is_complete());
}

#[test]
fn a_replacement_is_a_new_array_and_the_old_one_goes() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    let old = db.track("E003", "H3K4me1").unwrap().unwrap();
    let old_signal = db.signal(&old).unwrap();
    let mut writer = db.begin_track(toy_track("E003", "H3K4me1")).unwrap();
    writer.write(0, &[2.0; 200]).unwrap();
    assert_eq!(read_track(&db, "E003", "H3K4me1"), [1.0; 200]);
    let new = writer.commit().unwrap();
    assert_eq!(new.id, old.id);
    assert_ne!(new.array, old.array);
    assert_eq!(read_track(&db, "E003", "H3K4me1"), [2.0; 200]);
    assert!(!db.path().join("signal.zarr").join(&old.array).exists());
    let error = old_signal.read(0..1, &mut [0.0]).unwrap_err().to_string();
    assert!(error.contains("replaced or removed meanwhile"), "{error}");
    assert!(db.signal(&old).is_err());
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_track_that_is_not_finished_leaves_nothing_behind() {
    let (_folder, db) = toy_database();
    let before = files_below(db.path());
    let mut writer = db.begin_track(toy_track("E003", "H3K4me1")).unwrap();
    writer.write(0, &[1.0; 100]).unwrap();
    drop(writer);
    let mut writer = db.begin_track(toy_track("E003", "H3K4me1")).unwrap();
    writer.write(0, &[1.0; 100]).unwrap();
    let error = writer.commit().unwrap_err().to_string();
    assert!(
        error.contains("bin 100 of the axis has not come"),
        "{error}"
    );
    let mut after = files_below(db.path());
    // But for the locks' folder, the log, and how many transactions there were.
    after.retain(|f| !f.starts_with("locks") && !f.to_string_lossy().contains("sqlite-"));
    after.retain(|f| !f.ends_with("commits"));
    let mut before = before;
    before.retain(|f| !f.to_string_lossy().contains("sqlite-"));
    assert_eq!(after, before);
    assert!(db.biosamples().unwrap().is_empty());
}

#[test]
fn an_infinite_value_is_refused_with_its_coordinate() {
    let (_folder, db) = toy_database();
    for bad in [f32::INFINITY, f32::NEG_INFINITY] {
        let mut writer = db.begin_track(toy_track("E003", "H3K4me1")).unwrap();
        writer.write(0, &[0.0; 40]).unwrap();
        let error = writer.write(40, &[0.0, 0.0, bad]).unwrap_err().to_string();
        // The third bin of chr1's bins 200-300, as browsers count.
        assert!(
            error.contains("E003 H3K4me1: the value at chr1:5051-5075"),
            "{error}"
        );
    }
}

#[test]
fn names_that_look_alike_are_refused() {
    let (_folder, db) = toy_database();
    for (name, why) in [
        ("", "is empty"),
        (" E003", "begins or ends with a blank"),
        ("E0\n03", "control character"),
    ] {
        for (biosample, assay) in [(name, "H3K4me1"), ("E003", name)] {
            let error = db.begin_track(toy_track(biosample, assay)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}

#[test]
fn a_second_writer_of_a_track_is_refused_and_one_of_another_is_not() {
    let (_folder, db) = toy_database();
    let other = Database::open(db.path()).unwrap();
    let _writer = db.begin_track(toy_track("E003", "H3K4me3")).unwrap();
    let expected = format!(
        "track E003 H3K4me3 is being written by process {}",
        std::process::id()
    );
    for error in [
        db.begin_track(toy_track("E003", "H3K4me3")).unwrap_err(),
        other.begin_track(toy_track("E003", "H3K4me3")).unwrap_err(),
        other.remove_track("E003", "H3K4me3").unwrap_err(),
    ] {
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    store_track(&other, "E003", "H3K4me1", &[1.0; 200]);
    let error = other.rename_biosample("E003", "H1").unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
}

#[test]
fn what_is_committed_by_any_handle_is_noticed_by_all() {
    let (_folder, db) = toy_database();
    let other = Database::open(db.path()).unwrap();
    let before = (db.changes().unwrap(), other.changes().unwrap());
    db.tracks().unwrap();
    assert_eq!((db.changes().unwrap(), other.changes().unwrap()), before);
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    let after = (db.changes().unwrap(), other.changes().unwrap());
    assert_ne!(after.0, before.0);
    assert_ne!(after.1, before.1);
    assert_eq!((db.changes().unwrap(), other.changes().unwrap()), after);
}

#[test]
fn short_reads_of_a_track_that_was_replaced_are_of_the_new_one() {
    let (_folder, db) = toy_database();
    for value in [1.0, 2.0] {
        store_track(&db, "E003", "H3K4me1", &[value; 200]);
        let track = db.track("E003", "H3K4me1").unwrap().unwrap();
        let signal = db.signal(&track).unwrap();
        let mut read = [0.0; 3];
        for first in [5, 6] {
            signal.read(first..first + 3, &mut read).unwrap();
            assert_eq!(read, [value; 3]);
        }
    }
}

#[test]
fn a_removed_track_takes_its_bytes_and_its_last_names_along() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    store_track(&db, "E003", "H3K4me3", &[1.0; 200]);
    let array = db.track("E003", "H3K4me1").unwrap().unwrap().array;
    db.remove_track("E003", "H3K4me1").unwrap();
    assert!(db.track("E003", "H3K4me1").unwrap().is_none());
    assert!(!db.path().join("signal.zarr").join(array).exists());
    let assays = db.assays().unwrap();
    assert_eq!(assays.len(), 1);
    assert_eq!(assays[0].name, "H3K4me3");
    assert_eq!(db.biosamples().unwrap().len(), 1);
    for (biosample, assay, message) in [
        ("E0003", "H3K4me3", "unknown biosample E0003; nearest: E003"),
        ("E003", "H3K4me2", "unknown assay H3K4me2; nearest: H3K4me3"),
    ] {
        let error = db.remove_track(biosample, assay).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    store_track(&db, "E017", "H3K9me3", &[1.0; 200]);
    let error = db.remove_track("E017", "H3K4me3").unwrap_err().to_string();
    assert_eq!(error, "unknown track E017 H3K4me3; E017 has H3K9me3");
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn renaming_reaches_rows_arrays_and_models() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    store_track(&db, "E017", "H3K4me1", &[1.0; 200]);
    super::models::store_model(&db, "m", 1);
    db.rename_biosample("E003", "H1").unwrap();
    db.rename_assay("H3K4me1", "K4me1").unwrap();
    let track = db.track("H1", "K4me1").unwrap().unwrap();
    let attributes = |array: &str| -> Value {
        let path = db.path().join("signal.zarr").join(array).join("zarr.json");
        let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        document["attributes"].clone()
    };
    assert_eq!(
        attributes(&track.array),
        json!({"biosample": "H1", "assay": "K4me1", "transform": "arcsinh", "unit": "fold change"})
    );
    assert_eq!(read_track(&db, "H1", "K4me1"), [1.0; 200]);
    let model = db.read_model(Some("m")).unwrap();
    assert_eq!(model.record.biosamples, ["H1", "E017"]);
    assert_eq!(model.record.assays, ["K4me1"]);
    assert_eq!(model.record.tracks[1].biosample, "H1");

    let error = db.rename_biosample("E003", "X").unwrap_err().to_string();
    assert!(
        error.starts_with("unknown biosample E003; nearest: E017"),
        "{error}"
    );
    let error = db.rename_biosample("H1", "E017").unwrap_err().to_string();
    assert!(
        error.contains("there is a biosample E017 already"),
        "{error}"
    );
    assert!(db.rename_assay("K4me1", "").is_err());

    // A kill between the rows and the attributes: the next writer goes on.
    db.write(|t| {
        t.execute("UPDATE biosamples SET name = 'H9' WHERE name = 'H1'", [])?;
        t.execute("INSERT INTO meta VALUES ('renaming', 'H9')", [])?;
        Ok(())
    })
    .unwrap();
    let db = Database::open(db.path()).unwrap();
    db.prepare_writing().unwrap();
    let path = db
        .path()
        .join("signal.zarr")
        .join(&track.array)
        .join("zarr.json");
    assert!(fs::read_to_string(path).unwrap().contains("H9"));
}

#[test]
fn metadata_is_merged_key_by_key() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    let object = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
    db.update_biosample("E003", &object(json!({"group": "ESC", "sex": "Male"})))
        .unwrap();
    db.update_biosample("E003", &object(json!({"sex": "M", "age": "CL"})))
        .unwrap();
    db.update_assay("H3K4me1", &object(json!({"class": "core"})))
        .unwrap();
    let biosample = &db.biosamples().unwrap()[0];
    assert_eq!(
        biosample.metadata,
        object(json!({"group": "ESC", "sex": "M", "age": "CL"}))
    );
    assert_eq!(db.assays().unwrap()[0].metadata["class"], "core");
    let error = db
        .update_assay("H3K4me", &Map::new())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "unknown assay H3K4me; nearest: H3K4me1");
}
