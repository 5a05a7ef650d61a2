//! Damage to `persea.sqlite`: every page, every cut, lies in tables.

use std::fs;
use std::path::Path;

use super::super::test_support::*;
use super::super::{Database, Severity, StoreError, check_database};
use super::models::store_model;

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
    // Bytes that no row uses may be changed without harm: half of the pages are of tables without a row.
    assert!(n_found > n_pages * 2 / 5, "{n_found} of {n_pages}");
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
