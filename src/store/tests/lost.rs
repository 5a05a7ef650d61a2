//! Right bytes in the wrong place, transactions that the log has lost, and checking beside writers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::test_support::*;
use super::super::{Database, Finding, Repair, Severity, StoreError, Track};

fn values(seed: usize) -> Vec<f32> {
    (0..200).map(|i| ((i * seed) % 11) as f32).collect()
}

fn damage(findings: &[Finding]) -> Vec<&Finding> {
    let is_damage = |f: &&Finding| f.severity == Severity::Damage;
    findings.iter().filter(is_damage).collect()
}

fn exchange(one: &Path, two: &Path) {
    let temporary = one.with_extension("aside");
    fs::rename(one, &temporary).unwrap();
    fs::rename(two, one).unwrap();
    fs::rename(&temporary, two).unwrap();
}

fn array_folder(db: &Database, biosample: &str) -> PathBuf {
    let track = db.track(biosample, "H3K4me1").unwrap().unwrap();
    db.signal_folder().join(track.array)
}

#[test]
fn right_bytes_in_another_tracks_place_are_refused_and_found_by_check() {
    let (_folder, db) = toy_database();
    for (i, biosample) in ["E003", "E017"].into_iter().enumerate() {
        store_track(&db, biosample, "H3K4me1", &values(i + 3));
    }
    let folders = ["E003", "E017"].map(|b| array_folder(&db, b));
    let refused = |why: &str| {
        for biosample in ["E003", "E017"] {
            let track = db.track(biosample, "H3K4me1").unwrap().unwrap();
            let read = db
                .signal(&track)
                .and_then(|s| s.read(0..200, &mut [0.0; 200]));
            let error = read.unwrap_err().to_string();
            assert!(error.contains(biosample) && error.contains(why), "{error}");
            let findings = db.check().unwrap();
            assert!(
                damage(&findings).iter().any(|f| f.what.contains(biosample)),
                "{findings:?}"
            );
        }
    };
    // The shards; the shards with their lists; the whole arrays.
    exchange(&folders[0].join("c/0"), &folders[1].join("c/0"));
    refused("not those that were written at this place");
    let lists = folders.clone().map(|f| f.join("chunks.crc32c"));
    exchange(&lists[0], &lists[1]);
    refused("is not the list of checksums that belongs to this track");
    exchange(&folders[0].join("c/0"), &folders[1].join("c/0"));
    exchange(&lists[0], &lists[1]);
    assert!(db.check().unwrap().is_empty());
    exchange(&folders[0], &folders[1]);
    refused("is not the list");
    exchange(&folders[0], &folders[1]);
    assert!(db.check().unwrap().is_empty());
    fs::remove_file(&lists[0]).unwrap();
    assert!(
        db.signal(&db.track("E003", "H3K4me1").unwrap().unwrap())
            .is_err()
    );
}

#[test]
fn a_track_stored_before_there_were_lists_is_read_as_it_was() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &values(3));
    fs::remove_file(array_folder(&db, "E003").join("chunks.crc32c")).unwrap();
    let forget = |t: &rusqlite::Transaction<'_>| Ok(t.execute("DELETE FROM track_chunks", [])?);
    db.write(forget).unwrap();
    assert_eq!(read_track(&db, "E003", "H3K4me1"), values(3));
    assert!(db.check().unwrap().is_empty());
}

/// A database with ten tracks as a kill leaves it: a copy made while it was open.
fn killed(folder: &Path) -> (PathBuf, Vec<Track>) {
    let (_folder, db) = toy_database();
    for i in 0..10 {
        store_track(&db, &format!("E{i:03}"), "H3K4me1", &values(i + 2));
    }
    let killed = folder.join("killed.persea");
    for file in files_below(db.path()) {
        // The log's index is in memory only; SQLite makes it again.
        if !file.to_string_lossy().ends_with("-shm") {
            let to = killed.join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(db.path().join(&file), to).unwrap();
        }
    }
    (killed, db.tracks().unwrap())
}

fn copy_of(killed: &Path, name: &str) -> PathBuf {
    let copy = killed.with_file_name(name);
    let _ = fs::remove_dir_all(&copy);
    for file in files_below(killed) {
        let to = copy.join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(killed.join(&file), to).unwrap();
    }
    copy
}

fn arrays(db: &Path) -> usize {
    let entries = fs::read_dir(db.join("signal.zarr")).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|n| n.starts_with("track_")).count()
}

/// A track without what an adoption may change: its number and its date.
fn lasting(track: &Track) -> Track {
    Track {
        id: 0,
        ingested: String::new(),
        ..track.clone()
    }
}

#[test]
fn a_flipped_bit_in_a_killed_writers_log_is_noticed_and_its_tracks_can_be_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, tracks) = killed(folder.path());
    // As the kill left it, nothing is missing.
    let whole = copy_of(&killed, "whole.persea");
    let db = Database::open(&whole).unwrap();
    assert_eq!(db.tracks().unwrap(), tracks);
    assert!(db.lost_commits().is_none() && db.check().unwrap().is_empty());
    drop(db);

    let log = fs::read(killed.join("persea.sqlite-wal")).unwrap();
    let n = log.len();
    // With the count of transactions beside it, and as a Persea that did not count left it.
    for (at, counted) in [
        (n / 5, true),
        (n / 2, true),
        (n - 20_000, true),
        (n - 9, true),
        (70, true),
        (20, true),
        (n / 5, false),
        (n / 2, false),
        (20, false),
    ] {
        let path = copy_of(&killed, "damaged.persea");
        let mut bytes = log.clone();
        bytes[at] ^= 1;
        fs::write(path.join("persea.sqlite-wal"), bytes).unwrap();
        if !counted {
            fs::remove_file(path.join("commits")).unwrap();
        }
        // Whoever opens it, and however often: it is known, and nothing is removed.
        for _ in 0..2 {
            let db = match Database::open(&path) {
                Ok(db) => db,
                // The log also had the schema.
                Err(e) => panic!("byte {at}: {e}"),
            };
            let n_tracks = db.tracks().unwrap().len();
            assert!(n_tracks < 10, "byte {at}: {n_tracks}");
            let error = db.begin_track(toy_track("E100", "H3K4me1")).unwrap_err();
            assert!(matches!(error, StoreError::CommitsLost { .. }), "{error}");
            assert!(error.to_string().contains("persea repair"), "{error}");
            assert!(db.remove_track("E000", "H3K4me1").is_err());
            assert_eq!(arrays(&path), 10);
            let findings = db.check().unwrap();
            let damage = damage(&findings);
            assert_eq!(damage[0].what, "persea.sqlite-wal");
            assert_eq!(damage.len(), 1 + 10 - n_tracks, "{findings:?}");
        }
        let db = Database::open(&path).unwrap();
        let n_tracks = db.tracks().unwrap().len();
        let report = db.repair(Repair::Adopt).unwrap();
        assert_eq!(report.adopted.len(), 10 - n_tracks);
        let now = db.tracks().unwrap();
        assert!(now.iter().map(lasting).eq(tracks.iter().map(lasting)));
        for i in 0..10 {
            let name = format!("E{i:03}");
            assert_eq!(read_track(&db, &name, "H3K4me1"), values(i + 2));
        }
        assert!(db.check().unwrap().is_empty());
        store_track(&db, "E100", "H3K4me1", &values(5));
        drop(db);
        let db = Database::open(&path).unwrap();
        assert!(db.lost_commits().is_none());
        assert_eq!(db.tracks().unwrap().len(), 11);
        assert!(db.check().unwrap().is_empty());
    }
}

#[test]
fn a_log_that_is_cut_or_gone_is_noticed_and_its_arrays_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, _) = killed(folder.path());
    for cut in [Some(100_000), Some(0), None] {
        let path = copy_of(&killed, "cut.persea");
        let log = path.join("persea.sqlite-wal");
        match cut {
            Some(n) => fs::File::options()
                .write(true)
                .open(&log)
                .unwrap()
                .set_len(n)
                .unwrap(),
            None => fs::remove_file(&log).unwrap(),
        }
        let db = Database::open(&path).unwrap();
        let n_tracks = db.tracks().unwrap().len();
        assert!(n_tracks < 10 && db.lost_commits().is_some());
        // One that is damaged as well cannot be adopted: it stays until its removal is asked for.
        let stray = db.stray_arrays().unwrap().remove(0);
        assert_eq!(stray.obstacle, None);
        let shard = db.signal_folder().join(&stray.array).join("c/0");
        let mut bytes = fs::read(&shard).unwrap();
        bytes[5] ^= 1;
        fs::write(&shard, bytes).unwrap();
        let report = db.repair(Repair::Adopt).unwrap();
        assert_eq!(report.kept.len(), 1);
        assert_eq!(report.kept[0].array, stray.array);
        assert!(db.lost_commits().is_some());
        let report = db.repair(Repair::Remove).unwrap();
        assert_eq!(report.removed.len(), 1);
        assert!(db.lost_commits().is_none());
        assert_eq!(db.tracks().unwrap().len(), 9);
        assert!(db.check().unwrap().is_empty());
    }
}

#[test]
fn what_a_kill_before_the_row_leaves_is_still_swept_by_the_next_writer() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &values(3));
    let path = db.path().to_path_buf();
    drop(db);
    fs::create_dir(path.join("signal.zarr/track_9_0123abcd")).unwrap();
    let db = Database::open(&path).unwrap();
    let findings = db.check().unwrap();
    assert!(
        findings.len() == 1 && damage(&findings).is_empty(),
        "{findings:?}"
    );
    store_track(&db, "E017", "H3K4me1", &values(4));
    assert!(db.check().unwrap().is_empty());
    assert_eq!(arrays(&path), 2);
}

#[test]
fn checking_beside_a_writer_that_replaces_tracks_finds_no_damage() {
    let (_folder, db) = toy_database();
    for biosample in ["E003", "E017", "E116"] {
        store_track(&db, biosample, "H3K4me1", &values(3));
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = Database::open(db.path()).unwrap();
            for i in 0.. {
                let biosample = ["E003", "E017", "E116"][i % 3];
                store_track(&writer, biosample, "H3K4me1", &values(i + 2));
                if i % 7 == 0 {
                    writer.remove_track("E017", "H3K4me1").unwrap();
                }
                if i % 5 == 0 {
                    let (from, to) = [("E116", "E117"), ("E117", "E116")][i / 5 % 2];
                    let _ = writer.rename_biosample(from, to);
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..40 {
            let findings = db.check().unwrap();
            if !damage(&findings).is_empty() {
                over.store(true, Ordering::Relaxed);
                panic!("{findings:?}");
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn what_a_kill_in_a_renaming_leaves_is_a_note_until_the_next_writer_ends_it() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &values(3));
    // As the transaction of `track rename` leaves it: rows renamed, attributes not yet.
    let rename = |marked: bool| {
        db.write(|t| {
            t.execute("UPDATE biosamples SET name = 'renamed'", [])?;
            if marked {
                let sql = "INSERT INTO meta (key, value) VALUES ('renaming', 'renamed')";
                t.execute(sql, [])?;
            }
            Ok(())
        })
        .unwrap();
    };
    rename(true);
    let findings = db.check().unwrap();
    assert!(
        findings.len() == 1 && damage(&findings).is_empty(),
        "{findings:?}"
    );
    assert!(findings[0].message.contains("renaming"), "{findings:?}");
    let path = db.path().to_path_buf();
    drop(db);
    let db = Database::open(&path).unwrap();
    store_track(&db, "E017", "H3K4me1", &values(4));
    assert!(db.check().unwrap().is_empty());
    // Without a renaming under way a wrong name is damage.
    let sql = "UPDATE biosamples SET name = 'other' WHERE name = 'renamed'";
    db.write(|t| Ok(t.execute(sql, [])?)).unwrap();
    assert_eq!(damage(&db.check().unwrap()).len(), 1);
}
