//! Storing, reading, replacing and deleting models.

use serde_json::json;

use super::super::test_support::*;
use super::super::{
    Database, ModelKind, ModelRecord, ModelTrack, Precision, StoreError, TrackRole,
};

pub(super) fn record(name: &str, precision: Precision) -> ModelRecord {
    let track = |biosample: &str, role| ModelTrack {
        biosample: biosample.into(),
        assay: "H3K4me1".into(),
        role,
        checksum: format!("checksum of {biosample}"),
    };
    ModelRecord {
        name: name.into(),
        kind: ModelKind::Avocado,
        config: json!({"hidden": [64]}),
        seed: u64::MAX - 1,
        training: json!({"passes": 3}),
        precision,
        biosamples: vec!["E003".into(), "E017".into()],
        assays: vec!["H3K4me1".into()],
        tracks: vec![
            track("E017", TrackRole::Hold),
            track("E003", TrackRole::Train),
        ],
        regions: toy_axis().regions().to_vec(),
    }
}

/// Numbers of a tensor, different for each seed.
pub(super) fn numbers(rows: u64, cols: u64, seed: u64) -> Vec<f32> {
    (0..rows * cols)
        .map(|i| ((i * 37 + seed * 11) % 1_000) as f32 / 512.0 - 0.9)
        .collect()
}

/// A small model: two dense tensors, and factors of region 1 that take several pieces.
pub(super) fn store_model(db: &Database, name: &str, seed: u64) -> super::super::Model {
    let lock = db.lock_model(name).unwrap();
    let mut writer = db
        .begin_model(&lock, &record(name, Precision::F32), true)
        .unwrap();
    writer
        .tensor("dense_0.weight", 64, 30, None, &numbers(64, 30, seed))
        .unwrap();
    writer.tensor("nothing", 5, 0, None, &[]).unwrap();
    let factors = numbers(9_000, 25, seed);
    for piece in factors.chunks(25 * 701) {
        writer
            .tensor("genome_25bp", 9_000, 25, Some(1), piece)
            .unwrap();
    }
    writer.commit().unwrap()
}

#[test]
fn a_model_comes_back_number_by_number() {
    let (_folder, db) = toy_database();
    let model = store_model(&db, "m", 1);
    let mut expected = record("m", Precision::F32);
    // Tracks come back by name.
    expected.tracks.reverse();
    assert_eq!(model.record, expected);
    assert_eq!(db.read_model(None).unwrap(), model);
    assert_eq!(db.list_models().unwrap(), std::slice::from_ref(&model));
    assert!(model.is_default);
    let shapes: Vec<_> = model
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), t.region, t.rows, t.cols))
        .collect();
    assert_eq!(
        shapes,
        [
            ("dense_0.weight", None, 64, 30),
            ("genome_25bp", Some(1), 9_000, 25),
            ("nothing", None, 5, 0)
        ]
    );
    let factors = numbers(9_000, 25, 1);
    // Pieces of 4,096 rows: inside one, across a border, all.
    for (first, end) in [(0, 1), (4_095, 4_097), (8_191, 9_000), (0, 9_000), (17, 17)] {
        let mut out = vec![f32::NAN; (end - first) * 25];
        let rows = first as u64..end as u64;
        db.read_tensor(&model, "genome_25bp", Some(1), rows, &mut out)
            .unwrap();
        assert_eq!(out, factors[first * 25..end * 25]);
    }
    assert_eq!(
        db.read_whole_tensor(&model, "dense_0.weight", None)
            .unwrap(),
        numbers(64, 30, 1)
    );
    db.read_tensor(&model, "nothing", None, 0..5, &mut [])
        .unwrap();
    let mut out = [0.0; 25];
    for (name, region, rows) in [
        ("genome_25bp", Some(1), 9_000..9_001),
        ("genome_25bp", Some(1), 0..2),
        ("genome_25bp", None, 0..1),
        ("genome_5kbp", Some(1), 0..1),
    ] {
        db.read_tensor(&model, name, region, rows, &mut out)
            .unwrap_err();
    }
}

#[test]
fn half_precision_is_for_genome_factors_only() {
    let (_folder, db) = toy_database();
    let lock = db.lock_model("m").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("m", Precision::F16), false)
        .unwrap();
    let values = [0.1f32, -0.25, 1.0, 3.0];
    writer.tensor("dense", 2, 2, None, &values).unwrap();
    writer.tensor("genome", 2, 2, Some(0), &values).unwrap();
    let error = writer.tensor("huge", 1, 1, Some(0), &[1e6]).unwrap_err();
    assert!(error.to_string().contains("f16 cannot hold"), "{error}");
    drop(writer);
    let mut writer = db
        .begin_model(&lock, &record("m", Precision::F16), false)
        .unwrap();
    writer.tensor("dense", 2, 2, None, &values).unwrap();
    writer.tensor("genome", 2, 2, Some(0), &values).unwrap();
    let model = writer.commit().unwrap();
    let mut out = [0.0; 4];
    db.read_tensor(&model, "dense", None, 0..2, &mut out)
        .unwrap();
    assert_eq!(out, values);
    db.read_tensor(&model, "genome", Some(0), 0..2, &mut out)
        .unwrap();
    // The nearest half to 0.1 is 1638.0 / 16384.
    assert_eq!(out, [0.099_975_586, -0.25, 1.0, 3.0]);
}

#[test]
fn equal_numbers_give_equal_checksums_whatever_order_they_come_in() {
    let (_folder, db) = toy_database();
    let a = store_model(&db, "a", 1);
    let b = store_model(&db, "b", 2);
    let lock = db.lock_model("c").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("c", Precision::F32), false)
        .unwrap();
    let values = numbers(9_000, 25, 1);
    writer
        .tensor("genome_25bp", 9_000, 25, Some(1), &values)
        .unwrap();
    writer.tensor("nothing", 5, 0, None, &[]).unwrap();
    writer
        .copy_tensor(&a, "dense_0.weight", None, None)
        .unwrap();
    let c = writer.commit().unwrap();
    assert_eq!(a.checksum, c.checksum);
    assert_ne!(a.checksum, b.checksum);
}

#[test]
fn copied_tensors_are_equal_bit_for_bit() {
    let (_folder, db) = toy_database();
    let from = store_model(&db, "from", 5);
    let lock = db.lock_model("to").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("to", Precision::F32), false)
        .unwrap();
    writer
        .copy_tensor(&from, "genome_25bp", Some(1), Some(2))
        .unwrap();
    assert!(
        writer
            .copy_tensor(&from, "genome_25bp", Some(1), Some(2))
            .is_err()
    );
    assert!(
        writer
            .copy_tensor(&from, "genome_25bp", Some(1), Some(3))
            .is_err()
    );
    assert!(
        writer
            .copy_tensor(&from, "genome_25bp", Some(0), Some(0))
            .is_err()
    );
    let to = writer.commit().unwrap();
    let mut out = vec![0.0; 9_000 * 25];
    db.read_tensor(&to, "genome_25bp", Some(2), 0..9_000, &mut out)
        .unwrap();
    assert_eq!(out, numbers(9_000, 25, 5));
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_model_is_replaced_as_a_whole_and_only_when_asked() {
    let (_folder, db) = toy_database();
    let old = store_model(&db, "m", 1);
    store_model(&db, "other", 3);
    let lock = db.lock_model("m").unwrap();
    let error = db
        .begin_model(&lock, &record("m", Precision::F32), false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("persea model delete"), "{error}");
    drop(lock);
    let new = store_model(&db, "m", 2);
    assert_ne!(new.checksum, old.checksum);
    assert!(new.is_default, "it takes the place of the default one");
    let names: Vec<String> = db
        .list_models()
        .unwrap()
        .into_iter()
        .map(|m| m.record.name)
        .collect();
    assert_eq!(names, ["other", "m"]);
    let mut out = [0.0; 25];
    let error = db
        .read_tensor(&old, "genome_25bp", Some(1), 0..1, &mut out)
        .unwrap_err()
        .to_string();
    assert!(error.contains("was replaced or deleted while"), "{error}");
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_model_that_is_not_whole_never_becomes_one() {
    let (_folder, db) = toy_database();
    let lock = db.lock_model("m").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("m", Precision::F32), false)
        .unwrap();
    writer.tensor("a", 3, 2, Some(0), &[1.0; 4]).unwrap();
    for (rows, cols, data) in [(3, 2, 3), (3, 2, 4), (4, 2, 2), (3, 3, 3)] {
        assert!(
            writer
                .tensor("a", rows, cols, Some(0), &vec![1.0; data])
                .is_err()
        );
    }
    assert!(writer.tensor("a", 3, 2, Some(3), &[1.0; 4]).is_err());
    let error = writer
        .tensor("b", 1, 1, None, &[f32::NAN])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("row 0 has a number that f32 cannot hold"),
        "{error}"
    );
    let error = writer.commit().unwrap_err().to_string();
    assert!(
        error.contains("tensor a of region 0 of model m is not whole: only 0 of 3 rows"),
        "{error}"
    );
    assert!(db.list_models().unwrap().is_empty());
    for table in [
        "models",
        "model_tensors",
        "model_chunks",
        "model_biosamples",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let n: i64 = db.connection().query_row(&sql, [], |r| r.get(0)).unwrap();
        assert_eq!(n, 0, "{table}");
    }
    let error = db
        .begin_model(&lock, &record("n", Precision::F32), false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("under the lock of m"), "{error}");
}

#[test]
fn defaults_and_deletions_follow_each_other() {
    let (_folder, db) = toy_database();
    let error = db.read_model(None).unwrap_err().to_string();
    assert!(error.contains("persea train"), "{error}");
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        store_model(&db, name, i as u64);
    }
    assert_eq!(db.read_model(None).unwrap().record.name, "a");
    db.set_default_model("b").unwrap();
    assert_eq!(db.read_model(None).unwrap().record.name, "b");
    let error = db.set_default_model("bb").unwrap_err().to_string();
    assert_eq!(error, "unknown model bb; nearest: b");
    assert_eq!(db.read_model(None).unwrap().record.name, "b");
    db.delete_model("b").unwrap();
    let error = db.read_model(None).unwrap_err().to_string();
    assert!(error.contains("name one of a, c"), "{error}");
    db.delete_model("a").unwrap();
    assert_eq!(db.read_model(None).unwrap().record.name, "c");
    assert!(db.delete_model("a").is_err());
    assert!(db.read_model(Some("a")).is_err());
    db.delete_model("c").unwrap();
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_deleted_model_gives_its_space_back() {
    let (_folder, db) = toy_database();
    let n_pages = |db: &Database| -> i64 {
        let pages = db
            .connection()
            .pragma_query_value(None, "page_count", |r| r.get(0));
        pages.unwrap()
    };
    let before = n_pages(&db);
    store_model(&db, "m", 1);
    let with_model = n_pages(&db);
    assert!(with_model > before + 50, "{before} {with_model}");
    db.delete_model("m").unwrap();
    assert!(n_pages(&db) < before + 5, "{before} {}", n_pages(&db));
}

#[test]
fn a_second_writer_of_a_model_is_refused_and_readers_are_not() {
    let (_folder, db) = toy_database();
    store_model(&db, "m", 1);
    let other = Database::open(db.path()).unwrap();
    let lock = db.lock_model("m").unwrap();
    let expected = format!("model m is being written by process {}", std::process::id());
    for error in [
        other.lock_model("m").unwrap_err(),
        other.delete_model("m").unwrap_err(),
        db.lock_model("m").unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Locked { .. }));
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    let mut writer = db
        .begin_model(&lock, &record("m", Precision::F32), true)
        .unwrap();
    writer.tensor("a", 1, 1, None, &[1.0]).unwrap();
    let model = other.read_model(None).unwrap();
    let mut out = [0.0; 30];
    other
        .read_tensor(&model, "dense_0.weight", None, 0..1, &mut out)
        .unwrap();
    store_model(&other, "n", 2);
    writer.commit().unwrap();
    assert_eq!(other.read_model(Some("m")).unwrap().tensors.len(), 1);
}

#[test]
fn a_model_is_written_once_when_nobody_else_is_there_and_through_the_log_otherwise() {
    let (_folder, db) = toy_database();
    let mode = |db: &Database| -> String {
        let mode = db
            .connection()
            .pragma_query_value(None, "journal_mode", |r| r.get(0));
        mode.unwrap()
    };
    let many = numbers(800_000, 25, 3);
    let store = |name: &str, expected: &str, visitor: &dyn Fn()| {
        let lock = db.lock_model(name).unwrap();
        let mut writer = db
            .begin_model(&lock, &record(name, Precision::F32), false)
            .unwrap();
        assert_eq!(mode(&db), expected);
        // The first batch is stored with the first half.
        let (first, second) = many.split_at(many.len() / 2);
        for half in [first, second] {
            writer
                .tensor("genome_25bp", 800_000, 25, Some(0), half)
                .unwrap();
            visitor();
        }
        let model = writer.commit().unwrap();
        let mut out = vec![0.0; many.len()];
        db.read_tensor(&model, "genome_25bp", Some(0), 0..800_000, &mut out)
            .unwrap();
        assert!(out == many);
    };
    store("alone", "truncate", &|| {});
    assert_eq!(mode(&db), "wal");
    // Somebody comes in the middle of it, and finds the database in order.
    store("visited", "truncate", &|| {
        let visitor = Database::open(db.path()).unwrap();
        assert_eq!(visitor.list_models().unwrap().len(), 1);
        assert!(visitor.check().unwrap().is_empty());
    });
    assert_eq!(mode(&db), "wal");
    let other = Database::open(db.path()).unwrap();
    store("shared", "wal", &|| {
        assert_eq!(other.list_models().unwrap().len(), 2);
    });
    assert_eq!(other.list_models().unwrap().len(), 3);
    assert!(other.check().unwrap().is_empty());
}
