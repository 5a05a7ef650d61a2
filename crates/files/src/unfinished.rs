//! Unfinished outputs: how they are named, who removes those that a killed process left, and when.
//!
//! An output grows beside its place as `.persea-XXXXXX.part`, a file or a folder. Its process holds an
//! advisory lock on it, which the system gives back when the process ends, however it ends. So an
//! unfinished output that can be locked is nobody's. Whoever begins an output in a folder first removes
//! those there that are nobody's. Where the file system has no such locks nothing is removed.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempDir};

const PREFIX: &str = ".persea-";
const SUFFIX: &str = ".part";

/// How long a folder that has been swept is left alone: thousands of outputs go into one folder.
const SWEPT_FOR: Duration = Duration::from_secs(60);

/// How often an output is begun again because a sweep was faster than its lock.
const ATTEMPTS: usize = 100;

/// A folder under construction beside its place; dropped before it is renamed, it is removed.
#[derive(Debug)]
pub struct UnfinishedFolder {
    folder: TempDir,
    /// `None` where the file system has no locks.
    _lock: Option<File>,
}

impl UnfinishedFolder {
    /// Begins a folder in another one, after those in there that killed processes left are removed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin_in(parent: &Path) -> io::Result<Self> {
        sweep_now_and_then(parent);
        let begun = begin(|| {
            let mut builder = named();
            #[cfg(unix)]
            {
                // As any other new folder: the default of a temporary one hides it from colleagues.
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o777));
            }
            let folder = builder.tempdir_in(parent)?;
            let path = folder.path().to_path_buf();
            match File::open(&path) {
                Ok(file) => Ok(Some(((folder, file), path))),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(e) => Err(e),
            }
        });
        let ((folder, file), is_locked) = begun?;
        Ok(UnfinishedFolder {
            folder,
            _lock: is_locked.then_some(file),
        })
    }

    /// Where it is while it grows.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name. Nothing is synced.
    ///
    /// # Errors
    /// When something stands there or the disk cannot be written; the folder is then removed.
    pub fn rename(self, place: &Path) -> io::Result<()> {
        fs::rename(self.folder.path(), place)?;
        // It has moved: there is nothing left to remove.
        let _ = self.folder.keep();
        Ok(())
    }
}

/// Begins a file in a folder, after those in there that killed processes left are removed. The file holds
/// its lock for as long as it is open.
pub(crate) fn begin_file_in(parent: &Path) -> io::Result<NamedTempFile> {
    sweep_now_and_then(parent);
    let begun = begin(|| {
        let mut builder = named();
        #[cfg(unix)]
        {
            // As any other new file: the default of a temporary one hides it from colleagues.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(parent)?;
        let path = file.path().to_path_buf();
        Ok(Some((file, path)))
    });
    begun.map(|(file, _)| file)
}

fn named() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    builder
}

/// What can be locked through an open file.
trait Locked {
    fn file(&self) -> &File;
}

impl Locked for NamedTempFile {
    fn file(&self) -> &File {
        self.as_file()
    }
}

impl Locked for (TempDir, File) {
    fn file(&self) -> &File {
        &self.1
    }
}

/// Makes and locks; makes another where a sweep has come in between (`None`). Whether it is locked is
/// returned.
fn begin<T: Locked>(make: impl Fn() -> io::Result<Option<(T, PathBuf)>>) -> io::Result<(T, bool)> {
    for _ in 0..ATTEMPTS {
        let Some((made, path)) = make()? else {
            continue;
        };
        match made.file().try_lock() {
            Ok(()) if is_same(made.file(), &path) => return Ok((made, true)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return Ok((made, false)),
        }
    }
    Err(io::Error::other(
        "its unfinished output is removed again and again by another process",
    ))
}

/// Sweeps a folder, unless that was done a moment ago.
fn sweep_now_and_then(folder: &Path) {
    static SWEPT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
    // Relative names mean other folders once the current one has changed.
    let Ok(folder) = folder.canonicalize() else {
        return;
    };
    {
        let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if swept
            .get(&folder)
            .is_some_and(|at| at.elapsed() < SWEPT_FOR)
        {
            return;
        }
        swept.insert(folder.clone(), Instant::now());
    }
    sweep_unfinished(&folder);
}

/// Removes the unfinished outputs in a folder whose processes are no more, and gives their number. What
/// cannot be removed stays for the next sweep.
pub fn sweep_unfinished(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let left = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    });
    left.filter(|entry| remove_if_nobodys(&entry.path()))
        .count()
}

fn remove_if_nobodys(path: &Path) -> bool {
    // A link, a pipe or a device of such a name is none of ours.
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    if !found.is_file() && !found.is_dir() {
        return false;
    }
    let Ok(file) = File::open(path) else {
        return false;
    };
    if file.try_lock().is_err() || !is_same(&file, path) {
        return false;
    }
    tracing::info!("removing {}, which a killed process left", path.display());
    let removed = match found.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    removed.is_ok()
}

/// Whether a path still leads to an open file.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    // An open file cannot be removed there, so the name still leads to it.
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a killed process leaves: the output is there, and nobody holds it.
    fn abandon(folder: &Path) -> [PathBuf; 2] {
        let file = begin_file_in(folder).unwrap();
        let (_, file) = file.keep().unwrap();
        let UnfinishedFolder { folder: made, .. } = UnfinishedFolder::begin_in(folder).unwrap();
        let made = made.keep();
        fs::write(made.join("inside"), "1").unwrap();
        [file, made]
    }

    #[test]
    fn what_killed_processes_left_is_removed_and_what_others_write_stays() {
        let place = tempfile::tempdir().unwrap();
        let left = abandon(place.path());
        let (live_file, live_folder) = (
            begin_file_in(place.path()).unwrap(),
            UnfinishedFolder::begin_in(place.path()).unwrap(),
        );
        for name in [".persea-notes", "x.part", ".other.part"] {
            fs::write(place.path().join(name), "the user's").unwrap();
        }
        assert_eq!(sweep_unfinished(place.path()), 2);
        assert!(left.iter().all(|path| !path.exists()));
        assert!(live_file.path().exists() && live_folder.path().exists());
        drop(live_file);
        live_folder.rename(&place.path().join("whole")).unwrap();
        assert_eq!(sweep_unfinished(place.path()), 0);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 4);
    }

    #[test]
    fn many_writers_and_sweeps_at_once_lose_no_output() {
        let place = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let place = place.path();
                scope.spawn(move || {
                    for i in 0..100 {
                        sweep_unfinished(place);
                        let file = begin_file_in(place).unwrap();
                        sweep_unfinished(place);
                        file.persist(place.join(format!("{writer}-{i}"))).unwrap();
                        let folder = UnfinishedFolder::begin_in(place).unwrap();
                        fs::write(folder.path().join("inside"), "1").unwrap();
                        folder
                            .rename(&place.join(format!("{writer}-{i}-d")))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 800);
    }
}
