//! Changing and removing tracks that are stored.

use super::durable::remove_folder;
use super::locks::join_writers;
use super::track::{find_track, write_sources};
use super::{Database, StoreError, Track, TrackSource};

impl Database {
    /// Removes a track: the row first, then its bytes. A biosample or an assay goes with its last
    /// track.
    ///
    /// # Errors
    /// When there is no such track (the nearest names are given), it is being written, or the
    /// database can only be read.
    pub fn remove_track(&self, biosample: &str, assay: &str) -> Result<(), StoreError> {
        self.prepare_writing()?;
        let _track_lock = self.lock_track(biosample, assay)?;
        let _writer = join_writers(&self.locks_folder())?;
        let removed = self.write(|t| {
            let Some(track) = find_track(t, biosample, assay)? else {
                return Ok(None);
            };
            t.execute("DELETE FROM tracks WHERE id = ?1", [track.id])?;
            for table in ["biosample", "assay"] {
                t.execute(
                    &format!("DELETE FROM {table}s WHERE id NOT IN (SELECT {table} FROM tracks)"),
                    [],
                )?;
            }
            Ok(Some(track.array))
        })?;
        match removed {
            Some(array) => remove_folder(&self.signal_folder().join(array)),
            None => Err(self.no_such_track(biosample, assay)?),
        }
    }

    /// Takes note that a track's files have moved or been touched without a change of content.
    ///
    /// # Errors
    /// As [`Database::remove_track`].
    pub fn update_sources(
        &self,
        biosample: &str,
        assay: &str,
        sources: &[TrackSource],
    ) -> Result<(), StoreError> {
        self.prepare_writing()?;
        let _track_lock = self.lock_track(biosample, assay)?;
        let known = self.write(|t| {
            let Some(track) = find_track(t, biosample, assay)? else {
                return Ok(false);
            };
            write_sources(t, track.id, sources)?;
            Ok(true)
        })?;
        match known {
            true => Ok(()),
            false => Err(self.no_such_track(biosample, assay)?),
        }
    }

    /// The error for an experiment that has no track: which of its names is unknown, if any is.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn no_such_track(&self, biosample: &str, assay: &str) -> Result<StoreError, StoreError> {
        let tracks = self.tracks()?;
        let names = |of: fn(&Track) -> &str| {
            let mut names: Vec<&str> = tracks.iter().map(of).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (biosamples, assays) = (names(|t| &t.biosample), names(|t| &t.assay));
        Ok(if !biosamples.contains(&biosample) {
            StoreError::unknown("biosample", biosample, biosamples)
        } else if !assays.contains(&assay) {
            StoreError::unknown("assay", assay, assays)
        } else {
            let done = tracks.iter().filter(|t| t.biosample == biosample);
            let done: Vec<&str> = done.map(|t| t.assay.as_str()).collect();
            StoreError::Unknown {
                kind: "track",
                name: format!("{biosample} {assay}"),
                hint: format!("; {biosample} has {}", done.join(", ")),
            }
        })
    }
}
