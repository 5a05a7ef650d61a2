//! Making and opening database directories.

use std::fs;

use rusqlite::Connection;

use super::super::test_support::*;
use super::super::{Database, StoreError};
use crate::genome::{Assembly, GenomeAxis, Interval};

#[test]
fn a_database_gives_back_what_it_was_made_of() {
    let (_folder, db) = toy_database();
    let parts = toy_parts();
    assert_eq!(db.axis(), &parts.axis);
    assert_eq!(db.mask_intervals().unwrap(), parts.mask);
    assert_eq!(db.enhancers().unwrap(), parts.enhancers);
    assert_eq!(db.genes().unwrap(), parts.genes);
    // chr2 30-60 touches bins 1 and 2; chr1 5,000-5,025 is the first bin of the second region.
    let mask = db.mask().unwrap();
    let masked: Vec<u64> = (0..200).filter(|b| mask.is_masked(*b)).collect();
    assert_eq!(masked, [1, 2, 40]);
    assert!(db.tracks().unwrap().is_empty());
    assert!(db.biosamples().unwrap().is_empty());
    assert!(db.check().unwrap().is_empty());
    let info = db.info().unwrap();
    assert_eq!(info.schema, crate::store::schema::MIGRATIONS.len() as i64);
    assert_eq!(info.made_by, env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (info.created.len(), info.n_tracks, info.n_models),
        (20, 0, 0)
    );
    assert!(info.sqlite_bytes >= 16_384 && info.signal_bytes > 0);
}

#[test]
fn whole_chromosomes_of_a_real_assembly_open_in_a_few_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg38").unwrap(), &[]).unwrap();
    let path = folder.path().join("hg38.persea");
    let parts = super::super::NewDatabase {
        axis,
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    drop(Database::create(&path, &parts).unwrap());
    let before = std::time::Instant::now();
    let db = Database::open(&path).unwrap();
    let took = before.elapsed();
    assert_eq!(db.axis(), &parts.axis);
    assert!(took.as_millis() < 500, "{took:?}");
}

#[test]
fn a_new_database_does_not_take_the_place_of_anything() {
    let (folder, db) = toy_database();
    let error = Database::create(db.path(), &toy_parts()).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    let error = Database::create(&file, &toy_parts()).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    Database::create(&empty, &toy_parts()).unwrap();
}

#[test]
fn annotation_on_an_unknown_chromosome_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = toy_parts();
    parts.enhancers.push(Interval::new("1", 0, 10));
    let error = Database::create(&folder.path().join("x.persea"), &parts).unwrap_err();
    assert!(error.to_string().contains("`1` is not in"), "{error}");
    parts.enhancers = vec![Interval::new("chr1", 10, 10)];
    let error = Database::create(&folder.path().join("x.persea"), &parts).unwrap_err();
    assert!(error.to_string().contains("is empty"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_database_is_refused_with_the_reason() {
    let (folder, db) = toy_database();
    let open = |name: &str| {
        Database::open(&folder.path().join(name))
            .unwrap_err()
            .to_string()
    };
    assert!(open("nowhere").contains("persea create"));
    fs::write(folder.path().join("file"), "x").unwrap();
    assert!(open("file").contains("it is not a folder"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(open("empty").contains("no file persea.sqlite"));

    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    let other = Connection::open(foreign.join("persea.sqlite")).unwrap();
    other.execute_batch("CREATE TABLE a (x)").unwrap();
    drop(other);
    assert!(open("foreign").contains("some other program's"));

    let path = db.path().to_path_buf();
    drop(db);
    let file = path.join("persea.sqlite");
    let whole = fs::read(&file).unwrap();
    // Magic, page size, file format, table type of the first page.
    for damaged in [0, 16, 18, 20, 100] {
        let mut bytes = whole.clone();
        bytes[damaged] ^= 0xff;
        fs::write(&file, bytes).unwrap();
        let error = open("toy.persea");
        let clear = ["is not a Persea database", "is damaged", "can only be read"];
        assert!(
            clear.iter().any(|c| error.contains(c)),
            "byte {damaged}: {error}"
        );
    }
    fs::write(&file, &whole[..10]).unwrap();
    assert!(open("toy.persea").contains("cut short"));
    fs::write(&file, &whole[..40_000]).unwrap();
    assert!(open("toy.persea").contains("is damaged"));
}

#[test]
fn a_database_of_a_newer_version_asks_for_a_newer_persea() {
    let (_folder, db) = toy_database();
    let path = db.path().to_path_buf();
    db.connection()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(db);
    let error = Database::open(&path).unwrap_err().to_string();
    assert!(error.contains("its schema is 99"), "{error}");
    assert!(error.contains("update persea"), "{error}");
}

#[test]
fn a_closed_directory_copies_as_it_is() {
    let (folder, db) = toy_database();
    let values: Vec<f32> = (0..200).map(|i| i as f32).collect();
    store_track(&db, "E003", "H3K4me1", &values);
    let from = db.path().to_path_buf();
    drop(db);
    let to = folder.path().join("a copy, 100% #1?.persea");
    for file in files_below(&from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
    let copy = Database::open(&to).unwrap();
    assert_eq!(read_track(&copy, "E003", "H3K4me1"), values);
    store_track(&copy, "E017", "H3K4me1", &values);
    assert!(copy.check().unwrap().is_empty());
}

#[test]
fn a_read_only_medium_can_be_read_and_refuses_writes() {
    let Some(disk) = SmallDisk::mount(8_000) else {
        return;
    };
    let path = disk.path().join("toy.persea");
    let db = Database::create(&path, &toy_parts()).unwrap();
    store_track(&db, "E003", "H3K4me1", &[1.5; 200]);
    drop(db);
    disk.remount_read_only();
    let db = Database::open(&path).unwrap();
    assert!(db.is_read_only());
    assert_eq!(read_track(&db, "E003", "H3K4me1"), [1.5; 200]);
    assert!(db.check().unwrap().is_empty());
    let error = db.begin_track(toy_track("E003", "H3K4me1")).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    let error = db.lock_model("m").unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_to_write_can_be_read_and_refuses_writes() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, db) = toy_database();
    store_track(&db, "E003", "H3K4me1", &[1.5; 200]);
    let path = db.path().to_path_buf();
    drop(db);
    let set_mode = |mode: u32| {
        for entry in ["", "persea.sqlite", "signal.zarr", "locks"] {
            let mode = if entry.contains("sqlite") {
                mode & 0o666
            } else {
                mode
            };
            fs::set_permissions(path.join(entry), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    if fs::write(path.join("probe"), "").is_ok() {
        crate::skipped::skipped("unprivileged", "permissions do not bind this user");
        return;
    }
    let db = Database::open(&path).unwrap();
    assert!(db.is_read_only());
    assert_eq!(read_track(&db, "E003", "H3K4me1"), [1.5; 200]);
    let error = db.remove_track("E003", "H3K4me1").unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    drop(db);
    set_mode(0o755);
    assert!(
        Database::open(&path)
            .unwrap()
            .remove_track("E003", "H3K4me1")
            .is_ok()
    );
    drop(folder);
}

#[test]
fn threads_share_a_database() {
    fn shared<T: Send + Sync>() {}
    shared::<Database>();
    shared::<super::super::SignalArray>();
    let (_folder, db) = toy_database();
    std::thread::scope(|scope| {
        for i in 0..4 {
            let db = &db;
            scope.spawn(move || {
                let biosample = format!("E{i:03}");
                store_track(db, &biosample, "H3K4me1", &[i as f32; 200]);
                assert_eq!(read_track(db, &biosample, "H3K4me1"), [i as f32; 200]);
            });
        }
    });
    assert_eq!(db.tracks().unwrap().len(), 4);
    let ids: std::collections::HashSet<i64> = db.tracks().unwrap().iter().map(|t| t.id).collect();
    assert_eq!(ids.len(), 4);
}
