//! The work that is recorded, and what must be there after a cut in the middle of it.
//!
//! Before and after each step the process appends a line to the file `marks`: `begin THING STATE`, then
//! `done THING STATE`. After a cut each thing must be in the state that was done last, or in one that had
//! been begun since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use persea::genome::{Assembly, GenomeAxis, Interval};
use persea::store::{
    Database, ModelKind, ModelRecord, NewDatabase, NewTrack, Precision, Severity, Transform,
};

/// Where the database grows, below the recorded folder.
pub const DATABASE: &str = "x.persea";
pub const BACKUP: &str = "copy.persea";
pub const MARKS: &str = "marks";

/// A state of a thing; `None` is absence.
type State = Option<String>;

struct Marks<'a>(&'a Path);

impl Marks<'_> {
    fn write(&self, line: &str) {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).open(self.0).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn step<T>(&self, thing: &str, state: &str, work: impl FnOnce() -> T) -> T {
        self.write(&format!("begin {thing} {state}"));
        let value = work();
        self.write(&format!("done {thing} {state}"));
        value
    }
}

fn new_database() -> NewDatabase {
    NewDatabase {
        axis: GenomeAxis::whole_chromosomes(Assembly::by_name("hg19").unwrap(), &["chrM"]).unwrap(),
        mask: vec![Interval::new("chrM", 0, 100)],
        genes: Vec::new(),
        enhancers: Vec::new(),
    }
}

/// The values of a track at one of its versions.
fn values(biosample: &str, version: &str) -> Vec<f32> {
    let seed = blake3::hash(format!("{biosample} {version}").as_bytes());
    let seed = u32::from_le_bytes(seed.as_bytes()[..4].try_into().unwrap());
    let value = |i: u32| (seed.wrapping_add(i).wrapping_mul(2_654_435_761) >> 20) as f32 / 64.0;
    (0..663).map(value).collect()
}

fn store_track(database: &Database, biosample: &str, version: &str) {
    let mut writer = database
        .begin_track(NewTrack {
            biosample: biosample.into(),
            assay: "A".into(),
            transform: Transform::Arcsinh,
            unit: None,
            sources: Vec::new(),
            values: Default::default(),
            normalisation: None,
        })
        .unwrap();
    writer.write(0, &values(biosample, version)).unwrap();
    writer.commit().unwrap();
}

fn store_model(database: &Database, version: &str) {
    let record = ModelRecord {
        name: "m".into(),
        kind: ModelKind::Avocado,
        config: serde_json::json!({}),
        seed: 0,
        training: serde_json::json!({}),
        precision: Precision::F32,
        biosamples: vec!["S1".into()],
        assays: vec!["A".into()],
        tracks: Vec::new(),
        regions: database.axis().regions().to_vec(),
    };
    let lock = database.lock_model("m").unwrap();
    let mut writer = database.begin_model(&lock, &record, true).unwrap();
    let numbers: Vec<f32> = values("model", version).repeat(100);
    writer.tensor("t", 663, 100, Some(0), &numbers).unwrap();
    writer.commit().unwrap();
}

/// Does everything that the store does, in a folder of its own.
pub fn work(folder: &Path) {
    let path = folder.join(MARKS);
    let marks = Marks(&path);
    let database = folder.join(DATABASE);
    let database = marks.step("database", "made", || {
        Database::create(&database, &new_database()).unwrap()
    });
    // Two threads at once, each with a track of its own that it replaces.
    std::thread::scope(|scope| {
        for biosample in ["S1", "S2"] {
            let (marks, database) = (&marks, &database);
            scope.spawn(move || {
                for version in ["1", "2", "3"] {
                    marks.step(&format!("track:{biosample}"), version, || {
                        store_track(database, biosample, version);
                    });
                }
            });
        }
    });
    marks.step("model", "1", || store_model(&database, "1"));
    // Closed and opened: the log is put away, and begun anew.
    drop(database);
    let database = Database::open(&folder.join(DATABASE)).unwrap();
    marks.step("track:S3", "1", || store_track(&database, "S3", "1"));
    marks.step("name:S3", "T3", || {
        database.rename_biosample("S3", "T3").unwrap()
    });
    marks.step("backup", "made", || {
        database.backup(&folder.join(BACKUP), &mut |_| {}).unwrap()
    });
    std::thread::scope(|scope| {
        scope.spawn(|| marks.step("model", "2", || store_model(&database, "2")));
        scope.spawn(|| marks.step("track:S1", "4", || store_track(&database, "S1", "4")));
    });
    for step in 1..=3 {
        let lock = database.lock_model("trained").unwrap();
        let content = values("checkpoint", &step.to_string());
        let bytes: Vec<u8> = content.iter().flat_map(|v| v.to_le_bytes()).collect();
        marks.step("checkpoint", &step.to_string(), || {
            database
                .save_checkpoint(&lock, step, &[("part", &bytes)])
                .unwrap();
        });
    }
    marks.step("track:S2", "absent", || {
        database.remove_track("S2", "A").unwrap()
    });
    marks.step("model", "absent", || database.delete_model("m").unwrap());
}

/// The states in which each thing may be, from the marks that had been written by the cut.
pub fn allowed(marks: &str) -> BTreeMap<String, BTreeSet<State>> {
    let state = |text: &str| (text != "absent").then(|| text.to_string());
    let mut allowed: BTreeMap<String, BTreeSet<State>> = BTreeMap::new();
    for line in marks.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, thing, after] = words.as_slice() else {
            panic!("the mark `{line}`");
        };
        let states = allowed.entry(thing.to_string()).or_insert_with(|| {
            let before = match *thing {
                "name:S3" => Some("S3".to_string()),
                _ => None,
            };
            BTreeSet::from([before])
        });
        match *what {
            "begin" => states.insert(state(after)),
            _ => {
                *states = BTreeSet::from([state(after)]);
                true
            }
        };
    }
    allowed
}

/// What is wrong with what a cut has left.
pub fn faults(folder: &Path, marks: &str) -> Vec<String> {
    let allowed = allowed(marks);
    let mut faults = Vec::new();
    for (thing, name) in [("database", DATABASE), ("backup", BACKUP)] {
        let is_there = folder.join(name).exists();
        let found = is_there.then(|| "made".to_string());
        expect_in(&allowed, thing, found, &mut faults);
    }
    if !folder.join(DATABASE).exists() {
        return faults;
    }
    let database = match Database::open(&folder.join(DATABASE)) {
        Ok(database) => database,
        Err(e) => {
            faults.push(format!("it does not open: {e}"));
            return faults;
        }
    };
    let mut of_name = None;
    for biosample in ["S1", "S2", "S3", "T3"] {
        let stored = match found_track(&database, biosample) {
            Ok(stored) => stored,
            Err(why) => {
                faults.push(why);
                continue;
            }
        };
        match biosample {
            "S3" | "T3" => {
                if stored.is_some() {
                    of_name = Some((biosample.to_string(), stored));
                }
            }
            _ => expect_in(&allowed, &format!("track:{biosample}"), stored, &mut faults),
        }
    }
    let (name, stored) = match of_name {
        Some((name, stored)) => (Some(name), stored),
        None => (None, None),
    };
    expect_in(&allowed, "track:S3", stored.clone(), &mut faults);
    if stored.is_some() && allowed.contains_key("name:S3") {
        expect_in(&allowed, "name:S3", name, &mut faults);
    }
    match found_model(&database) {
        Ok(model) => expect_in(&allowed, "model", model, &mut faults),
        Err(why) => faults.push(why),
    }
    match database.latest_checkpoint("trained") {
        Ok(found) => {
            let step = found.map(|c| c.step().to_string());
            expect_in(&allowed, "checkpoint", step, &mut faults);
        }
        Err(e) => faults.push(e.to_string()),
    }
    faults.extend(damage(&database));
    if folder.join(BACKUP).exists() {
        match Database::open(&folder.join(BACKUP)) {
            Ok(backup) => faults.extend(damage(&backup)),
            Err(e) => faults.push(format!("the backup does not open: {e}")),
        }
    }
    faults
}

/// Goes on working after the cut: the next writer sweeps, and the database is whole to the last note.
pub fn faults_of_the_next_writer(folder: &Path) -> Vec<String> {
    let work = || -> Result<Vec<String>, persea::store::StoreError> {
        let database = Database::open(&folder.join(DATABASE))?;
        store_track(&database, "S9", "1");
        let findings = database.check()?;
        Ok(findings
            .iter()
            .map(|f| format!("{}: {}", f.what, f.message))
            .collect())
    };
    work().unwrap_or_else(|e| vec![e.to_string()])
}

fn expect_in(
    allowed: &BTreeMap<String, BTreeSet<State>>,
    thing: &str,
    found: State,
    faults: &mut Vec<String>,
) {
    let allowed = allowed.get(thing).cloned();
    let allowed = allowed.unwrap_or_else(|| BTreeSet::from([None]));
    if !allowed.contains(&found) {
        faults.push(format!("{thing} is {found:?}, of {allowed:?}"));
    }
}

fn damage(database: &Database) -> Vec<String> {
    let mut faults: Vec<String> = database.lost_commits().into_iter().collect();
    match database.check() {
        Ok(findings) => faults.extend(
            (findings.iter())
                .filter(|f| f.severity == Severity::Damage)
                .map(|f| format!("{}: {}", f.what, f.message)),
        ),
        Err(e) => faults.push(e.to_string()),
    }
    faults
}

/// Which version of a track there is.
fn found_track(database: &Database, biosample: &str) -> Result<State, String> {
    let Some(track) = database.track(biosample, "A").map_err(|e| e.to_string())? else {
        return Ok(None);
    };
    let signal = database.signal(&track).map_err(|e| e.to_string())?;
    let mut read = vec![0.0; 663];
    signal.read(0..663, &mut read).map_err(|e| e.to_string())?;
    // A track keeps its first name's values.
    let first = if biosample == "T3" { "S3" } else { biosample };
    ["1", "2", "3", "4"]
        .into_iter()
        .find(|version| values(first, version) == read)
        .map(|version| Some(version.to_string()))
        .ok_or_else(|| format!("track {biosample} has values that nobody wrote"))
}

/// Which version of the model there is.
fn found_model(database: &Database) -> Result<State, String> {
    let models = database.list_models().map_err(|e| e.to_string())?;
    let Some(model) = models.iter().find(|m| m.record.name == "m") else {
        return Ok(None);
    };
    let mut read = vec![0.0; 66_300];
    database
        .read_tensor(model, "t", Some(0), 0..663, &mut read)
        .map_err(|e| e.to_string())?;
    ["1", "2"]
        .into_iter()
        .find(|version| values("model", version).repeat(100) == read)
        .map(|version| Some(version.to_string()))
        .ok_or_else(|| "the model has numbers that nobody wrote".to_string())
}
