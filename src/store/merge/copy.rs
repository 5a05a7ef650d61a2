//! Arrays are copied into their place, each read back.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use rusqlite::Transaction;

use super::shard_database::{ShardDatabase, of_shard};
use super::{Copied, Planned};
use crate::store::coverage::TrackCoverage;
use crate::store::durable::{copy_folder, make_folder, remove_folder, rename_synced, sync_folder};
use crate::store::track_record::TrackRecord;
use crate::store::track_writer::unique_suffix;
use crate::store::{Database, NewTrack, StoreError, Track};

/// Copies all arrays into their place, each read back.
pub(super) fn copy_all(
    database: &Database,
    planned: &[Planned<'_>],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Copied>, StoreError> {
    if planned.is_empty() {
        return Ok(Vec::new());
    }
    make_folder(&database.temporary_folder())?;
    // Nobody else writes, so the numbers stay free until the rows are written.
    let first = database.read(next_number)?;
    let done = AtomicUsize::new(0);
    progress(0, planned.len());
    let copied = planned
        .par_iter()
        .enumerate()
        .map(|(i, (shard, track))| {
            let array = format!("track_{}_{}", first + i as i64, unique_suffix());
            let (record, coverage) = copy(database, shard, track, &array)?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(done, planned.len());
            Ok((array, record, coverage))
        })
        .collect::<Result<Vec<Copied>, StoreError>>();
    let place = || {
        let copied = copied?;
        for (array, ..) in &copied {
            let from = database.temporary_folder().join(array);
            rename_synced(&from, &database.signal_folder().join(array))?;
        }
        Ok(copied)
    };
    place().inspect_err(|_| {
        // The next writer's sweep takes what cannot go now.
        let _ = remove_folder(&database.temporary_folder());
    })
}

/// Copies a track's array under the name that it will have, and reads the copy back.
fn copy(
    database: &Database,
    shard: &ShardDatabase,
    track: &Track,
    array: &str,
) -> Result<(TrackRecord, TrackCoverage), StoreError> {
    let what = format!("track {} {}", track.biosample, track.assay);
    let damaged = |why: String| of_shard(&shard.path, StoreError::damaged(what.clone(), why));
    let Some(chunks) = track.chunks else {
        return Err(StoreError::Disagreement {
            first: database.path().to_path_buf(),
            second: shard.path.clone(),
            about: format!("{what}: an earlier Persea stored it; ingest it again"),
        });
    };
    let from = shard.database.signal_folder().join(&track.array);
    let folder = database.temporary_folder().join(array);
    match copy_folder(&from, &folder) {
        Err(StoreError::Io { path, source }) if path.starts_with(&from) => {
            return Err(damaged(source.to_string()));
        }
        other => other?,
    }
    let record = TrackRecord {
        track: NewTrack {
            biosample: track.biosample.clone(),
            assay: track.assay.clone(),
            transform: track.transform,
            unit: track.unit.clone(),
            sources: track.sources.clone(),
            values: track.values,
            normalisation: track.normalisation,
        },
        n_nan_bins: track.n_nan_bins,
        n_negative_bins: track.n_negative_bins,
        mean: track.mean,
        variance: track.variance,
        maximum: track.maximum,
        chunks,
    };
    record.write(&folder)?;
    sync_folder(&folder)?;
    let coverage = database.read_whole(&folder, &record).map_err(|why| {
        // The copy or the original: whose fault it is decides what has to be done.
        match database.read_whole(&from, &record) {
            Err(why) => damaged(why),
            Ok(_) => StoreError::damaged(format!("the copy of {what}"), why),
        }
    })?;
    let stored = shard.database.coverage(track);
    if stored.map_err(|e| of_shard(&shard.path, e))? != coverage {
        return Err(damaged("its intervals are not those of its values".into()));
    }
    Ok((record, coverage))
}

pub(super) fn next_number(t: &Transaction<'_>) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'next_track'";
    Ok(t.query_row(sql, [], |row| row.get(0))?)
}
