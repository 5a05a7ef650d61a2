//! Advisory locks on files: one writer a track, one a model, however many processes there are.
//!
//! The system drops a lock when its process ends, however it ends, so no lock is ever stale. The
//! file holds the number of the process for the error message. SQLite's own lock is held only for
//! the milliseconds of a transaction; these are held for as long as the work takes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;
use super::durable::make_folder;

/// The file that readers of models share, and a writer who removes one has alone for a moment.
const READERS: &str = "readers.lock";

/// The file that writers share, and a sweep has alone.
const WRITERS: &str = "writers.lock";

/// For how long a lock that is held is asked for again: a sweep holds it for an instant.
const INSTANT: Duration = Duration::from_millis(20);

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Held open for as long as the lock is.
    file: File,
    /// Removed with the lock when nobody but its holder has a use for the file.
    remove: Option<PathBuf>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed before the lock goes with the file's closing; `same_file` guards those who have
        // opened it meanwhile. A lock that cannot be given back is given back by the system.
        if let Some(path) = &self.remove {
            let _ = std::fs::remove_file(path);
        }
        let _ = self.file.unlock();
    }
}

/// Locks one thing for its only writer. `what` names it in the error.
pub(crate) fn lock_one(
    folder: &Path,
    kind: &str,
    name: &str,
    what: &str,
) -> Result<Lock, StoreError> {
    make_folder(folder)?;
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let path = folder.join(format!("{kind}-{}.lock", &hash[..16]));
    let began = Instant::now();
    loop {
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if began.elapsed() < INSTANT => {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    what: what.to_string(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io(&path, e)),
        }
        // Whoever held it before may have removed the file between our opening and locking it.
        if !same_file(&file, &path) {
            continue;
        }
        let note = format!("process {}", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(note.as_bytes()))
            .map_err(|e| StoreError::io(&path, e))?;
        return Ok(Lock {
            file,
            remove: Some(path),
        });
    }
}

/// Takes part in writing tracks and models: shared by all writers. Waits for a sweep to end.
pub(crate) fn join_writers(folder: &Path) -> Result<Lock, StoreError> {
    let (path, file) = writers(folder)?;
    file.lock_shared().map_err(|e| StoreError::io(&path, e))?;
    Ok(Lock { file, remove: None })
}

/// Shuts all writers of tracks and models out; `None` when there is one.
pub(crate) fn exclude_writers(folder: &Path) -> Result<Option<Lock>, StoreError> {
    let (path, file) = writers(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { file, remove: None })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(StoreError::io(&path, e)),
    }
}

/// Removes the files of locks that killed processes held.
pub(crate) fn remove_unheld(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let is_shared = path.ends_with(READERS) || path.ends_with(WRITERS);
        if is_shared || path.extension().is_none_or(|e| e != "lock") {
            continue;
        }
        // Locked before it is removed, as by whoever gives a lock back.
        let Ok(file) = File::open(&path) else {
            continue;
        };
        if file.try_lock().is_ok() && same_file(&file, &path) {
            // Such a file is in nobody's way; the next sweep may have more luck.
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Takes part in reading models, as all readers do. `None` where the file can be neither made nor opened:
/// there nobody writes either, and what a writer elsewhere takes away is [`StoreError::Replaced`].
pub(crate) fn join_readers(folder: &Path) -> Option<Lock> {
    let path = folder.join(READERS);
    let file = open(&path).ok().or_else(|| File::open(&path).ok())?;
    file.lock_shared().ok()?;
    Some(Lock { file, remove: None })
}

/// Whether everybody who read a model when this was called has done so; waits for it so long at most.
/// Whoever begins to read meanwhile does not see what was deleted before.
pub(crate) fn readers_are_done(folder: &Path, patience: Duration) -> Result<bool, StoreError> {
    make_folder(folder)?;
    let path = folder.join(READERS);
    let file = open(&path)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            // Let go at once, with the file: to have had it alone is all that is asked.
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if began.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(e)) => return Err(StoreError::io(&path, e)),
        }
    }
}

fn writers(folder: &Path) -> Result<(PathBuf, File), StoreError> {
    make_folder(folder)?;
    let path = folder.join(WRITERS);
    let file = open(&path)?;
    Ok((path, file))
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| StoreError::io(path, e))
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut note));
    match read {
        Ok(_) if !note.is_empty() => note,
        _ => "another process".to_string(),
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    // An open file cannot be removed there, so the name still leads to it.
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_learns_which_process_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock_one(folder.path(), "track", "a", "track a").unwrap();
        let error = lock_one(folder.path(), "track", "a", "track a").unwrap_err();
        let expected = format!(
            "track a is being written by process {}; wait until it is done, or stop it",
            std::process::id()
        );
        assert_eq!(error.to_string(), expected);
        lock_one(folder.path(), "track", "b", "track b").unwrap();
        lock_one(folder.path(), "model", "a", "model a").unwrap();
        drop(first);
        lock_one(folder.path(), "track", "a", "track a").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn writers_share_and_a_sweep_shuts_them_out() {
        let folder = tempfile::tempdir().unwrap();
        let one = join_writers(folder.path()).unwrap();
        let two = join_writers(folder.path()).unwrap();
        assert!(exclude_writers(folder.path()).unwrap().is_none());
        drop((one, two));
        assert!(exclude_writers(folder.path()).unwrap().is_some());
    }

    #[test]
    fn files_of_locks_that_nobody_holds_are_removed_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock_one(folder.path(), "track", "a", "track a").unwrap();
        let shared = (join_readers(folder.path()), join_writers(folder.path()));
        // Of a process that was killed.
        std::fs::write(folder.path().join("model-0123.lock"), "process 1").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "the user's").unwrap();
        remove_unheld(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(!folder.path().join("model-0123.lock").exists());
        drop((held, shared));
        remove_unheld(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_deletion_waits_for_readers_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let at_once = Duration::ZERO;
        assert!(readers_are_done(folder.path(), at_once).unwrap());
        let (one, two) = (join_readers(folder.path()), join_readers(folder.path()));
        assert!(one.is_some() && two.is_some());
        drop(one);
        assert!(!readers_are_done(folder.path(), at_once).unwrap());
        assert!(!readers_are_done(folder.path(), Duration::from_millis(20)).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                drop(two);
            });
            assert!(readers_are_done(folder.path(), Duration::from_secs(30)).unwrap());
        });
    }

    #[test]
    fn many_threads_never_hold_one_lock_together() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(lock) = lock_one(folder.path(), "track", "a", "a") {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) >= 1);
    }
}
