//! What no output replaces: a file that this command reads, and a file that a track was read from.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use persea::store::Database;

/// What one command line may not replace.
#[derive(Debug, Clone, Default)]
struct Inputs {
    db: Option<PathBuf>,
    arguments: Vec<String>,
}

/// The commands that run in this process: one, or several of a host.
static RUNNING: Mutex<Vec<Arc<Inputs>>> = Mutex::new(Vec::new());

/// While this lives, outputs refuse to replace the command's inputs.
#[derive(Debug)]
pub struct Protected(Arc<Inputs>);

impl Drop for Protected {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

/// Makes outputs refuse to replace inputs: files that the command line names twice, and sources of the
/// database's tracks.
#[must_use]
pub fn protect_inputs(db: Option<PathBuf>, arguments: Vec<String>) -> Protected {
    let inputs = Arc::new(Inputs { db, arguments });
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.push(Arc::clone(&inputs));
    drop(running);
    persea::files::guard_outputs(Box::new(why_kept));
    Protected(inputs)
}

/// Says why a file must stay, if it must.
fn why_kept(place: &Path) -> Option<String> {
    let place = place.canonicalize().ok()?;
    let running = RUNNING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    running.iter().find_map(|inputs| {
        if n_named(&place, inputs.arguments.iter().cloned()) > 1 {
            return Some("is an input of this command too; choose another name".into());
        }
        source_of(&place, inputs.db.as_deref()?)
    })
}

/// How many arguments name a file.
fn n_named(place: &Path, arguments: impl Iterator<Item = String>) -> usize {
    let is_it = |text: &str| {
        Path::new(text)
            .canonicalize()
            .is_ok_and(|path| path == place)
    };
    let names_it = |argument: &String| {
        is_it(argument)
            || argument
                .split_once('=')
                .is_some_and(|(_, value)| is_it(value))
    };
    arguments.skip(1).filter(names_it).count()
}

/// Says of which track a file is the source.
fn source_of(place: &Path, db: &Path) -> Option<String> {
    // Without a database there are no tracks, and with a damaged one the command fails anyway.
    let tracks = Database::open(db).ok()?.tracks().ok()?;
    for track in tracks {
        for source in &track.sources {
            if Path::new(&source.location)
                .canonicalize()
                .is_ok_and(|path| path == place)
            {
                return Some(format!(
                    "is the file that track {} {} was read from, and is not replaced; choose another \
                     name",
                    track.biosample, track.assay
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_every_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.bed");
        persea::files::write_text(&file, b"").unwrap();
        let place = file.canonicalize().unwrap();
        let other = folder.path().join(".").join("a.bed");
        let count = |arguments: &[String]| n_named(&place, arguments.iter().cloned());
        let [file, other] = [&file, &other].map(|path| path.display().to_string());
        let program = "persea".to_string();
        assert_eq!(count(&[program.clone(), file.clone()]), 1);
        assert_eq!(count(&[program, file, format!("--output={other}")]), 2);
    }
}
