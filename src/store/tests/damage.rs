//! Damage to arrays, models and what lies beside the database file.

use std::fs;
use std::path::Path;

use super::super::test_support::*;
use super::super::{Database, Severity, StoreError};
use super::models::{numbers, store_model};

#[test]
fn damage_to_a_shard_is_found_wherever_it_is_and_never_read_as_signal() {
    let (_folder, db) = toy_database();
    let values: Vec<f32> = (0..200).map(|i| (i % 9) as f32).collect();
    store_track(&db, "E003", "H3K4me1", &values);
    let track = db.track("E003", "H3K4me1").unwrap().unwrap();
    let shard = db.path().join("signal.zarr").join(&track.array).join("c/0");
    let whole = fs::read(&shard).unwrap();
    let read = || {
        let mut out = vec![0.0; 200];
        db.signal(&track).unwrap().read(0..200, &mut out)
    };
    for i in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[i] ^= 0x04;
        fs::write(&shard, &bytes).unwrap();
        let error = read().unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "byte {i}: {error}"
        );
        let text = error.to_string();
        assert!(
            text.contains(&track.array) && text.contains("shard c/0"),
            "{text}"
        );
        fs::write(&shard, &whole[..i]).unwrap();
        let error = read().unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "cut at {i}: {error}"
        );
    }
    let mut bytes = whole.clone();
    bytes[0] ^= 1;
    fs::write(&shard, &bytes).unwrap();
    let text = read().unwrap_err().to_string();
    assert!(
        text.contains("E003 H3K4me1") && text.contains("chunk 0 (bins 0-200)"),
        "{text}"
    );
    let findings = db.check().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Damage);
    assert!(findings[0].what.contains("E003 H3K4me1"), "{findings:?}");
    fs::remove_file(&shard).unwrap();
    let text = read().unwrap_err().to_string();
    assert!(
        text.contains("shard c/0") && text.contains("gone"),
        "{text}"
    );
    assert_eq!(db.check().unwrap().len(), 1);
    fs::write(&shard, &whole).unwrap();
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn damage_to_an_arrays_metadata_is_an_error_and_not_a_panic() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    let track = db.track("E003", "H3K4me1").unwrap().unwrap();
    let path = db
        .path()
        .join("signal.zarr")
        .join(&track.array)
        .join("zarr.json");
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("200", "100"),
        ("200", "0"),
        ("16384", "0"),
        ("16384", "100"),
        ("float32", "float64"),
        ("sharding_indexed", "bytes"),
        ("\"end\"", "\"start\""),
        ("zstd", "zstandard"),
        ("{", ""),
        ("\"shape\"", "\"form\""),
    ] {
        assert!(whole.contains(from), "{from} is not in {whole}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let outcome = db.signal(&track).and_then(|s| {
            let mut out = [0.0; 200];
            s.read(0..200, &mut out).map(|()| out)
        });
        match outcome {
            Err(StoreError::Damaged { what, .. }) => assert!(what.contains("E003"), "{what}"),
            other => panic!("{from} → {to}: {other:?}"),
        }
    }
    fs::remove_file(&path).unwrap();
    assert!(db.signal(&track).is_err());
    assert_eq!(db.check().unwrap().len(), 1);
}

#[test]
fn damage_to_a_models_piece_is_named_with_table_tensor_and_piece() {
    let (_folder, db) = toy_database();
    let model = store_model(&db, "m", 1);
    let damage = |sql: &str| db.connection().execute(sql, []).unwrap();
    let chunk =
        "tensor = (SELECT id FROM model_tensors WHERE name = 'genome_25bp') AND ordinal = 1";
    damage(&format!(
        "UPDATE model_chunks SET data = CAST(zeroblob(100) || substr(data, 101) AS BLOB) WHERE {chunk}"
    ));
    let mut out = vec![0.0; 9_000 * 25];
    let error = db
        .read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out)
        .unwrap_err()
        .to_string();
    for part in [
        "model m",
        "model_chunks",
        "genome_25bp of region 1",
        "piece 1",
    ] {
        assert!(error.contains(part), "{error}");
    }
    // What is not touched can still be read.
    let intact = &mut out[..4_096 * 25];
    db.read_tensor(&model, "genome_25bp", Some(1), 0..4_096, intact)
        .unwrap();
    assert_eq!(intact, &numbers(9_000, 25, 1)[..4_096 * 25]);
    assert_eq!(db.check().unwrap().len(), 1);

    damage(&format!("DELETE FROM model_chunks WHERE {chunk}"));
    let error = db
        .read_tensor(
            &model,
            "genome_25bp",
            Some(1),
            4_000..5_000,
            &mut vec![0.0; 25_000],
        )
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let findings = db.check().unwrap();
    assert!(
        findings
            .iter()
            .any(|f| f.message.contains("piece 1: it is missing")),
        "{findings:?}"
    );
}

#[test]
fn numbers_that_cannot_be_are_damage_and_not_arithmetic() {
    let huge = i64::MAX;
    for (damage, read_by_opening) in [
        (
            format!("UPDATE regions SET n_bins = {huge} WHERE ordinal = 0"),
            true,
        ),
        (
            "UPDATE regions SET first_bin = -1 WHERE ordinal = 1".into(),
            true,
        ),
        (
            format!("UPDATE chromosomes SET length = {huge} WHERE ordinal = 0"),
            true,
        ),
        ("UPDATE tracks SET n_nan_bins = -7".into(), false),
        (format!("UPDATE track_sources SET bytes = {huge}"), false),
        (
            format!("UPDATE model_tensors SET rows = {}", 1i64 << 47),
            false,
        ),
        (
            format!(
                "UPDATE model_tensors SET rows = {}, cols = 1 << 47",
                1i64 << 47
            ),
            false,
        ),
        (format!("UPDATE model_chunks SET n_rows = {huge}"), false),
        (
            format!("UPDATE model_chunks SET n_rows = {}", (1i64 << 48) - 1),
            false,
        ),
        ("UPDATE model_chunks SET first_row = -1".into(), false),
    ] {
        let (_folder, db) = toy_database();
        store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
        store_model(&db, "m", 1);
        db.connection()
            .pragma_update(None, "ignore_check_constraints", "ON")
            .unwrap();
        assert!(db.connection().execute(&damage, []).unwrap() > 0);
        let path = db.path().to_path_buf();
        drop(db);
        let found = match Database::open(&path) {
            Err(e) => {
                assert!(read_by_opening, "{damage}: {e}");
                assert!(matches!(e, StoreError::Damaged { .. }), "{damage}: {e}");
                continue;
            }
            Ok(db) => {
                if let Ok(model) = db.read_model(None) {
                    let mut out = vec![0.0; 9_000 * 25];
                    let read = db.read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out);
                    let tracks = db.tracks();
                    assert!(read.is_err() || tracks.is_err(), "{damage}");
                }
                db.check().unwrap()
            }
        };
        assert!(!read_by_opening, "{damage}");
        assert!(
            found.iter().any(|f| f.severity == Severity::Damage),
            "{damage}: {found:?}"
        );
    }
}

#[test]
fn damage_beside_the_database_file_is_found_too() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    let lock = db.lock_model("m").unwrap();
    db.save_checkpoint(&lock, 1, &[("a", b"first")]).unwrap();
    assert!(db.check().unwrap().is_empty());
    let signal = db.path().join("signal.zarr");
    let track = db.track("E003", "H3K4me1").unwrap().unwrap();
    let flip = |path: &Path, from: &str, to: &str| {
        let text = fs::read(path).unwrap();
        let at = text.windows(from.len()).position(|w| w == from.as_bytes());
        let mut bytes = text.clone();
        let at = at.unwrap_or_else(|| panic!("{from} in {}", path.display()));
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        fs::write(path, bytes).unwrap();
        let found = db.check().unwrap();
        fs::write(path, text).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, Severity::Damage);
        found[0].what.clone()
    };
    let root = flip(&signal.join("zarr.json"), "toy", "tox");
    assert_eq!(root, "signal.zarr/zarr.json");
    let named = flip(&signal.join(&track.array).join("zarr.json"), "E003", "E00s");
    assert!(named.contains(&track.array), "{named}");
    let folder = fs::read_dir(db.checkpoints_folder()).unwrap().next();
    let folder = folder.unwrap().unwrap().path();
    let newest = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let named = flip(&newest.path(), "first", "farst");
    assert!(named.ends_with(".checkpoint"), "{named}");
    assert!(db.check().unwrap().is_empty());
}
