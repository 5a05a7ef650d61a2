//! What is inside, at a glance.

use std::path::Path;

use super::{Database, StoreError, connection};

/// A database at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// When it was made, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
    /// The version of Persea that made it.
    pub made_by: String,
    /// The version of its schema.
    pub schema: i64,
    /// Tracks.
    pub n_tracks: u64,
    /// Models.
    pub n_models: u64,
    /// Bytes of `persea.sqlite`, without its log.
    pub sqlite_bytes: u64,
    /// Bytes of SQLite's log, which is moved into the file by and by.
    pub log_bytes: u64,
    /// Bytes in `persea.sqlite` that hold nothing now and are used next.
    pub free_bytes: u64,
    /// Bytes of all files in `signal.zarr`.
    pub signal_bytes: u64,
    /// Bytes of all files in `checkpoints`: training in progress.
    pub checkpoint_bytes: u64,
    /// Bytes of all files in `index`, which can be made anew.
    pub index_bytes: u64,
}

impl Database {
    /// What is inside, at a glance.
    ///
    /// # Errors
    /// When SQLite fails or a folder cannot be read.
    pub fn info(&self) -> Result<DatabaseInfo, StoreError> {
        let file = self.path().join(connection::FILE_NAME);
        let sqlite_bytes = std::fs::metadata(&file)
            .map_err(|e| StoreError::io(&file, e))?
            .len();
        let log = self.path().join(format!("{}-wal", connection::FILE_NAME));
        // There is no log while nobody has the database open for writing.
        let log_bytes = std::fs::metadata(&log).map_or(0, |m| m.len());
        let signal_bytes = bytes_below(&self.signal_folder())?;
        let checkpoint_bytes = bytes_below(&self.checkpoints_folder())?;
        let index_bytes = bytes_below(&self.path().join("index"))?;
        self.read(|t| {
            let meta = |key: &str| -> rusqlite::Result<String> {
                t.query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get(0))
            };
            let count = |sql: &str| -> rusqlite::Result<i64> { t.query_row(sql, [], |r| r.get(0)) };
            let pragma = |name: &str| -> rusqlite::Result<i64> {
                t.pragma_query_value(None, name, |r| r.get(0))
            };
            let models = "SELECT count(*) FROM models WHERE status = 'ready'";
            Ok(DatabaseInfo {
                created: meta("created")?,
                made_by: meta("persea")?,
                schema: pragma("user_version")?,
                n_tracks: count("SELECT count(*) FROM tracks")? as u64,
                n_models: count(models)? as u64,
                sqlite_bytes,
                log_bytes,
                free_bytes: (pragma("freelist_count")? * pragma("page_size")?) as u64,
                signal_bytes,
                checkpoint_bytes,
                index_bytes,
            })
        })
    }
}

fn bytes_below(folder: &Path) -> Result<u64, StoreError> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        let entries = match std::fs::read_dir(&at) {
            Ok(entries) => entries,
            // Not made yet, or removed since the folder above was listed.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(StoreError::io(&at, e)),
        };
        for entry in entries {
            let measured = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            match measured {
                Ok((path, metadata)) if metadata.is_dir() => folders.push(path),
                Ok((_, metadata)) => bytes += metadata.len(),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(StoreError::io(&at, e)),
            }
        }
    }
    Ok(bytes)
}
