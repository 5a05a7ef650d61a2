//! A consistent copy of a database, while others write to it.
//!
//! What makes the copy consistent is one read transaction: it holds one state of `persea.sqlite`
//! in view from the moment when every array that this state names has been copied until SQLite's
//! backup interface has copied the state itself. Writers do not wait for it, nor it for them.
//!
//! An array that a writer replaces is removed once its row points to the new one. So arrays are
//! copied first, without a transaction; then, under one, those that have been added meanwhile. If
//! one of these is gone by then, the transaction is given up and the step repeated.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension};

use super::durable::{
    begin_folder, copy_file, copy_folder, finish_folder, make_folder, remove_folder, sync_folder,
};
use super::zarr::METADATA;
use super::{Database, Severity, StoreError, connection, models, names, sweep};

/// Pages that SQLite copies in one go: 16 MiB, between which progress is reported.
const STEP_PAGES: i32 = 1024;

/// How often arrays may vanish under the copying before it is given up.
const ATTEMPTS: usize = 20;

/// What a backup has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupProgress {
    /// Arrays of tracks copied, and how many there are.
    Tracks(u64, u64),
    /// Pages of `persea.sqlite` copied, and how many there are.
    Pages(u64, u64),
    /// Everything is copied and is being read back.
    Checking,
}

/// A backup that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Tracks in it.
    pub n_tracks: u64,
    /// Models in it.
    pub n_models: u64,
    /// Bytes that it takes.
    pub bytes: u64,
}

impl Database {
    /// Copies the database as it is at one instant into a new directory, while others may go on
    /// reading and writing it. The copy is read back and checked before it takes its name, so that
    /// it appears whole or not at all. Locks, unfinished work, indexes and checkpoints of training
    /// in progress are not in it.
    ///
    /// # Errors
    /// When something of that name exists, the disk is full, or what was copied is damaged: then
    /// the database is, and `check` says where.
    pub fn backup(
        &self,
        to: &Path,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<BackupReport, StoreError> {
        self.may_be_backup(to)?;
        let unfinished = begin_folder(to)?;
        let report = self.fill_backup(unfinished.path(), progress)?;
        finish_folder(unfinished, to)?;
        Ok(report)
    }

    /// Refuses a place where no copy may be made.
    fn may_be_backup(&self, to: &Path) -> Result<(), StoreError> {
        let occupied = match fs::read_dir(to) {
            Ok(mut entries) => entries.next().is_some(),
            Err(e) => e.kind() != io::ErrorKind::NotFound,
        };
        if occupied {
            return Err(StoreError::Exists {
                path: to.to_path_buf(),
            });
        }
        let (Some(_), Some(folder)) = (to.file_name(), to.parent()) else {
            return Err(StoreError::Folder {
                path: to.to_path_buf(),
                why: "cannot name a backup",
            });
        };
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let folder = folder
            .canonicalize()
            .map_err(|e| StoreError::io(folder, e))?;
        let here = self
            .path()
            .canonicalize()
            .map_err(|e| StoreError::io(self.path(), e))?;
        if folder.starts_with(&here) {
            return Err(StoreError::Folder {
                path: to.to_path_buf(),
                why: "lies inside the database itself; name a place beside it",
            });
        }
        Ok(())
    }

    fn fill_backup(
        &self,
        to: &Path,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<BackupReport, StoreError> {
        for name in ["signal.zarr", "checkpoints", "index", "locks"] {
            make_folder(&to.join(name))?;
        }
        let root = Path::new("signal.zarr").join(METADATA);
        copy_file(&self.path().join(&root), &to.join(&root))?;
        let mut copied = HashSet::new();
        let first: Vec<String> = self.tracks()?.into_iter().map(|t| t.array).collect();
        self.copy_arrays(&first, to, &mut copied, progress)?;
        // A connection of its own: the one of this handle stays free for its other threads.
        let file = self.path().join(connection::FILE_NAME);
        let (source, _) = connection::open(&file, self.path()).map_err(|e| e.at(self.path()))?;
        // Without the log, which a writer of a model may have left aside just now, the long transaction
        // below would keep that writer waiting.
        let mode: String = source.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
        if mode != "wal" && !self.is_read_only() {
            return Err(StoreError::Busy {
                path: self.path().to_path_buf(),
            });
        }
        for attempt in 0.. {
            let at = |e: rusqlite::Error| StoreError::from(e).at(self.path());
            source.execute_batch("BEGIN").map_err(at)?;
            let named = arrays(&source).map_err(at)?;
            if self.copy_arrays(&named, to, &mut copied, progress)? {
                let named: HashSet<&String> = named.iter().collect();
                for array in copied.iter().filter(|array| !named.contains(array)) {
                    remove_folder(&to.join("signal.zarr").join(array))?;
                }
                copy_pages(&source, &to.join(connection::FILE_NAME), progress)
                    .map_err(|e| e.at(to))?;
                source.execute_batch("ROLLBACK").map_err(at)?;
                break;
            }
            source.execute_batch("ROLLBACK").map_err(at)?;
            if attempt == ATTEMPTS {
                // Tracks are replaced faster than they can be copied.
                return Err(StoreError::Busy {
                    path: self.path().to_path_buf(),
                });
            }
        }
        drop(source);
        sync_folder(&to.join("signal.zarr"))?;
        progress(BackupProgress::Checking);
        let copy = Database::open(to)?;
        tidy(&copy)?;
        let damage: Vec<String> = copy
            .check()?
            .into_iter()
            .filter(|f| f.severity == Severity::Damage)
            .map(|f| format!("{}: {}", f.what, f.message))
            .collect();
        if let Some(worst) = damage.first() {
            return Err(StoreError::damaged(
                format!("what was copied from {}", self.path().display()),
                format!(
                    "{worst} ({} findings in all); no backup was made: `persea check` says what \
                     is damaged; remove or replace that first",
                    damage.len()
                ),
            ));
        }
        let info = copy.info()?;
        drop(copy);
        // What checking and tidying have left of a log goes with the last connection.
        remove_folder(&to.join("locks"))?;
        make_folder(&to.join("locks"))?;
        let file = to.join(connection::FILE_NAME);
        File::open(&file)
            .and_then(|f| f.sync_all())
            .map_err(|e| StoreError::io(&file, e))?;
        sync_folder(to)?;
        Ok(BackupReport {
            n_tracks: info.n_tracks,
            n_models: info.n_models,
            bytes: info.sqlite_bytes + info.signal_bytes,
        })
    }

    /// Copies those arrays that have not been; `false` when one is gone, as a replaced track's is.
    fn copy_arrays(
        &self,
        arrays: &[String],
        to: &Path,
        copied: &mut HashSet<String>,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<bool, StoreError> {
        let mut all_there = true;
        for array in arrays {
            if copied.contains(array) {
                continue;
            }
            let target = to.join("signal.zarr").join(array);
            match copy_folder(&self.signal_folder().join(array), &target) {
                // Still named: so it was not being removed while it was copied.
                Ok(()) if self.names_array(array)? => {
                    copied.insert(array.clone());
                }
                Ok(()) => {
                    remove_folder(&target)?;
                    all_there = false;
                }
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    remove_folder(&target)?;
                    all_there = false;
                }
                Err(e) => return Err(e),
            }
            progress(BackupProgress::Tracks(
                copied.len() as u64,
                arrays.len() as u64,
            ));
        }
        Ok(all_there)
    }

    /// Whether a track has this array by now.
    fn names_array(&self, array: &str) -> Result<bool, StoreError> {
        self.read(|t| {
            let sql = "SELECT 1 FROM tracks WHERE array = ?1";
            Ok(t.query_row(sql, [array], |_| Ok(())).optional()?.is_some())
        })
    }
}

/// The arrays that the transaction's state of the database names.
fn arrays(source: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut select = source.prepare("SELECT array FROM tracks ORDER BY id")?;
    let arrays = select.query_map([], |row| row.get(0))?;
    arrays.collect()
}

/// The state that the transaction of `source` has in view, page by page.
fn copy_pages(
    source: &Connection,
    file: &Path,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<(), StoreError> {
    let mut target = Connection::open(file)?;
    let backup = Backup::new(source, &mut target)?;
    loop {
        let step = backup.step(STEP_PAGES)?;
        let at = backup.progress();
        let n_pages = at.pagecount.max(0) as u64;
        progress(BackupProgress::Pages(
            n_pages - at.remaining.max(0) as u64,
            n_pages,
        ));
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // Nobody else has the copy open; should the system say so, it will be over soon.
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    drop(backup);
    target.close().map_err(|(_, e)| StoreError::from(e))
}

/// Takes out of a copy what a writer had begun when it was made.
fn tidy(copy: &Database) -> Result<(), StoreError> {
    models::remove_unfinished(copy)?;
    names::finish_renaming(copy)?;
    for array in sweep::orphan_arrays(copy, &copy.tracks_as_they_are()?)? {
        remove_folder(&copy.signal_folder().join(array))?;
    }
    Ok(())
}
