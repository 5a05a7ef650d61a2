//! Storing and removing tracks: bytes first, then the row that makes them real.
//!
//! 1. The array is written in `writing/`, shard by shard, each synced.
//! 2. It is renamed into `signal.zarr/`, and the rename synced.
//! 3. One transaction writes the row, or points the row of a replaced track to the new array.
//! 4. The replaced array is removed.
//!
//! Killed before 3, the database is what it was and the bytes are swept later; killed after it,
//! the new track is stored and the old bytes are swept later.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Map, Value, json};

use super::coverage::{TrackCoverage, write_coverage};
use super::division::Division;
use super::durable::{make_folder, remove_folder, rename_synced, sync_folder};
use super::locks::{Lock, join_writers, lock_one};
use super::normalisation::write_normalisation;
use super::shards::{AssembledArray, ShardAssembler};
use super::track::{TABLES, combined_checksum, find_track, write_sources};
use super::track_record::TrackRecord;
use super::zarr::TrackArray;
use super::{Database, NewTrack, Step, StoreError, Track, ValueType};
use crate::Bug;

/// A track being stored. Dropped without [`TrackWriter::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct TrackWriter<'a> {
    database: &'a Database,
    track: NewTrack,
    id: i64,
    array: String,
    assembler: Option<ShardAssembler>,
    _track_lock: Lock,
    _writer: Lock,
}

impl Database {
    /// Begins to store a track, new or in place of the one that the experiment has.
    ///
    /// # Errors
    /// When the database can only be read, a name is not fit to be one, another writer has the
    /// same track, or the disk is full.
    pub fn begin_track(&self, track: NewTrack) -> Result<TrackWriter<'_>, StoreError> {
        check_name("biosample", &track.biosample)?;
        check_name("assay", &track.assay)?;
        self.prepare_writing()?;
        let track_lock = self.lock_track(&track.biosample, &track.assay)?;
        let writer = join_writers(&self.locks_folder())?;
        let id = self.write_in(&["meta"], |t| {
            if let Some(old) = find_track(t, &track.biosample, &track.assay)? {
                return Ok(old.id);
            }
            next_id(t)
        })?;
        let array = format!("track_{id}_{}", unique_suffix());
        let mut attributes = Map::new();
        for (key, value) in [
            ("biosample", Value::from(track.biosample.as_str())),
            ("assay", Value::from(track.assay.as_str())),
            ("transform", Value::from(track.transform.name())),
            ("unit", Value::from(track.unit.clone())),
        ] {
            attributes.insert(key.into(), value);
        }
        if let Some(law) = track.normalisation {
            let law = json!({ "factor": law.factor, "exponent": law.exponent });
            attributes.insert("normalisation".into(), law);
        }
        let division = Division::of_axis(self.axis().n_bins());
        let description = TrackArray::new(division, track.values, attributes).map_err(Bug::new)?;
        let temporary = self.temporary_folder();
        make_folder(&temporary)?;
        let mut begun = TrackWriter {
            database: self,
            track,
            id,
            array: array.clone(),
            assembler: None,
            _track_lock: track_lock,
            _writer: writer,
        };
        let spill = temporary.join(format!("{array}.begun"));
        begun.assembler = Some(ShardAssembler::begin(
            description,
            temporary.join(&array),
            spill,
        )?);
        Ok(begun)
    }

    pub(super) fn lock_track(&self, biosample: &str, assay: &str) -> Result<Lock, StoreError> {
        let name = format!("{biosample}\0{assay}");
        let what = format!("track {biosample} {assay}");
        lock_one(&self.locks_folder(), "track", &name, &what)
    }
}

impl TrackWriter<'_> {
    /// Takes the values of consecutive bins of the axis, transformed, in any order of stretches. NaN is a
    /// bin without data.
    ///
    /// # Errors
    /// When a value is infinite (its coordinate is named), a bin comes twice or lies beyond the
    /// axis, or the disk is full; [`StoreError::Beyond`] when 16-bit counts cannot hold a value.
    pub fn write(&mut self, axis_bin: u64, values: &[f32]) -> Result<(), StoreError> {
        if let Some(i) = values.iter().position(|v| v.is_infinite()) {
            let axis = self.database.axis();
            let bin = (axis_bin + i as u64).min(axis.n_bins().saturating_sub(1));
            return Err(StoreError::Number {
                what: format!(
                    "track {} {}: the value at {}",
                    self.track.biosample,
                    self.track.assay,
                    axis.bin_interval(bin)
                ),
                why: format!(
                    "is {}, and only finite values (or NaN, where there is no data) can be stored",
                    values[i]
                ),
            });
        }
        let counted = match self.track.values.step() {
            Some(step) => Some(self.in_steps(step, axis_bin, values)?),
            None => None,
        };
        let values = counted.as_deref().unwrap_or(values);
        match &mut self.assembler {
            Some(assembler) => assembler.write(axis_bin, values),
            None => Err(StoreError::Invalid("the track has been finished".into())),
        }
    }

    /// The values as they are stored: whole numbers of steps.
    fn in_steps(&self, step: Step, axis_bin: u64, values: &[f32]) -> Result<Vec<f32>, StoreError> {
        let stored = |(i, value): (usize, &f32)| match step.code(*value) {
            Some(code) => Ok(step.value(code)),
            None => {
                let axis = self.database.axis();
                let bin = (axis_bin + i as u64).min(axis.n_bins().saturating_sub(1));
                Err(StoreError::Beyond {
                    track: format!("{} {}", self.track.biosample, self.track.assay),
                    place: axis.bin_interval(bin).to_string(),
                    value: *value,
                    step,
                })
            }
        };
        values.iter().enumerate().map(stored).collect()
    }

    /// Makes the track real, now that all bins have come.
    ///
    /// # Errors
    /// When a bin has not come, none has data, or the disk is full; the database then is as it was.
    pub fn commit(mut self) -> Result<Track, StoreError> {
        let Some(assembler) = self.assembler.take() else {
            return Err(StoreError::Invalid("the track has been finished".into()));
        };
        let AssembledArray {
            statistics,
            chunks,
            coverage,
        } = assembler.finish()?;
        if coverage.n_covered() == 0 {
            return Err(StoreError::Invalid(format!(
                "track {} {}: none of its bins has data",
                self.track.biosample, self.track.assay
            )));
        }
        let database = self.database;
        let temporary = database.temporary_folder().join(&self.array);
        let place = database.signal_folder().join(&self.array);
        let record = TrackRecord {
            track: self.track.clone(),
            n_nan_bins: coverage.n_bins() - coverage.n_covered(),
            n_negative_bins: statistics.n_negative,
            mean: statistics.mean,
            variance: statistics.variance(),
            maximum: statistics.maximum,
            chunks,
        };
        record.write(&temporary)?;
        sync_folder(&temporary)?;
        rename_synced(&temporary, &place)?;
        let row = Row {
            id: self.id,
            array: &self.array,
            record: &record,
            coverage: &coverage,
        };
        let stored = database.write_in(TABLES, |t| store_row(t, &row));
        let (track, replaced) = match stored {
            Ok(stored) => stored,
            Err(e) => {
                // Without its row the array is garbage; a sweep takes what cannot go now.
                let _ = remove_folder(&place);
                return Err(e);
            }
        };
        if let Some(old) = replaced
            && let Err(e) = remove_folder(&database.signal_folder().join(&old))
        {
            tracing::warn!("signal.zarr/{old} has been replaced but not removed yet: {e}");
        }
        Ok(track)
    }
}

/// A track's row.
pub(crate) struct Row<'a> {
    pub(crate) id: i64,
    pub(crate) array: &'a str,
    pub(crate) record: &'a TrackRecord,
    pub(crate) coverage: &'a TrackCoverage,
}

/// The number of the next track, never used twice.
pub(crate) fn next_id(t: &Transaction<'_>) -> Result<i64, StoreError> {
    let sql = "UPDATE meta SET value = value + 1 WHERE key = 'next_track' RETURNING value - 1";
    Ok(t.query_row(sql, [], |row| row.get(0))?)
}

/// Stores a track's row, new or in place of the one of that number, and gives the track and the array
/// that it replaces.
pub(crate) fn store_row(
    t: &Transaction<'_>,
    row: &Row<'_>,
) -> Result<(Track, Option<String>), StoreError> {
    let TrackRecord { track, .. } = row.record;
    let (biosample, assay) = (&track.biosample, &track.assay);
    for (table, name) in [("biosamples", biosample), ("assays", assay)] {
        let sql = format!("INSERT INTO {table} (name) VALUES (?1) ON CONFLICT DO NOTHING");
        t.execute(&sql, [name])?;
    }
    let sql = "SELECT array FROM tracks WHERE id = ?1";
    let replaced: Option<String> = t.query_row(sql, [row.id], |r| r.get(0)).optional()?;
    t.execute(
        "INSERT INTO tracks (id, biosample, assay, array, transform, unit, checksum,
            n_nan_bins, n_negative_bins, mean, variance, maximum, ingested)
         VALUES (?1, (SELECT id FROM biosamples WHERE name = ?2),
            (SELECT id FROM assays WHERE name = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
            strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
         ON CONFLICT (id) DO UPDATE SET array = excluded.array,
            transform = excluded.transform, unit = excluded.unit,
            checksum = excluded.checksum, n_nan_bins = excluded.n_nan_bins,
            n_negative_bins = excluded.n_negative_bins, mean = excluded.mean,
            variance = excluded.variance, maximum = excluded.maximum,
            ingested = excluded.ingested",
        params![
            row.id,
            biosample,
            assay,
            row.array,
            track.transform.name(),
            track.unit,
            combined_checksum(&track.sources, track.normalisation),
            row.record.n_nan_bins as i64,
            row.record.n_negative_bins as i64,
            row.record.mean,
            row.record.variance,
            row.record.maximum
        ],
    )?;
    t.execute(
        "INSERT INTO track_chunks (track, digest) VALUES (?1, ?2)
         ON CONFLICT (track) DO UPDATE SET digest = excluded.digest",
        params![row.id, row.record.chunks],
    )?;
    write_coverage(t, row.id, row.coverage)?;
    write_value_type(t, row.id, track.values)?;
    write_normalisation(t, row.id, track.normalisation)?;
    write_sources(t, row.id, &track.sources)?;
    let stored = find_track(t, biosample, assay)?.ok_or_else(|| {
        Bug::new(format!(
            "the row just written of {biosample} {assay} is not found"
        ))
    })?;
    Ok((stored, replaced))
}

/// Stores how a track's values are stored, in place of what is stored.
fn write_value_type(t: &Transaction<'_>, track: i64, values: ValueType) -> Result<(), StoreError> {
    t.execute("DELETE FROM track_values WHERE track = ?1", [track])?;
    let (step, fits) = match values {
        ValueType::F32 => return Ok(()),
        ValueType::U16(step) => (step, 1),
        ValueType::F32Beyond(step) => (step, 0),
    };
    t.execute(
        "INSERT INTO track_values (track, steps_per_unit, fits) VALUES (?1, ?2, ?3)",
        params![track, step.per_unit(), fits],
    )?;
    Ok(())
}

impl Drop for TrackWriter<'_> {
    fn drop(&mut self) {
        // After a commit there is nothing; what cannot be removed now is swept later.
        let temporary = self.database.temporary_folder();
        for name in [self.array.clone(), format!("{}.begun", self.array)] {
            let _ = remove_folder(&temporary.join(name));
        }
    }
}

/// The longest name in bytes. The longest summary of a biosample in ENCODE fits.
const LONGEST_NAME: usize = 255;

/// Refuses names that could not be shown on a line of a table, or distinguished.
pub(crate) fn check_name(kind: &'static str, name: &str) -> Result<(), StoreError> {
    let why = if name.is_empty() {
        "is empty"
    } else if name.trim() != name {
        "begins or ends with a blank"
    } else if name.chars().any(char::is_control) {
        "has a control character in it"
    } else if name.len() > LONGEST_NAME {
        "is longer than 255 bytes"
    } else {
        return Ok(());
    };
    let mut shown: String = name.chars().take(60).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    Err(StoreError::Name {
        kind,
        name: shown,
        why,
    })
}

/// Eight characters that no other array of this database ends with.
pub(crate) fn unique_suffix() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&std::process::id().to_le_bytes());
    hasher.update(&COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        hasher.update(&now.as_nanos().to_le_bytes());
    }
    hasher.finalize().to_hex()[..8].to_string()
}
