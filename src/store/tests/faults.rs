//! Damage, kills and full disks.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::test_support::*;
use super::super::{Database, NewDatabase, Precision, Severity, StoreError, check_database};
use super::models::{numbers, record, store_model};

/// The name of the variable that makes a test the child that its parent kills.
const CHILD: &str = "PERSEA_TEST_CHILD";

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
fn damage_to_any_page_of_sqlite_is_an_error_and_not_a_panic() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    store_model(&db, "m", 1);
    let path = db.path().to_path_buf();
    drop(db);
    let file = path.join("persea.sqlite");
    let whole = fs::read(&file).unwrap();
    let n_pages = whole.len() / 16_384;
    assert!(n_pages > 50);
    let mut n_found = 0;
    for page in 0..n_pages {
        let mut bytes = whole.clone();
        // Beyond the header of the first page.
        let at = page * 16_384 + 100;
        bytes[at..at + 2_000].fill(0x5a);
        fs::write(&file, &bytes).unwrap();
        let findings = match Database::open(&path) {
            Ok(db) => db.check().map(|findings| !findings.is_empty()),
            Err(e) => Err(e),
        };
        n_found += usize::from(findings.unwrap_or(true));
    }
    // Bytes that no row uses may be changed without harm.
    assert!(n_found > n_pages / 2, "{n_found} of {n_pages}");
    fs::write(&file, &whole).unwrap();
    assert!(Database::open(&path).unwrap().check().unwrap().is_empty());
}

/// All that a database says: the rows of every table, whatever page they lie on.
fn everything(file: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = rusqlite::Connection::open(file)?;
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names: Vec<String> = tables
        .query_map([], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let schema = "SELECT type || name || tbl_name || ifnull(sql, '') FROM sqlite_schema";
    let mut said = Vec::new();
    for sql in names
        .iter()
        .map(|n| format!("SELECT * FROM {n} NOT INDEXED"))
        .chain([schema.into(), "PRAGMA user_version".into()])
    {
        let mut select = connection.prepare(&sql)?;
        let n_columns = select.column_count();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<_> = (0..n_columns)
                .map(|i| row.get::<_, rusqlite::types::Value>(i))
                .collect::<rusqlite::Result<_>>()?;
            said.push(format!("{sql} {cells:?}"));
        }
    }
    Ok(said)
}

/// What readers see of a toy database, or that they refuse.
fn seen(db: &Database) -> [Option<String>; 6] {
    let numbers = |db: &Database| {
        let model = db.read_model(Some("m"))?;
        let mut out = vec![0.0; 9_000 * 25];
        db.read_tensor(&model, "genome_25bp", Some(1), 0..9_000, &mut out)?;
        Ok::<_, StoreError>(out)
    };
    [
        db.tracks().ok().map(|v| format!("{v:?}")),
        db.list_models().ok().map(|v| format!("{v:?}")),
        numbers(db).ok().map(|v| format!("{v:?}")),
        db.genes().ok().map(|v| format!("{v:?}")),
        db.biosamples().ok().map(|v| format!("{v:?}")),
        db.mask_intervals().ok().map(|v| format!("{v:?}")),
    ]
}

#[test]
fn a_flipped_bit_on_any_page_is_harmless_or_found_and_no_reader_tells_anything_else() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    store_model(&db, "m", 1);
    let before = seen(&db);
    assert!(before.iter().all(Option::is_some));
    let path = db.path().to_path_buf();
    drop(db);
    let file = path.join("persea.sqlite");
    let whole = fs::read(&file).unwrap();
    let said = everything(&file).unwrap();
    let mut state = 12_345u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let (mut n_found, mut n_harmless) = (0, 0);
    for page in 0..whole.len() / 16_384 {
        let bytes = &whole[page * 16_384..(page + 1) * 16_384];
        // Where rows are: small tables fill a page from its end, and zeros are mostly nothing.
        let used: Vec<usize> = (0..16_384).filter(|i| bytes[*i] != 0).collect();
        for _ in 0..6 {
            if used.is_empty() {
                break;
            }
            let at = page * 16_384 + used[draw(used.len())];
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << draw(8);
            fs::write(&file, &damaged).unwrap();
            let same = everything(&file).is_ok_and(|now| now == said);
            fs::write(&file, &damaged).unwrap();
            let (found, now) = match Database::open(&path) {
                Err(_) => (true, None),
                Ok(db) => {
                    let now = seen(&db);
                    let damage = |f: &super::super::Finding| f.severity == Severity::Damage;
                    (db.check().map_or(true, |f| f.iter().any(damage)), Some(now))
                }
            };
            assert!(found || same, "byte {at} of page {page}: not found");
            for (now, before) in now.iter().flatten().zip(&before) {
                assert!(now.is_none() || now == before, "byte {at}: {now:?}");
            }
            n_found += usize::from(found);
            n_harmless += usize::from(!found);
            for beside in ["-wal", "-shm", "-journal"] {
                let _ = fs::remove_file(path.join(format!("persea.sqlite{beside}")));
            }
        }
    }
    assert!(
        n_found > 4 * n_harmless,
        "{n_found} found, {n_harmless} not"
    );
    fs::write(&file, &whole).unwrap();
    let db = Database::open(&path).unwrap();
    assert!(db.check().unwrap().is_empty());
    assert_eq!(seen(&db), before);
}

#[test]
fn a_file_cut_short_anywhere_is_found() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    store_model(&db, "m", 1);
    let path = db.path().to_path_buf();
    drop(db);
    let file = path.join("persea.sqlite");
    let whole = fs::read(&file).unwrap();
    for n_bytes in (0..whole.len()).step_by(8_192) {
        fs::write(&file, &whole[..n_bytes]).unwrap();
        match check_database(&path) {
            Ok(findings) => {
                assert!(
                    findings.iter().any(|f| f.severity == Severity::Damage),
                    "{n_bytes}"
                );
                // To ask `check` is no advice of its own.
                assert!(findings.iter().all(|f| !f.message.contains("persea check")));
            }
            Err(e) => assert!(matches!(e, StoreError::NotADatabase { .. }), "{e}"),
        }
        for beside in ["-wal", "-shm"] {
            let _ = fs::remove_file(path.join(format!("persea.sqlite{beside}")));
        }
    }
}

#[test]
fn a_lie_in_a_table_is_named_and_later_writes_do_not_make_it_true() {
    let (_folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[2.0; 200]);
    store_track(&db, "E017", "H3K4me1", &[1.0; 200]);
    store_model(&db, "m", 1);
    let lie = "UPDATE tracks SET mean = mean + 1 WHERE id = 1";
    db.connection().execute(lie, []).unwrap();
    let path = db.path().to_path_buf();
    drop(db);
    let db = Database::open(&path).unwrap();
    let error = db.tracks().unwrap_err().to_string();
    assert!(error.contains("table tracks"), "{error}");
    // What does not hang on it works.
    let model = db.read_model(None).unwrap();
    assert_eq!(db.biosamples().unwrap().len(), 2);
    let findings = db.check().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].what, "persea.sqlite, table tracks");
    assert!(findings[0].consequence.contains("models can still be read"));
    db.set_default_model(&model.record.name).unwrap();
    store_track(&db, "E116", "H3K4me1", &[3.0; 200]);
    assert_eq!(db.check().unwrap(), findings);
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
