//! Arrays without a row, and what becomes of them.
//!
//! A writer that was killed leaves them, and the next one removes them. After transactions were lost
//! (see `commits`) they may be all that is left of tracks, so nothing is removed until the user has
//! chosen: to adopt them, which makes their rows again from what lies beside each array, or to remove
//! them.

use std::collections::BTreeMap;
use std::path::Path;

use super::chunk_checksums::ChunkChecksums;
use super::coverage::{CoverageBuilder, TrackCoverage};
use super::durable::remove_folder;
use super::locks::exclude_writers;
use super::signal::SignalArray;
use super::track::TABLES;
use super::track_record::TrackRecord;
use super::track_writer::{Row, store_row};
use super::zarr::METADATA;
use super::{Database, StoreError, commits, sweep};

/// An array in `signal.zarr` that no track has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayArray {
    /// Its folder's name.
    pub array: String,
    /// The experiment that it says it is of: biosample and assay.
    pub experiment: Option<(String, String)>,
    /// Why it cannot be adopted; `None` where it can.
    pub obstacle: Option<String>,
}

/// What [`Database::repair`] is to do with arrays without a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Makes the rows of those that can be adopted, and keeps the others.
    Adopt,
    /// Makes the rows of those that can be adopted, and removes the others.
    AdoptOrRemove,
    /// Removes all of them.
    Remove,
}

/// What [`Database::repair`] has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepairReport {
    /// Arrays that are a track's again.
    pub adopted: Vec<StrayArray>,
    /// Arrays that are gone.
    pub removed: Vec<StrayArray>,
    /// Arrays that stay as they are, without a row. While there is one the database refuses writers.
    pub kept: Vec<StrayArray>,
}

impl Database {
    /// How committed transactions were lost, where that was noticed and has not been repaired.
    pub fn lost_commits(&self) -> Option<String> {
        commits::recorded(self.path()).or_else(|| self.lost_at_opening())
    }

    /// The arrays in `signal.zarr` that no track has, each read as a whole to see whether it can be
    /// adopted.
    ///
    /// # Errors
    /// When the folder cannot be read or SQLite fails.
    pub fn stray_arrays(&self) -> Result<Vec<StrayArray>, StoreError> {
        let arrays = sweep::orphan_arrays(self, &self.tracks_as_they_are()?)?;
        let mut found: Vec<StrayArray> = Vec::new();
        for array in arrays {
            found.push(match self.adoptable(&array)? {
                Ok((record, _)) => StrayArray {
                    experiment: Some((record.track.biosample, record.track.assay)),
                    obstacle: None,
                    array,
                },
                Err((experiment, obstacle)) => StrayArray {
                    experiment,
                    obstacle: Some(obstacle),
                    array,
                },
            });
        }
        // Two of one experiment, neither of which any row prefers: the user has to choose.
        let mut n: BTreeMap<_, usize> = BTreeMap::new();
        for stray in found.iter().filter(|s| s.obstacle.is_none()) {
            *n.entry(stray.experiment.clone()).or_default() += 1;
        }
        for stray in &mut found {
            if stray.obstacle.is_none() && n.get(&stray.experiment) > Some(&1) {
                stray.obstacle =
                    Some("another array without a row is of the same experiment".to_string());
            }
        }
        Ok(found)
    }

    /// Adopts or removes the arrays that no track has, and takes the database as it then stands: it
    /// can be written to again.
    ///
    /// # Errors
    /// When others are writing, the database can only be read, or the disk is full.
    pub fn repair(&self, how: Repair) -> Result<RepairReport, StoreError> {
        self.refuse_if_read_only()?;
        let Some(_alone) = exclude_writers(&self.locks_folder())? else {
            return Err(StoreError::Locked {
                what: self.path().display().to_string(),
                holder: "another process (or another part of this one)".into(),
            });
        };
        let mut report = RepairReport::default();
        for stray in self.stray_arrays()? {
            if how != Repair::Remove && stray.obstacle.is_none() {
                match self.adoptable(&stray.array)? {
                    Ok((record, coverage)) => {
                        self.adopt(&stray.array, &record, &coverage)?;
                        report.adopted.push(stray);
                    }
                    Err((experiment, obstacle)) => report.kept.push(StrayArray {
                        array: stray.array,
                        experiment,
                        obstacle: Some(obstacle),
                    }),
                }
            } else if how == Repair::Adopt {
                report.kept.push(stray);
            } else {
                remove_folder(&self.signal_folder().join(&stray.array))?;
                report.removed.push(stray);
            }
        }
        if report.kept.is_empty() {
            let number = self.read(|t| commits::number(t))?;
            commits::forget_loss(self.path(), number)?;
            self.forget_lost_at_opening();
        }
        Ok(report)
    }

    /// The row that an array can have again, or its experiment as far as it is known and why not.
    #[allow(clippy::type_complexity)]
    fn adoptable(
        &self,
        array: &str,
    ) -> Result<Result<(TrackRecord, TrackCoverage), (Option<(String, String)>, String)>, StoreError>
    {
        let folder = self.signal_folder().join(array);
        let names = names_of(&folder);
        let mut record = match TrackRecord::read(&folder) {
            Ok(record) => record,
            Err(why) => return Ok(Err((names, why))),
        };
        let Some((biosample, assay)) = names else {
            return Ok(Err((
                None,
                format!("{METADATA} is damaged; ingest the track again"),
            )));
        };
        // The attributes follow a renaming; the record keeps the names of the day.
        (record.track.biosample, record.track.assay) = (biosample.clone(), assay.clone());
        let experiment = Some((biosample.clone(), assay.clone()));
        let tracks = self.tracks_as_they_are()?;
        let has_array = tracks.iter().any(|t| {
            (&t.biosample, &t.assay) == (&biosample, &assay)
                && self.signal_folder().join(&t.array).exists()
        });
        if has_array {
            let why = "the experiment has a track whose array is there";
            return Ok(Err((experiment, why.into())));
        }
        match self.read_whole(&folder, &record) {
            Ok(coverage) => Ok(Ok((record, coverage))),
            Err(why) => Ok(Err((experiment, why))),
        }
    }

    /// Reads each chunk of an array and gives which bins have data; an error is what is wrong with it.
    pub(crate) fn read_whole(
        &self,
        folder: &Path,
        record: &TrackRecord,
    ) -> Result<TrackCoverage, String> {
        let array = SignalArray::open(folder, "the array".into()).map_err(|e| e.to_string())?;
        if array.n_bins() != self.axis().n_bins() {
            return Err(format!(
                "it has {} bins, the genome axis {}",
                array.n_bins(),
                self.axis().n_bins()
            ));
        }
        array.require(record.track.values)?;
        let list = ChunkChecksums::read(folder, &record.chunks, array.division())?;
        let array = array.with_checksums(list);
        let mut block = vec![0.0; 1 << 16];
        let mut coverage = CoverageBuilder::default();
        let mut at = 0;
        while at < array.n_bins() {
            let end = (at + block.len() as u64).min(array.n_bins());
            let block = &mut block[..(end - at) as usize];
            array.read(at..end, block).map_err(|e| e.to_string())?;
            coverage.push_values(block);
            at = end;
        }
        Ok(coverage.finish())
    }

    fn adopt(
        &self,
        array: &str,
        record: &TrackRecord,
        coverage: &TrackCoverage,
    ) -> Result<(), StoreError> {
        let tables: Vec<&'static str> = TABLES.iter().copied().chain(["meta"]).collect();
        self.write_in(&tables, |t| {
            let known = super::track::find_track(t, &record.track.biosample, &record.track.assay)?;
            let id = match known {
                Some(track) => track.id,
                None => super::track_writer::next_id(t)?,
            };
            let row = Row {
                id,
                array,
                record,
                coverage,
            };
            store_row(t, &row).map(drop)
        })
    }
}

/// The biosample and the assay in an array's attributes.
pub(crate) fn names_of(folder: &Path) -> Option<(String, String)> {
    // An array without attributes that can be read is listed by its folder's name alone.
    let document = std::fs::read(folder.join(METADATA)).ok()?;
    let document: serde_json::Value = serde_json::from_slice(&document).ok()?;
    let name = |key: &str| Some(document.get("attributes")?.get(key)?.as_str()?.to_string());
    Some((name("biosample")?, name("assay")?))
}
