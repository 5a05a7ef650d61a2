//! Databases of earlier versions, kept in `fixtures/databases`: a folder a schema version, made once
//! by the program that had it (`scripts/fixture_database.sh`), with what that program answered.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use persea::store::Database;
use serde_json::Value;

use super::workspace::{Workspace, copy_folder, is_whole};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

/// The fixture as the database that it was.
fn unpack(fixture: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    copy_folder(&fixture.join("signal.zarr"), &to.join("signal.zarr"));
    let packed = fs::File::open(fixture.join("persea.sqlite.gz")).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .unwrap();
    fs::write(to.join("persea.sqlite"), bytes).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Whether everything that was answered is answered the same; there may be more by now.
fn agrees(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => then
            .iter()
            .all(|(key, value)| now.get(key).is_some_and(|now| agrees(value, now))),
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(a, b)| agrees(a, b))
        }
        _ => then == now,
    }
}

fn floats(path: &Path) -> Vec<f32> {
    let file = fs::File::open(path).unwrap();
    npyz::NpyFile::new(file).unwrap().into_vec().unwrap()
}

/// The schema's version in a database's file.
fn version(database: &Path) -> u64 {
    let connection = rusqlite::Connection::open(database.join("persea.sqlite")).unwrap();
    let read = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    read.unwrap().try_into().unwrap()
}

#[test]
fn databases_of_every_schema_version_give_the_answers_they_gave() {
    let newest = {
        let workspace = Workspace::created();
        version(&workspace.path("x.persea"))
    };
    let fixtures = fixtures();
    // A change of the schema comes with a database of the version before it.
    for earlier in 1..newest {
        let name = format!("schema_{earlier}");
        assert!(fixtures.iter().any(|f| f.ends_with(&name)), "{name}");
    }
    for fixture in fixtures {
        let workspace = Workspace::new();
        let path = workspace.path("x.persea");
        unpack(&fixture, &path);
        let named = format!("schema_{}", version(&path));
        assert!(fixture.ends_with(&named), "{}: {named}", fixture.display());
        let ask = |question: &str, answer: &str| {
            let now = workspace.ok(&format!("{question} --format json")).json();
            let then = json(&fixture.join(answer));
            assert!(agrees(&then, &now), "{}: {then} {now}", fixture.display());
        };
        // The first question brings it up to date; the second is asked of what that left.
        for _ in 0..2 {
            ask("track list", "tracks.json");
            ask("model list", "models.json");
            ask("info", "info.json");
        }
        let experiment = fs::read_to_string(fixture.join("experiment.txt")).unwrap();
        for model in json(&fixture.join("models.json")).as_array().unwrap() {
            let model = model["name"].as_str().unwrap();
            workspace.ok(&format!(
                "impute {} --model {model} --arcsinh --output {model}.npy",
                experiment.trim()
            ));
            let then = floats(&fixture.join(format!("{model}.npy")));
            let now = floats(&workspace.path(&format!("{model}.npy")));
            assert_eq!(then.len(), now.len());
            for (then, now) in then.iter().zip(&now) {
                assert!((then - now).abs() < 1e-6, "{model}: {then} {now}");
            }
        }
        // What no program of then could be asked: it is searched as one of today's.
        let answer = workspace
            .ok("similar position chr1:5,010 -k 1 --exclude none --format json")
            .json();
        let hit = &answer["hits"][0];
        assert_eq!(
            (&hit["start"], &hit["distance"]),
            (&5_000.into(), &0.0.into())
        );
        assert_eq!(version(&path), newest);
        is_whole(&path);
        // And it lives on as one of today's.
        let db = Database::open(&path).unwrap();
        let name = db.tracks().unwrap()[0].biosample.clone();
        db.rename_biosample(&name, "renamed").unwrap();
        drop(db);
        is_whole(&path);
        workspace.ok("backup copy.persea");
        is_whole(&workspace.path("copy.persea"));
    }
}
