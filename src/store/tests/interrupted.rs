//! Writers that are killed, and disks that are full.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::test_support::*;
use super::super::{Database, NewDatabase, Precision, Severity, StoreError};
use super::models::{numbers, record, store_model};

/// The name of the variable that makes a test the child that its parent kills.
const CHILD: &str = "PERSEA_TEST_CHILD";

#[test]
fn what_interrupted_writers_left_is_swept_by_the_next_writer() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.0; 200]);
    store_model(&db, "whole", 1);
    let signal = db.path().join("signal.zarr");
    // Killed while writing shards; killed between rename and row; killed while writing a model;
    // killed while deleting one. And a thing of the user's.
    fs::create_dir_all(db.path().join("writing/track_9_0000/c")).unwrap();
    fs::create_dir_all(signal.join("track_8_0000/c")).unwrap();
    fs::create_dir_all(signal.join("notes")).unwrap();
    let lock = db.lock_model("half").unwrap();
    let mut writer = db
        .begin_model(&lock, &record("half", Precision::F32), false)
        .unwrap();
    let many = numbers(800_000, 25, 1);
    writer
        .tensor("genome_25bp", 900_000, 25, Some(0), &many)
        .unwrap();
    std::mem::forget(writer);
    drop(lock);
    store_model(&db, "gone", 1);
    let count = |db: &Database, sql: &str| -> i64 {
        db.connection().query_row(sql, [], |r| r.get(0)).unwrap()
    };
    let begun = "UPDATE models SET status = 'deleted' WHERE name = 'gone'";
    db.write(|t| Ok(t.execute(begun, [])?)).unwrap();
    assert!(count(&db, "SELECT count(*) FROM model_chunks") > 50);

    // The forgotten writer still holds its share of the lock, as a living process would.
    let other = Database::open(db.path()).unwrap();
    other.prepare_writing().unwrap();
    assert!(signal.join("track_8_0000").exists());
    let before = other.check().unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].severity, Severity::Note);
    assert_eq!(other.list_models().unwrap().len(), 1);

    // Reading sweeps nothing; the first write does, once nobody else is writing.
    let elsewhere = copy_of(db.path());
    let db = Database::open(elsewhere.path()).unwrap();
    let signal = elsewhere.path().join("signal.zarr");
    assert_eq!(db.list_models().unwrap().len(), 1);
    assert!(signal.join("track_8_0000").exists());
    store_track(&db, "E017", "H3K4me1", &[3.0; 200]);
    assert!(!signal.join("track_8_0000").exists());
    assert!(!db.path().join("writing/track_9_0000").exists());
    assert!(signal.join("notes").exists());
    assert_eq!(count(&db, "SELECT count(*) FROM models"), 1);
    assert_eq!(count(&db, "SELECT count(*) FROM model_tensors"), 3);
    assert_eq!(read_track(&db, "E003", "H3K4me1"), [1.0; 200]);
    assert!(db.check().unwrap().is_empty());
}

/// A copy of a database, as another machine would see it: without anybody's locks.
fn copy_of(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in files_below(from) {
        let target = to.path().join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
    for folder in [
        "signal.zarr/track_8_0000",
        "writing/track_9_0000",
        "signal.zarr/notes",
    ] {
        fs::create_dir_all(to.path().join(folder)).unwrap();
    }
    to
}

#[test]
#[ignore = "what the next test starts and kills"]
fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let db = Database::open(Path::new(&path)).unwrap();
    println!("ready");
    for i in 0u32.. {
        let value = (i % 1_000) as f32;
        store_track(&db, "E003", "H3K4me1", &[value; 200]);
        store_model(&db, "m", u64::from(i % 1_000));
    }
}

#[test]
fn a_kill_at_any_instant_leaves_a_whole_database() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[0.0; 200]);
    store_model(&db, "m", 0);
    let path = db.path().to_path_buf();
    drop(db);
    for round in 0..8u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "child_that_writes_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(
            lines
                .map_while(Result::ok)
                .any(|line| line.contains("ready"))
        );
        std::thread::sleep(std::time::Duration::from_millis(20 + round * 13));
        child.kill().unwrap();
        child.wait().unwrap();

        let db = Database::open(&path).unwrap();
        let track = read_track(&db, "E003", "H3K4me1");
        assert!(track.iter().all(|v| *v == track[0]), "half a track");
        let model = db.read_model(Some("m")).unwrap();
        let mut out = vec![0.0; 9_000 * 25];
        db.read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out)
            .unwrap();
        let whole = (0..1_000).any(|seed| out == numbers(9_000, 25, seed));
        assert!(whole, "a mixture of models");
        let notes = db.check().unwrap();
        assert!(
            notes.iter().all(|f| f.severity == Severity::Note),
            "{notes:?}"
        );
        store_track(&db, "E017", "H3K4me1", &[round as f32; 200]);
        assert!(db.check().unwrap().is_empty());
        assert_eq!(fs::read_dir(path.join("signal.zarr")).unwrap().count(), 3);
    }
}

#[test]
fn a_full_disk_is_said_so_and_leaves_what_was_there() {
    let Some(disk) = SmallDisk::mount(6_000) else {
        return;
    };
    let path = disk.path().join("toy.persea");
    let axis = crate::genome::GenomeAxis::whole_chromosomes(
        crate::genome::Assembly::from_chromosomes("toy", &[("chr1".into(), 12_500_000)]).unwrap(),
        &[],
    )
    .unwrap();
    let n_bins = axis.n_bins() as usize;
    let parts = NewDatabase {
        axis,
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    let db = Database::create(&path, &parts).unwrap();
    // Noise, which does not compress: 2 MB a track.
    let noise = |seed: u32| -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 1e7
        };
        (0..n_bins).map(|_| next()).collect()
    };
    let try_track = |name: &str, values: &[f32]| -> Result<(), StoreError> {
        let mut writer = db.begin_track(toy_track(name, "H3K4me1"))?;
        for (i, piece) in values.chunks(65_536).enumerate() {
            writer.write(i as u64 * 65_536, piece)?;
        }
        writer.commit().map(|_| ())
    };
    let first = noise(1);
    try_track("E001", &first).unwrap();
    let error = (2..9)
        .find_map(|i| try_track(&format!("E{i:03}"), &noise(i)).err())
        .unwrap();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("no space is left"), "{error}");
    assert_eq!(fs::read_dir(path.join("writing")).unwrap().count(), 0);
    let n_tracks = db.tracks().unwrap().len();
    assert_eq!(
        fs::read_dir(path.join("signal.zarr")).unwrap().count(),
        n_tracks + 1
    );

    // A model and a checkpoint that do not fit.
    let lock = db.lock_model("m").unwrap();
    let outcome = db
        .begin_model(&lock, &record("m", Precision::F32), false)
        .and_then(|mut writer| {
            let many = numbers(100_000, 25, 1);
            writer.tensor("a", 100_000, 25, None, &many)?;
            writer.commit()
        });
    assert!(
        matches!(outcome, Err(StoreError::DiskFull { .. })),
        "{outcome:?}"
    );
    assert!(db.list_models().unwrap().is_empty());
    let outcome = db.save_checkpoint(&lock, 1, &[("a", &vec![1; 6_000_000])]);
    assert!(
        matches!(outcome, Err(StoreError::DiskFull { .. })),
        "{outcome:?}"
    );
    assert!(db.latest_checkpoint("m").unwrap().is_none());
    drop(lock);
    assert_eq!(read_track(&db, "E001", "H3K4me1"), first);
    drop(db);

    // Not a byte left: it still opens, and reads.
    disk.fill();
    let db = Database::open(&path).unwrap();
    assert_eq!(read_track(&db, "E001", "H3K4me1"), first);
    assert!(db.begin_track(toy_track("E001", "H3K4me1")).is_err());
    drop(db);
    disk.empty();
    let db = Database::open(&path).unwrap();
    db.remove_track("E002", "H3K4me1").unwrap();
    assert!(db.check().unwrap().is_empty());
    let mut writer = db.begin_track(toy_track("E001", "H3K4me1")).unwrap();
    writer.write(0, &vec![0.5; n_bins]).unwrap();
    writer.commit().unwrap();
}
