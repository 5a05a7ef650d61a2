//! A database with edits in one of its files: it answers as before, or fails.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use persea::store::Database;
use persea_fuzz::databases::{self, Answers};
use persea_fuzz::{edited, setting};

struct Whole {
    folder: PathBuf,
    /// Each file below the folder, with its bytes.
    files: Vec<(PathBuf, Vec<u8>)>,
    answers: Answers,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = setting().path("x.persea");
        databases::make(&folder);
        let database = Database::open(&folder).expect("it is whole");
        let answers = databases::answers(&database).expect("it is whole");
        drop(database);
        let mut files = Vec::new();
        databases::files_below(&folder, &mut files);
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
    if let Ok(database) = Database::open(&whole.folder) {
        databases::read_everything(&database);
        if let Some(answers) = databases::answers(&database) {
            assert_eq!(answers, whole.answers, "{}", path.display());
        }
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
