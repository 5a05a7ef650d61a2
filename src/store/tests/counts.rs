//! Arrays of 16-bit counts: damaged, exchanged, merged, copied, adopted.

use std::fs;

use super::super::test_support::*;
use super::super::{
    BackupProgress, Database, Repair, StoreError, ValueType, compare_databases, merge_shards,
};

const U16: ValueType = ValueType::U16(super::super::Step::ONE_IN_512);

fn values() -> Vec<f32> {
    let value = |i: usize| match i % 50 {
        49 => f32::NAN,
        n => (n * 7 % 11) as f32 / 8.0 - 0.25,
    };
    (0..200).map(value).collect()
}

fn store(db: &Database, biosample: &str, values: ValueType) {
    let mut track = toy_track(biosample, "DNase");
    track.values = values;
    let mut writer = db.begin_track(track).unwrap();
    writer.write(0, &self::values()).unwrap();
    writer.commit().unwrap();
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn no_damage_to_counts_or_to_what_describes_them_is_read_as_signal() {
    let (_folder, db) = toy_database();
    store(&db, "E003", U16);
    assert_eq!(bits(&read_track(&db, "E003", "DNase")), bits(&values()));
    let track = db.track("E003", "DNase").unwrap().unwrap();
    let folder = db.signal_folder().join(&track.array);
    for file in ["zarr.json", "c/0"] {
        let path = folder.join(file);
        let whole = fs::read(&path).unwrap();
        for (i, mask) in (0..whole.len()).flat_map(|i| [(i, 1), (i, 2), (i, 4), (i, 8), (i, 64)]) {
            let mut bytes = whole.clone();
            bytes[i] ^= mask;
            fs::write(&path, &bytes).unwrap();
            let mut out = vec![7.0; 200];
            match db.signal(&track).and_then(|s| s.read(0..200, &mut out)) {
                Ok(()) => assert_eq!(bits(&out), bits(&values()), "{file} byte {i}"),
                Err(StoreError::Damaged { .. }) => {}
                Err(e) => panic!("{file} byte {i}: {e}"),
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(db.check().unwrap(), []);
}

#[test]
fn an_array_whose_values_are_not_stored_as_the_row_says_is_refused() {
    let (_folder, db) = toy_database();
    store(&db, "E003", U16);
    store(&db, "E017", ValueType::F32);
    let array = |b: &str| {
        let track = db.track(b, "DNase").unwrap().unwrap();
        db.signal_folder().join(track.array)
    };
    let (one, two) = (array("E003"), array("E017"));
    let elsewhere = one.with_extension("elsewhere");
    fs::rename(&one, &elsewhere).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&elsewhere, &two).unwrap();
    for (biosample, says) in [
        (
            "E003",
            "its values are f32, and the track's row says u16 1/512",
        ),
        (
            "E017",
            "its values are u16 1/512, and the track's row says f32",
        ),
    ] {
        let track = db.track(biosample, "DNase").unwrap().unwrap();
        let error = db.signal(&track).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        let findings = db.check().unwrap();
        assert!(
            findings.iter().any(|f| f.what.contains(biosample)),
            "{findings:?}"
        );
    }
}

#[test]
fn merging_copying_and_adopting_keep_counts_and_their_step() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [
        folder.path().join("1.persea"),
        folder.path().join("2.persea"),
    ];
    for (path, biosample, values) in [
        (&paths[0], "E003", U16),
        (&paths[1], "E017", ValueType::F32),
    ] {
        store(
            &Database::create(path, &toy_parts()).unwrap(),
            biosample,
            values,
        );
    }
    let to = folder.path().join("all.persea");
    merge_shards(&to, &paths, &|_, _| {}).unwrap();
    let types = |db: &Database| -> Vec<ValueType> {
        db.tracks().unwrap().iter().map(|t| t.values).collect()
    };
    let db = Database::open(&to).unwrap();
    assert_eq!(types(&db), [U16, ValueType::F32]);
    assert_eq!(db.check().unwrap(), []);
    db.rename_biosample("E003", "renamed").unwrap();
    db.rename_biosample("renamed", "E003").unwrap();

    let copy = folder.path().join("copy.persea");
    db.backup(&copy, &mut |_: BackupProgress| {}).unwrap();
    let copied = Database::open(&copy).unwrap();
    assert_eq!(types(&copied), [U16, ValueType::F32]);
    assert_eq!(compare_databases(&db, &copied, &mut |_, _| {}).unwrap(), []);
    // The same values stored as f32 are a difference, and no shard may have both.
    store(&copied, "E003", ValueType::F32);
    let found = compare_databases(&db, &copied, &mut |_, _| {}).unwrap();
    assert!(
        found.iter().any(|d| d.how.contains("u16 1/512")),
        "{found:?}"
    );
    let error = merge_shards(
        &folder.path().join("no.persea"),
        &[to.clone(), copy],
        &|_, _| {},
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains("stored in different ways"), "{error}");

    // The row is lost, and made again from what lies beside the array.
    let track = db.track("E003", "DNase").unwrap().unwrap();
    db.write_in(
        &[
            "tracks",
            "track_values",
            "track_chunks",
            "track_coverage",
            "track_sources",
        ],
        |t| {
            t.execute("DELETE FROM tracks WHERE id = ?1", [track.id])?;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(types(&db), [ValueType::F32]);
    assert_eq!(db.repair(Repair::Adopt).unwrap().adopted.len(), 1);
    assert_eq!(types(&db), [U16, ValueType::F32]);
    assert_eq!(bits(&read_track(&db, "E003", "DNase")), bits(&values()));
    assert_eq!(db.check().unwrap(), []);
}
