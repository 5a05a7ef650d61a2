//! A log that was damaged after a kill, from its discovery to its repair.

use std::fs;

use persea::store::Database;

use super::workspace::{Workspace, copy_folder};

#[test]
fn tracks_that_a_damaged_log_took_back_are_listed_by_check_and_adopted_by_repair() {
    let workspace = Workspace::created();
    {
        // Open until the copy is made, so that the log is not put away.
        let database = Database::open(&workspace.path("x.persea")).unwrap();
        workspace.ok("ingest sim/manifest.tsv");
        copy_folder(
            &workspace.path("x.persea"),
            &workspace.path("killed.persea"),
        );
        drop(database);
    }
    let _ = fs::remove_file(workspace.path("killed.persea/persea.sqlite-shm"));
    fs::remove_dir_all(workspace.path("x.persea")).unwrap();
    copy_folder(
        &workspace.path("killed.persea"),
        &workspace.path("x.persea"),
    );
    let log = workspace.path("x.persea/persea.sqlite-wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();

    let check = workspace.run("check --format json");
    assert_eq!(check.code, Some(1), "{check}");
    let findings = check.json();
    let findings = findings.as_array().unwrap();
    assert_eq!(findings[0]["what"], "persea.sqlite-wal", "{check}");
    let lost = 12 - workspace.tracks().len();
    assert!(lost > 0 && findings.len() == 1 + lost, "{check}");
    workspace
        .run("ingest sim/manifest.tsv")
        .fails(&["committed", "persea repair"]);
    let listed = workspace.run("repair --format json");
    assert_eq!(listed.code, Some(1), "{listed}");
    assert_eq!(listed.json().as_array().unwrap().len(), lost, "{listed}");
    assert_eq!(listed.json()[0]["state"], "can be adopted", "{listed}");
    workspace
        .ok("repair --adopt")
        .says(&["can be written to again"]);
    assert_eq!(workspace.tracks().len(), 12);
    workspace.is_whole();
    workspace.ok("repair").says(&["nothing to repair"]);
    // They are the tracks that they were: nothing is read again.
    let again = workspace.ok("ingest sim/manifest.tsv --format json").json();
    assert_eq!(again[0]["ingested"], 0, "{again}");
    workspace.is_whole();
}
