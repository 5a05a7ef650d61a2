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
    /// Bytes of all files in `signal.zarr`.
    pub signal_bytes: u64,
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
        let signal_bytes = bytes_below(&self.signal_folder())?;
        self.read(|t| {
            let meta = |key: &str| -> rusqlite::Result<String> {
                t.query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get(0))
            };
            let count = |sql: &str| -> rusqlite::Result<i64> { t.query_row(sql, [], |r| r.get(0)) };
            let models = "SELECT count(*) FROM models WHERE status = 'ready'";
            Ok(DatabaseInfo {
                created: meta("created")?,
                made_by: meta("persea")?,
                schema: t.pragma_query_value(None, "user_version", |r| r.get(0))?,
                n_tracks: count("SELECT count(*) FROM tracks")? as u64,
                n_models: count(models)? as u64,
                sqlite_bytes,
                signal_bytes,
            })
        })
    }
}

fn bytes_below(folder: &Path) -> Result<u64, StoreError> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).map_err(|e| StoreError::io(&at, e))? {
            let measured = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            match measured {
                Ok((path, metadata)) if metadata.is_dir() => folders.push(path),
                Ok((_, metadata)) => bytes += metadata.len(),
                // Removed since the folder was listed.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(StoreError::io(&at, e)),
            }
        }
    }
    Ok(bytes)
}
