//! Copies of a database, quiet and while others write to it.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::test_support::*;
use super::super::{BackupProgress, Database, Precision, StoreError};
use super::models::{numbers, record, store_model};

#[test]
fn a_copy_is_the_database_without_what_is_unfinished() {
    let (folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    let model = store_model(&db, "m", 1);
    // Another writer is half way through a model.
    let lock = db.lock_model("half").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("half", Precision::F32), false)
        .unwrap();
    writer
        .tensor(
            "genome_25bp",
            900_000,
            25,
            Some(0),
            &numbers(800_000, 25, 1),
        )
        .unwrap();
    fs::write(db.path().join("index/x.hnsw"), b"derived").unwrap();
    let to = folder.path().join("copy.persea");
    let mut events = Vec::new();
    let report = db.backup(&to, &mut |p| events.push(p)).unwrap();
    assert_eq!((report.n_tracks, report.n_models), (1, 1));
    assert_eq!(events.last(), Some(&BackupProgress::Checking));
    writer.commit().unwrap_err();

    let copy = Database::open(&to).unwrap();
    assert_eq!(copy.tracks().unwrap(), db.tracks().unwrap());
    assert_eq!(read_track(&copy, "E003", "H3K4me1"), [2.0; 200]);
    assert_eq!(copy.list_models().unwrap(), std::slice::from_ref(&model));
    let mut out = vec![0.0; 9_000 * 25];
    copy.read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out)
        .unwrap();
    assert_eq!(out, numbers(9_000, 25, 1));
    assert!(copy.check().unwrap().is_empty());
    let models: i64 = copy
        .connection()
        .query_row("SELECT count(*) FROM models", [], |r| r.get(0))
        .unwrap();
    assert_eq!(models, 1, "the unfinished model is not in it");
    assert_eq!(fs::read_dir(to.join("index")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(to.join("locks")).unwrap().count(), 0);
    // It can be written to, and numbers go on.
    store_track(&copy, "E017", "H3K4me1", &[1.0; 200]);
    assert_eq!(copy.track("E017", "H3K4me1").unwrap().unwrap().id, 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn copies_made_while_tracks_and_models_are_replaced_are_whole_and_of_one_instant() {
    let (folder, db) = toy_database();
    let path = db.path().to_path_buf();
    // Track and model carry the number of the round; the track is always written first.
    let write_round = |db: &Database, round: u64| {
        store_track(db, "E003", "H3K4me1", &[round as f32; 200]);
        store_model(db, "m", round);
    };
    write_round(&db, 0);
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (stop, written, path) = (&stop, &written, &path);
        let writer = scope.spawn(move || {
            let db = Database::open(path).unwrap();
            for round in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                write_round(&db, round % 1_000);
                written.store(round, Ordering::Relaxed);
            }
        });
        // Until each has had its turns: neither waits for the other's whole work.
        let mut n_copies = 0;
        while n_copies < 4 || (written.load(Ordering::Relaxed) < 4 && !writer.is_finished()) {
            let to = folder.path().join("copy.persea");
            db.backup(&to, &mut |_| {}).unwrap();
            let copy = Database::open(&to).unwrap();
            let track = read_track(&copy, "E003", "H3K4me1");
            assert!(track.iter().all(|v| *v == track[0]), "half a track");
            let round = track[0] as u64;
            let model = copy.read_model(Some("m")).unwrap();
            let mut out = vec![0.0; 9_000 * 25];
            copy.read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out)
                .unwrap();
            // The model is of the track's round, or of the one before it.
            let of = |seed: u64| out == numbers(9_000, 25, seed);
            assert!(of(round) || of((round + 999) % 1_000), "round {round}");
            drop(copy);
            fs::remove_dir_all(&to).unwrap();
            n_copies += 1;
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_backup_is_refused_where_something_is_and_of_what_is_damaged() {
    let (folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    let backup = |to: std::path::PathBuf| db.backup(&to, &mut |_| {});
    let there = folder.path().join("there");
    fs::create_dir(&there).unwrap();
    fs::write(there.join("x"), b"").unwrap();
    let error = backup(there.clone()).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let error = backup(db.path().join("inside.persea")).unwrap_err();
    assert!(error.to_string().contains("inside the database"), "{error}");
    let error = backup(folder.path().join("no/such/copy")).unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");

    let track = db.track("E003", "H3K4me1").unwrap().unwrap();
    let shard = db.path().join("signal.zarr").join(track.array).join("c/0");
    let mut bytes = fs::read(&shard).unwrap();
    bytes[0] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let to = folder.path().join("copy.persea");
    let error = backup(to.clone()).unwrap_err().to_string();
    assert!(
        error.contains("E003 H3K4me1") && error.contains("persea check"),
        "{error}"
    );
    assert!(!to.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
