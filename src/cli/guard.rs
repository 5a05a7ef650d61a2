//! What no output replaces: a file that this command reads, and a file that a track was read from.

use std::path::{Path, PathBuf};

use persea::store::Database;

/// Makes outputs refuse to replace inputs: files that the command line names twice, and sources of the
/// database's tracks.
pub fn protect_inputs(db: Option<PathBuf>) {
    persea::files::guard_outputs(Box::new(move |place| {
        let place = place.canonicalize().ok()?;
        if n_named(&place, std::env::args()) > 1 {
            return Some("is an input of this command too; choose another name".into());
        }
        source_of(&place, db.as_deref()?)
    }));
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
