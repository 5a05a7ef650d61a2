//! A database with edits in one of its files: it answers as before, or fails.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use persea::model::TrainedModel;
use persea::store::Database;
use persea_fuzz::{edited, setting};

struct Whole {
    folder: PathBuf,
    /// Each file below the folder, with its bytes.
    files: Vec<(PathBuf, Vec<u8>)>,
    answers: Answers,
}

#[derive(Debug, PartialEq)]
struct Answers {
    tracks: Vec<String>,
    signal: Vec<u32>,
    models: Vec<String>,
}

/// Everything that is read; `None` where anything fails.
fn ask(folder: &Path) -> Option<Answers> {
    let database = Database::open(folder).ok()?;
    let _ = database.check();
    let tracks = database.tracks().ok()?;
    let mut signal = Vec::new();
    for track in &tracks {
        let mut bins = vec![0.0; database.axis().n_bins() as usize];
        let whole = 0..bins.len() as u64;
        database.signal(track).ok()?.read(whole, &mut bins).ok()?;
        signal.extend(bins.iter().map(|v| v.to_bits()));
    }
    let mut models = Vec::new();
    for model in database.list_models().ok()? {
        TrainedModel::open(&database, Some(&model.record.name)).ok()?;
        models.push(format!("{} {}", model.record.name, model.checksum));
    }
    let name = |t: &persea::store::Track| format!("{} {}", t.biosample, t.assay);
    Some(Answers {
        tracks: tracks.iter().map(name).collect(),
        signal,
        models,
    })
}

fn below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => below(&path, found),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = setting().path("x.persea");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/databases/schema_9");
        copy(&fixture.join("signal.zarr"), &folder.join("signal.zarr"));
        let packed = fs::File::open(fixture.join("persea.sqlite.gz")).unwrap();
        let mut file = fs::File::create(folder.join("persea.sqlite")).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut file).unwrap();
        let answers = ask(&folder).expect("the fixture is whole");
        let mut files = Vec::new();
        below(&folder, &mut files);
        files.retain(|(path, bytes)| {
            !bytes.is_empty() && path.extension().is_none_or(|e| e != "lock")
        });
        Whole {
            folder,
            files,
            answers,
        }
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, edits)) = data.split_first() else {
        return;
    };
    let whole = whole();
    let (path, bytes) = &whole.files[usize::from(*choice) % whole.files.len()];
    fs::write(path, edited(bytes, edits)).unwrap();
    if let Some(answers) = ask(&whole.folder) {
        assert_eq!(answers, whole.answers, "{}", path.display());
    }
    // What the next run finds is the whole database again.
    let _ = fs::remove_file(whole.folder.join("persea.sqlite-wal"));
    let _ = fs::remove_file(whole.folder.join("persea.sqlite-shm"));
    for (path, bytes) in &whole.files {
        if fs::read(path).ok().as_ref() != Some(bytes) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
});
