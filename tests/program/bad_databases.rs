//! Folders that are no database, newer ones, damaged ones, and those that somebody else writes to.

use std::fs;
use std::path::Path;
use std::process::Command;

use persea::formats::identity;
use persea::store::{Database, NewTrack, TrackSource, Transform};

use super::workspace::Workspace;

fn schema(database: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(database.join("persea.sqlite")).unwrap()
}

#[test]
fn a_database_made_by_a_newer_version_is_left_alone() {
    let workspace = Workspace::ingested();
    let connection = schema(&workspace.path("x.persea"));
    let known: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    connection
        .pragma_update(None, "user_version", known + 1)
        .unwrap();
    drop(connection);
    let newer = format!("its schema is {}, this one knows {known}", known + 1);
    for arguments in [
        "info",
        "check",
        "ingest sim/manifest.tsv",
        "track list",
        "model list",
    ] {
        workspace
            .run(arguments)
            .fails(&["x.persea", "newer Persea", &newer, "update persea"]);
    }
    // It was not changed: the newer version finds it as it left it.
    let connection = schema(&workspace.path("x.persea"));
    connection
        .pragma_update(None, "user_version", known)
        .unwrap();
    drop(connection);
    workspace.is_whole();
    assert_eq!(workspace.tracks().len(), 12);
}

#[test]
fn what_is_no_database_is_refused_with_the_reason() {
    let workspace = Workspace::new();
    workspace
        .run("info")
        .fails(&["x.persea is not there", "persea create"]);
    workspace.write("x.persea", "text");
    workspace
        .run("info")
        .fails(&["x.persea is not a Persea database", "not a folder"]);
    fs::remove_file(workspace.path("x.persea")).unwrap();
    fs::create_dir(workspace.path("x.persea")).unwrap();
    workspace
        .run("info")
        .fails(&["x.persea is not a Persea database"]);
    workspace.write(
        "x.persea/persea.sqlite",
        "not SQLite, whatever it is called",
    );
    workspace
        .run("info")
        .fails(&["x.persea is not a Persea database"]);
    fs::remove_file(workspace.path("x.persea/persea.sqlite")).unwrap();
    schema(&workspace.path("x.persea"))
        .execute_batch("CREATE TABLE somebody_elses (x)")
        .unwrap();
    workspace
        .run("info")
        .fails(&["x.persea is not a Persea database"]);
}

#[test]
fn without_a_database_named_the_program_asks_which() {
    let output = Command::new(env!("CARGO_BIN_EXE_persea"))
        .arg("info")
        .env_remove("PERSEA_DB")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("--db") && stderr.contains("PERSEA_DB"),
        "{stderr}"
    );
}

#[test]
fn a_database_is_never_created_over_another() {
    let workspace = Workspace::ingested();
    workspace
        .run("create --assembly hg38 --chromosomes chr21")
        .fails(&["x.persea exists already", "another name"]);
    assert_eq!(workspace.tracks().len(), 12);
}

#[test]
fn a_second_writer_of_a_track_learns_which_process_holds_the_lock() {
    let workspace = Workspace::created();
    let database = Database::open(&workspace.path("x.persea")).unwrap();
    let file = persea::formats::Location::Path(workspace.path("sim/tracks/S1.H3K4me3.bigwig"));
    let writer = database
        .begin_track(NewTrack {
            biosample: "S1".into(),
            assay: "H3K4me3".into(),
            transform: Transform::Arcsinh,
            unit: None,
            sources: vec![TrackSource {
                location: file.to_string(),
                format: None,
                identity: identity(&file).unwrap(),
                checksum: "being read".into(),
                multiplier: 1.0,
                missing: persea::formats::Missing::Zero,
                origin: None,
            }],
            values: Default::default(),
            normalisation: None,
        })
        .unwrap();
    let outcome = workspace
        .run("ingest sim/manifest.tsv --format json")
        .fails(&[
            "S1 H3K4me3",
            &format!("being written by process {}", std::process::id()),
            "wait until it is done, or stop it",
        ]);
    assert_eq!(outcome.json()[0]["ingested"], 11, "the others are nobody's");
    drop(writer);
    drop(database);
    workspace.ok("ingest sim/manifest.tsv");
    assert_eq!(workspace.tracks().len(), 12);
    workspace.is_whole();
}

#[test]
fn damage_to_a_tracks_bytes_is_found_and_named_by_check() {
    let workspace = Workspace::ingested();
    let shards = chunks(&workspace.path("x.persea/signal.zarr"));
    let mut bytes = fs::read(&shards[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&shards[0], bytes).unwrap();
    let findings = workspace.run("check --format json");
    assert_eq!(findings.code, Some(1), "{findings}");
    assert_eq!(findings.json().as_array().unwrap().len(), 1, "{findings}");
    fs::remove_file(&shards[1]).unwrap();
    let findings = workspace.run("check --format json");
    assert_eq!(findings.code, Some(1), "{findings}");
    assert!(findings.json().as_array().unwrap().len() >= 2, "{findings}");
    // To ingest again what is damaged heals it: first the row, then the bytes.
    let damaged: Vec<String> = (findings.json().as_array().unwrap().iter())
        .map(|f| f["what"].as_str().unwrap().to_string())
        .collect();
    let of_damaged = |t: &&String| damaged.iter().any(|d| d.contains(t.as_str()));
    for track in workspace.tracks().iter().filter(of_damaged) {
        workspace.ok(&format!("track remove {}", track.replace(' ', ":")));
    }
    assert_eq!(workspace.tracks().len(), 10, "{damaged:?}");
    workspace.ok("ingest sim/manifest.tsv");
    workspace.is_whole();
}

/// The files of the arrays' chunks, of different arrays, in order.
fn chunks(zarr: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![zarr.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent().unwrap().ends_with("c") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn damage_to_a_models_numbers_is_found_and_never_imputed_from() {
    let workspace = Workspace::trained();
    let connection = schema(&workspace.path("x.persea"));
    let n_damaged = connection
        .execute("UPDATE model_chunks SET data = zeroblob(length(data))", [])
        .unwrap();
    drop(connection);
    assert!(n_damaged > 0);
    let check = workspace.run("check --format json");
    assert_eq!(check.code, Some(1), "{check}");
    workspace
        .run("impute S1:H3K4me3 --output a.bw")
        .fails(&["damaged"]);
    assert!(!workspace.path("a.bw").exists());
}
