//! The database directory: opening it, and its one connection to SQLite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::commits::{self, BeforeOpening};
use super::connection::whole;
use super::locks::{Lock, join_readers, readers_are_done};
use super::recent_chunks::RecentChunks;
use super::table_checksums::{self, Digests};
use super::{StoreError, connection};
use crate::genome::{Assembly, GenomeAxis, Region};

/// An open database directory. It may be shared by threads; statements take turns, and no
/// transaction lasts longer than it takes to store one item.
///
/// Opening changes nothing on the disk. What interrupted writers left is swept when the first
/// write of this handle begins.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    connection: Mutex<Connection>,
    axis: GenomeAxis,
    read_only: bool,
    /// Whether `sweep` has run for this handle.
    pub(super) swept: Mutex<bool>,
    /// Tables that have been found to be what was written.
    checked: Mutex<BTreeSet<&'static str>>,
    /// How committed transactions were lost, as it was noticed at opening.
    lost: Mutex<Option<String>>,
    /// Held from the first model that is read: other processes leave the numbers of models alone that
    /// this one may still read.
    reading: Mutex<Option<Lock>>,
    /// Of all tracks.
    pub(super) recent: Arc<RecentChunks>,
}

/// Opens a database's file (the first path) and says whether it can only be read.
type OpenFile = fn(&Path, &Path) -> Result<(Connection, bool), StoreError>;

impl Database {
    /// Opens a database directory for reading and, where the disk allows it, writing. A database
    /// of an older Persea is brought up to date.
    ///
    /// # Errors
    /// When there is none, it is something else, its header is damaged, or a newer Persea wrote
    /// it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, connection::open)
    }

    /// Opens a database directory for reading alone: every write is refused, by SQLite too.
    ///
    /// # Errors
    /// As [`Database::open`], and when an older Persea wrote it, which has to be brought up to date first.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, connection::open_to_read)
    }

    fn open_as(path: &Path, open_file: OpenFile) -> Result<Self, StoreError> {
        match std::fs::metadata(path) {
            Ok(m) if m.is_dir() => {}
            Ok(_) => {
                return Err(StoreError::NotADatabase {
                    path: path.to_path_buf(),
                    why: "it is not a folder".into(),
                });
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Missing {
                    path: path.to_path_buf(),
                });
            }
            Err(e) => return Err(StoreError::io(path, e)),
        }
        let file = path.join(connection::FILE_NAME);
        let before = BeforeOpening::look(path);
        let (connection, read_only) = open_file(&file, path).map_err(|e| e.at(path))?;
        let mut connection = connection;
        let lost = before.compare(path, &connection);
        if let Some(why) = &lost {
            tracing::warn!(
                "{}: {why}; `persea check` lists what is left of them",
                path.display()
            );
        }
        let axis = read_axis(&mut connection).map_err(|e| e.at(path))?;
        Ok(Database {
            path: path.to_path_buf(),
            connection: Mutex::new(connection),
            axis,
            read_only,
            swept: Mutex::new(false),
            checked: Mutex::default(),
            lost: Mutex::new(lost),
            reading: Mutex::default(),
            recent: Arc::default(),
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The assembly and the covered regions.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// Whether it can only be read, as on a read-only medium or a disk that is full.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Numbers that differ from those before once anything has been committed, by this handle or by others. What
    /// was looked up holds as long as they are the same.
    ///
    /// # Errors
    /// When SQLite cannot be asked.
    pub fn changes(&self) -> Result<(i64, u64), StoreError> {
        let connection = self.connection();
        let mut of_others = connection.prepare_cached("PRAGMA data_version")?;
        let of_others = of_others.query_row([], |row| row.get(0))?;
        Ok((of_others, connection.total_changes()))
    }

    pub(crate) fn signal_folder(&self) -> PathBuf {
        self.path.join("signal.zarr")
    }

    /// Where arrays are written until they are whole.
    pub(crate) fn temporary_folder(&self) -> PathBuf {
        self.path.join("writing")
    }

    pub(crate) fn locks_folder(&self) -> PathBuf {
        self.path.join("locks")
    }

    pub(crate) fn checkpoints_folder(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Runs statements that belong to one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    /// As [`Database::read`], having made sure that the tables are what was written.
    pub(crate) fn read_checked<T>(
        &self,
        tables: &[&'static str],
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(|t| {
            let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
            for table in tables {
                if !checked.contains(table) {
                    table_checksums::verify(t, table)?;
                    checked.insert(table);
                }
            }
            drop(checked);
            work(t)
        })
    }

    /// The digests that tables were recorded with when they were written: they change with the rows.
    /// `None` where one is missing.
    pub(crate) fn recorded_digests(
        &self,
        tables: &[&str],
    ) -> Result<Option<Vec<u128>>, StoreError> {
        self.read(|t| {
            let digests = tables.iter().map(|name| table_checksums::recorded(t, name));
            digests.collect()
        })
    }

    /// Runs statements that change the database: all of them or none, on the disk when done.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change(table_checksums::CHANGING, work)
    }

    /// As [`Database::write`], for statements that touch only these tables, and `model_chunks`: the
    /// others' rows are not gone through.
    pub(crate) fn write_in<T>(
        &self,
        tables: &[&'static str],
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tables: Vec<&'static str> = tables.iter().copied().chain(["commits"]).collect();
        self.change(&tables, work)
    }

    fn change<T>(
        &self,
        tables: &[&'static str],
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (value, number) = self.transact(TransactionBehavior::Immediate, |t| {
            let before = Digests::of(t, tables)?;
            let value = work(t)?;
            let number = commits::count_one(t)?;
            before.record_changes(t)?;
            Ok((value, number))
        })?;
        commits::note(&self.path, number);
        Ok(value)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|e: StoreError| e.at(&self.path))
    }

    /// The connection itself, for what cannot run inside a transaction.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic interrupted has been rolled back, so the connection is fine.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn refuse_if_read_only(&self) -> Result<(), StoreError> {
        match self.read_only {
            false => Ok(()),
            true => Err(StoreError::ReadOnly {
                path: self.path.clone(),
                why: "its folder, medium or file does not allow writing (or the disk is full)"
                    .into(),
            }),
        }
    }

    /// To be called before a model is looked up.
    pub(super) fn join_readers(&self) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if reading.is_none() {
            *reading = join_readers(&self.locks_folder());
        }
    }

    /// Whether no other handle reads a model that was deleted before this is called; waits for it so long
    /// at most. What this handle reads is up to its owner.
    pub(super) fn readers_are_done(&self, patience: Duration) -> Result<bool, StoreError> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let was_reading = reading.take().is_some();
        let done = readers_are_done(&self.locks_folder(), patience);
        if was_reading {
            *reading = join_readers(&self.locks_folder());
        }
        done
    }

    pub(crate) fn lost_at_opening(&self) -> Option<String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.clone()
    }

    pub(crate) fn forget_lost_at_opening(&self) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = None;
    }
}

fn read_axis(connection: &mut Connection) -> Result<GenomeAxis, StoreError> {
    let connection = connection.transaction()?;
    for table in ["assembly", "chromosomes", "regions"] {
        table_checksums::verify(&connection, table)?;
    }
    let name: String = connection.query_row("SELECT name FROM assembly", [], |r| r.get(0))?;
    let mut select = connection.prepare("SELECT name, length FROM chromosomes ORDER BY ordinal")?;
    let chromosomes: Vec<(String, u64)> = select
        .query_map([], |r| Ok((r.get(0)?, whole(r, 1)?)))?
        .collect::<Result<_, _>>()?;
    let mut select = connection
        .prepare("SELECT name, chrom, first_bin, n_bins FROM regions ORDER BY ordinal")?;
    let regions: Vec<Region> = select
        .query_map([], region_of_row)?
        .collect::<Result<_, _>>()?;
    let aliases: Option<String> = connection
        .query_row(
            "SELECT value FROM meta WHERE key = 'chromosome_aliases'",
            [],
            |r| r.get(0),
        )
        .optional()?;
    let aliases: Vec<(String, String)> = match aliases {
        Some(text) => serde_json::from_str(&text).map_err(|e| {
            StoreError::damaged("the chromosomes' aliases in persea.sqlite", e.to_string())
        })?,
        None => Vec::new(),
    };
    Assembly::from_chromosomes(&name, &chromosomes)
        .and_then(|assembly| assembly.with_aliases(&aliases))
        .and_then(|assembly| GenomeAxis::new(assembly, regions))
        .map_err(|e| StoreError::damaged("the genome axis in persea.sqlite", e.to_string()))
}

/// A region from a row of name, chromosome, first bin and number of bins.
pub(crate) fn region_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Region> {
    Ok(Region {
        name: row.get(0)?,
        chrom: row.get(1)?,
        first_bin: whole(row, 2)?,
        n_bins: whole(row, 3)?,
    })
}
