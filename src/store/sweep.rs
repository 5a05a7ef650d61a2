//! Sweeping what interrupted writers left: bytes without a row, models without an end.

use std::sync::PoisonError;

use super::durable::remove_folder;
use super::locks::{exclude_writers, remove_unheld};
use super::{Database, StoreError, Track, models, names};

impl Database {
    /// To be called before anything is written: makes sure that it can be, and sweeps once.
    pub(crate) fn prepare_writing(&self) -> Result<(), StoreError> {
        self.refuse_if_read_only()?;
        if let Some(why) = self.lost_commits() {
            return Err(StoreError::CommitsLost {
                path: self.path().to_path_buf(),
                why,
            });
        }
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if !*swept {
            *swept = sweep(self)?;
        }
        Ok(())
    }
}

/// Removes what no row makes real. Does nothing, and reports it, while another process writes: what looks
/// like garbage may then be work in progress.
pub(crate) fn sweep(database: &Database) -> Result<bool, StoreError> {
    let Some(_alone) = exclude_writers(&database.locks_folder())? else {
        return Ok(false);
    };
    // Of arrays that have lost their row, some may be all that is left of tracks.
    if database.lost_commits().is_some() {
        return Ok(false);
    }
    remove_folder(&database.temporary_folder())?;
    remove_unheld(&database.locks_folder());
    for array in orphan_arrays(database, &database.tracks_as_they_are()?)? {
        tracing::info!("removing signal.zarr/{array}, which an interrupted ingest left");
        remove_folder(&database.signal_folder().join(array))?;
    }
    models::remove_unfinished(database)?;
    names::finish_renaming(database)?;
    Ok(true)
}

/// Arrays in `signal.zarr` that no track has. Other things in there are the user's.
pub(crate) fn orphan_arrays(
    database: &Database,
    tracks: &[Track],
) -> Result<Vec<String>, StoreError> {
    let folder = database.signal_folder();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, e))? {
        let entry = entry.map_err(|e| StoreError::io(&folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("track_") {
            found.push(name);
        }
    }
    // Asked again of what seems to be one: an array that was committed meanwhile has its row by now.
    found.retain(|name| !tracks.iter().any(|t| t.array == *name));
    if !found.is_empty() {
        let now = database.tracks_as_they_are()?;
        found.retain(|name| !now.iter().any(|t| t.array == *name));
    }
    found.sort();
    Ok(found)
}
