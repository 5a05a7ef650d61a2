//! Merging shards: databases of one genome axis, each with some of the tracks, become one database.
//!
//! Shards are only read. Every array is copied and read back before the first row is written; then the arrays
//! are renamed into their place and one transaction writes all rows. Killed before that, the target is what it
//! was, and the next writer removes what was copied. A track that the target has already is left as it is, so
//! that a merge may be repeated.

mod copy;
mod plan;
mod shard_database;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::params;
use serde_json::{Map, Value};

use super::coverage::TrackCoverage;
use super::durable::remove_folder;
use super::locks::exclude_writers;
use super::normalisation::insert_reference;
use super::track::TABLES;
use super::track_record::TrackRecord;
use super::track_writer::{Row, store_row};
use super::{AssayReference, Database, NewDatabase, StoreError, Track};
use crate::Bug;
use copy::{copy_all, next_number};
use plan::{metadata, plan, references};
use shard_database::ShardDatabase;

/// A biosample and an assay.
pub type TrackName = (String, String);

/// What a merge has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergeReport {
    /// Tracks that the target has got.
    pub merged: Vec<TrackName>,
    /// Tracks of the shards that the target had already.
    pub unchanged: Vec<TrackName>,
    /// What else shards have, which is not merged: models, tasks, runs, selections and projections.
    pub left_out: Vec<String>,
}

/// Merges the tracks of shards, and what is known of their biosamples and assays, into the database at `to`,
/// which is made if it does not exist. `progress` receives how many tracks are copied, and of how many.
///
/// ```
/// use persea::genome::{Assembly, GenomeAxis};
/// use persea::store::{Database, NewDatabase, NewTrack, Transform, ValueType, merge_shards};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chrM"])?;
/// let parts = NewDatabase { axis, mask: vec![], genes: vec![], enhancers: vec![] };
/// let shards = [folder.join("1.persea"), folder.join("2.persea")];
/// for (shard, biosample) in shards.iter().zip(["E003", "E017"]) {
///     let database = Database::create(shard, &parts)?;
///     let mut writer = database.begin_track(NewTrack {
///         biosample: biosample.into(),
///         assay: "DNase".into(),
///         transform: Transform::Arcsinh,
///         unit: None,
///         sources: vec![],
///         values: ValueType::F32,
///         normalisation: None,
///     })?;
///     writer.write(0, &vec![1.5; database.axis().n_bins() as usize])?;
///     writer.commit()?;
/// }
/// let to = folder.join("all.persea");
/// assert_eq!(merge_shards(&to, &shards, &|_, _| {})?.merged.len(), 2);
/// // Repeated, it has nothing to do.
/// assert_eq!(merge_shards(&to, &shards, &|_, _| {})?.unchanged.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a shard is damaged ([`StoreError::Shard`] names it), two databases disagree about the axis, the
/// annotation, an assay's unit or a track's content ([`StoreError::Disagreement`]), others write to the target,
/// or the disk is full. The target then is what it was, and a new one does not appear.
pub fn merge_shards(
    to: &Path,
    shards: &[PathBuf],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<MergeReport, StoreError> {
    let mut opened = Vec::with_capacity(shards.len());
    for path in shards {
        if let (Ok(shard), Ok(target)) = (path.canonicalize(), to.canonicalize())
            && shard == target
        {
            let why = "is the database to merge into, and cannot be a shard as well";
            let path = path.clone();
            return Err(StoreError::Folder { path, why });
        }
        opened.push(ShardDatabase::open(path)?);
    }
    let Some(first) = opened.first() else {
        return Err(StoreError::Invalid("there is no shard to merge".into()));
    };
    for other in &opened[1..] {
        first.agrees_with(other)?;
    }
    let exists = match std::fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) => e.kind() != std::io::ErrorKind::NotFound,
    };
    if exists {
        let database = Database::open(to)?;
        return merge_into(&database, to, &opened, progress);
    }
    let mut report = MergeReport::default();
    Database::create_filled(to, &first.parts, |database| {
        report = merge_into(database, to, &opened, progress)?;
        Ok::<(), StoreError>(())
    })?;
    Ok(report)
}

/// A track to copy: the shard that has it, and the track.
type Planned<'a> = (&'a ShardDatabase, &'a Track);

/// What has been copied: the array's name, its record and its coverage.
type Copied = (String, TrackRecord, TrackCoverage);

/// What is known of a biosample or an assay, by table and name.
type Metadata = BTreeMap<(&'static str, String), Map<String, Value>>;

/// The references of assays, by the assay's name.
type References = BTreeMap<String, AssayReference>;

fn merge_into(
    database: &Database,
    to: &Path,
    shards: &[ShardDatabase],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<MergeReport, StoreError> {
    database.prepare_writing()?;
    let Some(_alone) = exclude_writers(&database.locks_folder())? else {
        return Err(StoreError::Locked {
            what: to.display().to_string(),
            holder: "another process (or another part of this one)".into(),
        });
    };
    let target = ShardDatabase {
        path: to.to_path_buf(),
        database: Database::open_read_only(database.path())?,
        tracks: database.tracks()?,
        parts: NewDatabase {
            axis: database.axis().clone(),
            mask: database.mask_intervals()?,
            genes: database.genes()?,
            enhancers: database.enhancers()?,
        },
    };
    let mut report = MergeReport::default();
    for shard in shards {
        target.agrees_with(shard)?;
        report.left_out.extend(shard.other_content()?);
    }
    let planned = plan(&target, shards, &mut report)?;
    let metadata = metadata(&target, shards)?;
    let references = references(&target, shards)?;
    let copied = copy_all(database, &planned, progress)?;
    let stored = store(database, &copied, &metadata, &references);
    if stored.is_err() {
        for (array, ..) in &copied {
            // Without its row the array is garbage; a sweep takes what cannot go now.
            let _ = remove_folder(&database.signal_folder().join(array));
        }
    }
    stored?;
    Ok(report)
}

/// Writes all rows in one transaction.
fn store(
    database: &Database,
    copied: &[Copied],
    metadata: &Metadata,
    references: &References,
) -> Result<(), StoreError> {
    if copied.is_empty() && metadata.is_empty() && references.is_empty() {
        return Ok(());
    }
    let tables: Vec<&'static str> = (TABLES.iter().copied())
        .chain(["meta", "assay_references"])
        .collect();
    database.write_in(&tables, |t| {
        let mut id = next_number(t)?;
        for (array, record, coverage) in copied {
            if !array.starts_with(&format!("track_{id}_")) {
                return Err(Bug::new("tracks were numbered while shards were merged").into());
            }
            let row = Row {
                id,
                array,
                record,
                coverage,
            };
            store_row(t, &row)?;
            id += 1;
        }
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'next_track'";
        t.execute(sql, [id.to_string()])?;
        for (assay, reference) in references {
            insert_reference(t, assay, reference)?;
        }
        for ((table, name), facts) in metadata {
            let sql = format!("UPDATE {table} SET metadata = ?2 WHERE name = ?1");
            let n = t.execute(
                &sql,
                params![name, Value::Object(facts.clone()).to_string()],
            )?;
            if n != 1 {
                return Err(Bug::new(format!("{name} is described and has no row")).into());
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::test_support::{read_track, store_track, toy_database, toy_parts};
    use super::*;

    fn names(tracks: &[TrackName]) -> BTreeSet<String> {
        tracks.iter().map(|(b, a)| format!("{b} {a}")).collect()
    }

    /// Two shards with a track each that the other lacks, and one that both have.
    fn shards(folder: &Path) -> Vec<PathBuf> {
        let paths = [folder.join("1.persea"), folder.join("2.persea")];
        for (path, biosample, level) in [(&paths[0], "E003", 1.0), (&paths[1], "E017", 2.0)] {
            let db = Database::create(path, &toy_parts()).unwrap();
            let mut values = vec![level; 200];
            values[150] = f32::NAN;
            store_track(&db, biosample, "DNase", &values);
            store_track(&db, "both", "H3K4me1", &[0.5; 200]);
            let facts = [("group".to_string(), Value::from(biosample))];
            db.update_biosample(biosample, &facts.into_iter().collect())
                .unwrap();
        }
        paths.to_vec()
    }

    #[test]
    fn a_merge_has_the_tracks_and_the_metadata_of_all_shards_and_is_repeated_without_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let paths = shards(folder.path());
        let to = folder.path().join("all.persea");
        let report = merge_shards(&to, &paths, &|_, _| {}).unwrap();
        let expected = ["E003 DNase", "E017 DNase", "both H3K4me1"].map(str::to_string);
        assert_eq!(names(&report.merged), expected.iter().cloned().collect());
        assert!(report.unchanged.is_empty() && report.left_out.is_empty());
        let db = Database::open(&to).unwrap();
        assert_eq!(db.check().unwrap(), []);
        let values = read_track(&db, "E017", "DNase");
        assert!(values[150].is_nan() && values[..150] == [2.0; 150]);
        let biosample = db.biosamples().unwrap().swap_remove(1);
        assert_eq!(biosample.metadata["group"], "E017");
        let ids: BTreeSet<i64> = db.tracks().unwrap().iter().map(|t| t.id).collect();
        assert_eq!(ids, BTreeSet::from([1, 2, 3]));
        // The next track's number is free.
        store_track(&db, "E004", "DNase", &[0.0; 200]);
        let before = db.tracks().unwrap();
        drop(db);
        let report = merge_shards(&to, &paths, &|_, _| {}).unwrap();
        assert_eq!(names(&report.unchanged), expected.into_iter().collect());
        assert!(report.merged.is_empty());
        assert_eq!(Database::open(&to).unwrap().tracks().unwrap(), before);
    }

    #[test]
    fn one_track_with_two_contents_is_refused_and_nothing_is_merged() {
        let folder = tempfile::tempdir().unwrap();
        let paths = shards(folder.path());
        store_track(
            &Database::open(&paths[1]).unwrap(),
            "both",
            "H3K4me1",
            &[0.25; 200],
        );
        let to = folder.path().join("all.persea");
        let error = merge_shards(&to, &paths, &|_, _| {}).unwrap_err();
        assert!(
            matches!(&error, StoreError::Disagreement { first, second, about }
                if *first == paths[0] && *second == paths[1] && about.contains("both H3K4me1")),
            "{error}"
        );
        assert!(!to.exists());
    }

    #[test]
    fn a_damaged_shard_is_named_and_the_target_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let paths = shards(folder.path());
        let db = Database::open(&paths[1]).unwrap();
        let track = db.track("E017", "DNase").unwrap().unwrap();
        let shard = db.signal_folder().join(&track.array).join("c/0");
        drop(db);
        let mut bytes = std::fs::read(&shard).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&shard, bytes).unwrap();
        let (target_folder, target) = toy_database();
        store_track(&target, "own", "DNase", &[3.0; 200]);
        let before = target.tracks().unwrap();
        let to = target.path().to_path_buf();
        drop(target);
        let error = merge_shards(&to, &paths, &|_, _| {}).unwrap_err();
        assert!(
            matches!(&error, StoreError::Shard { path, .. } if *path == paths[1]),
            "{error}"
        );
        assert!(error.to_string().contains("E017 DNase"), "{error}");
        let target = Database::open(&to).unwrap();
        assert_eq!(target.tracks().unwrap(), before);
        assert_eq!(target.check().unwrap(), []);
        drop(target_folder);
    }

    #[test]
    fn shards_of_other_regions_or_units_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = shards(folder.path());
        let other = NewDatabase {
            mask: vec![],
            ..toy_parts()
        };
        paths.push(folder.path().join("3.persea"));
        drop(Database::create(&paths[2], &other).unwrap());
        let to = folder.path().join("all.persea");
        let error = merge_shards(&to, &paths, &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains("the mask"), "{error}");
        std::fs::remove_dir_all(&paths[2]).unwrap();
        let db = Database::create(&paths[2], &toy_parts()).unwrap();
        let mut track = super::super::test_support::toy_track("E004", "DNase");
        track.unit = Some("reads".into());
        let mut writer = db.begin_track(track).unwrap();
        writer.write(0, &[1.0; 200]).unwrap();
        writer.commit().unwrap();
        drop(db);
        let error = merge_shards(&to, &paths, &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains("the unit"), "{error}");
        let error = merge_shards(&paths[0], &paths, &|_, _| {}).unwrap_err();
        assert!(matches!(error, StoreError::Folder { .. }), "{error}");
    }
}
