//! Normalised tracks: the reference of each assay, and the power law by which each track came to it.
//!
//! What is normalised is stored: the array holds the values after the power law, and the law undoes it. A
//! reference is written once and never changed, so that tracks which come later meet those that are there.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::coverage::{push_length, take_length};
use super::{Database, StoreError, Track, Transform};
use crate::measures::{Components, PowerLaw};

/// What an assay's tracks are normalised to.
#[derive(Debug, Clone, PartialEq)]
pub struct AssayReference {
    /// The means of background and peaks, on the scale that tracks are stored on.
    pub components: Components,
    /// Of how many tracks they are the medians.
    pub n_tracks: u64,
    /// Bins of the axis, ascending, that are background in the assay's tracks.
    pub background_bins: Vec<u64>,
    /// Bins of the axis, ascending, that are peaks in the assay's tracks.
    pub peak_bins: Vec<u64>,
}

/// How stored values become signal again.
///
/// ```
/// use persea::measures::PowerLaw;
/// use persea::store::{Inversion, Transform};
///
/// let inversion = Inversion {
///     transform: Transform::Arcsinh,
///     normalisation: Some(PowerLaw { factor: 2.0, exponent: 1.0 }),
/// };
/// // The arcsinh of 3 is stored twice as large.
/// assert!((inversion.apply(2.0 * 3f32.asinh()) - 3.0).abs() < 1e-5);
/// assert_eq!(Inversion::NONE.apply(1.5), 1.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inversion {
    /// What was done to the signal first.
    pub transform: Transform,
    /// What was done to it then, where it was normalised.
    pub normalisation: Option<PowerLaw>,
}

impl Inversion {
    /// Values that stay as they are stored.
    pub const NONE: Inversion = Inversion::of(Transform::None);

    /// Of a transform alone.
    pub const fn of(transform: Transform) -> Self {
        Inversion {
            transform,
            normalisation: None,
        }
    }

    /// From what is stored to signal.
    pub fn apply(self, stored: f32) -> f32 {
        let transformed = self.normalisation.map_or(stored, |law| law.invert(stored));
        self.transform.invert(transformed)
    }
}

impl Track {
    /// How its stored values become the signal of its files again.
    pub fn inversion(&self) -> Inversion {
        Inversion {
            transform: self.transform,
            normalisation: self.normalisation,
        }
    }
}

impl Database {
    /// The references that assays have, by the assay's name.
    ///
    /// # Errors
    /// When SQLite fails, or a row is damaged.
    pub fn references(&self) -> Result<BTreeMap<String, AssayReference>, StoreError> {
        self.read_checked(&["assays", "assay_references"], |t| {
            let mut select = t.prepare(SELECT)?;
            let rows = select.query_map([], reference_of_row)?;
            rows.map(|row| row?).collect()
        })
    }

    /// The names of the assays that have a reference.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn normalised_assays(&self) -> Result<Vec<String>, StoreError> {
        self.read_checked(&["assays", "assay_references"], |t| {
            let sql = "SELECT a.name FROM assay_references r JOIN assays a ON a.id = r.assay ORDER BY a.name";
            let mut select = t.prepare(sql)?;
            let names = select.query_map([], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// Records the reference of an assay that has none, and gives the one that it has then: if another writer came
    /// first, that one's.
    ///
    /// # Errors
    /// When the assay has no track, or the database can only be read.
    pub fn record_reference(
        &self,
        assay: &str,
        reference: &AssayReference,
    ) -> Result<AssayReference, StoreError> {
        self.prepare_writing()?;
        let recorded = self.write_in(&["assay_references"], |t| {
            insert_reference(t, assay, reference)?;
            let sql = format!("{SELECT} WHERE a.name = ?1");
            let row = t.query_row(&sql, [assay], reference_of_row).optional()?;
            row.map(|row| Ok(row?.1)).transpose()
        })?;
        match recorded {
            Some(recorded) => Ok(recorded),
            None => {
                let known = self.assays()?;
                let names = known.iter().map(|a| a.name.as_str());
                Err(StoreError::unknown("assay", assay, names))
            }
        }
    }
}

const SELECT: &str =
    "SELECT a.name, r.background, r.peaks, r.n_tracks, r.background_bins, r.peak_bins
     FROM assay_references r JOIN assays a ON a.id = r.assay";

fn reference_of_row(
    row: &Row<'_>,
) -> rusqlite::Result<Result<(String, AssayReference), StoreError>> {
    let name: String = row.get(0)?;
    let components = Components {
        background: row.get(1)?,
        peaks: row.get(2)?,
    };
    let n_tracks = super::connection::whole(row, 3)?;
    let (background, peaks): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(5)?);
    let lists = bins_of(&background).zip(bins_of(&peaks));
    Ok(match lists {
        Some((background_bins, peak_bins)) => Ok((
            name,
            AssayReference {
                components,
                n_tracks,
                background_bins,
                peak_bins,
            },
        )),
        None => Err(StoreError::damaged(
            format!("persea.sqlite, table assay_references, bins of {name}"),
            "a list of bins is cut short",
        )),
    })
}

/// Stores an assay's reference, if it has none.
pub(crate) fn insert_reference(
    t: &Transaction<'_>,
    assay: &str,
    reference: &AssayReference,
) -> Result<(), StoreError> {
    t.execute(
        "INSERT INTO assay_references
            (assay, background, peaks, n_tracks, background_bins, peak_bins)
         SELECT id, ?2, ?3, ?4, ?5, ?6 FROM assays WHERE name = ?1
         ON CONFLICT (assay) DO NOTHING",
        params![
            assay,
            reference.components.background,
            reference.components.peaks,
            reference.n_tracks as i64,
            bytes_of(&reference.background_bins),
            bytes_of(&reference.peak_bins)
        ],
    )?;
    Ok(())
}

/// Stores a track's power law, in place of what is stored.
pub(crate) fn write_normalisation(
    t: &Transaction<'_>,
    track: i64,
    law: Option<PowerLaw>,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM track_normalisations WHERE track = ?1";
    t.execute(sql, [track])?;
    if let Some(law) = law {
        t.execute(
            "INSERT INTO track_normalisations (track, factor, exponent) VALUES (?1, ?2, ?3)",
            params![track, law.factor, law.exponent],
        )?;
    }
    Ok(())
}

/// Ascending bins as bytes: each as its distance from the one before, as LEB128.
fn bytes_of(bins: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    for bin in bins {
        push_length(&mut bytes, bin - before);
        before = *bin;
    }
    bytes
}

/// The bins of such bytes; `None` where they are cut short.
fn bins_of(mut bytes: &[u8]) -> Option<Vec<u64>> {
    let mut bins = Vec::new();
    let mut bin = 0u64;
    while !bytes.is_empty() {
        bin = bin.checked_add(take_length(&mut bytes)?)?;
        bins.push(bin);
    }
    Some(bins)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{read_track, store_track, toy_database, toy_parts, toy_track};
    use super::super::{Repair, compare_databases, merge_shards};
    use super::*;

    const LAW: PowerLaw = PowerLaw {
        factor: 1.25,
        exponent: 0.8,
    };

    fn reference() -> AssayReference {
        AssayReference {
            components: Components {
                background: 0.25,
                peaks: 3.0,
            },
            n_tracks: 3,
            background_bins: vec![0, 1, 130, 199],
            peak_bins: vec![7],
        }
    }

    fn store_normalised(db: &Database, biosample: &str) {
        let mut track = toy_track(biosample, "DNase");
        track.normalisation = Some(LAW);
        let mut writer = db.begin_track(track).unwrap();
        writer.write(0, &[1.5; 200]).unwrap();
        writer.commit().unwrap();
    }

    #[test]
    fn bins_are_bytes_worked_out_by_hand() {
        let bytes = bytes_of(&[0, 1, 130, 1_000]);
        assert_eq!(bytes, [0, 1, 0x81, 1, 0xe6, 6]);
        assert_eq!(bins_of(&bytes).unwrap(), [0, 1, 130, 1_000]);
        assert_eq!(bins_of(&[0x80]), None);
        assert_eq!(bins_of(&[]).unwrap(), [0u64; 0]);
    }

    #[test]
    fn the_first_reference_of_an_assay_stays_and_goes_with_its_last_track() {
        let (_folder, db) = toy_database();
        let error = db.record_reference("DNase", &reference()).unwrap_err();
        assert!(matches!(error, StoreError::Unknown { .. }), "{error}");
        store_track(&db, "E003", "DNase", &[1.0; 200]);
        let recorded = db.record_reference("DNase", &reference()).unwrap();
        assert_eq!(recorded, reference());
        let other = AssayReference {
            n_tracks: 9,
            ..reference()
        };
        assert_eq!(db.record_reference("DNase", &other).unwrap(), reference());
        db.rename_assay("DNase", "ATAC").unwrap();
        assert_eq!(db.normalised_assays().unwrap(), ["ATAC"]);
        assert_eq!(db.references().unwrap()["ATAC"], reference());
        assert_eq!(db.check().unwrap(), []);
        db.remove_track("E003", "ATAC").unwrap();
        assert!(db.references().unwrap().is_empty());
        assert_eq!(db.check().unwrap(), []);
    }

    #[test]
    fn a_normalised_track_has_another_checksum_and_is_inverted_and_a_replacement_is_not() {
        let (_folder, db) = toy_database();
        store_track(&db, "E003", "DNase", &[1.5; 200]);
        let before = db.track("E003", "DNase").unwrap().unwrap();
        assert_eq!(before.inversion(), Inversion::of(Transform::Arcsinh));
        store_normalised(&db, "E003");
        let track = db.track("E003", "DNase").unwrap().unwrap();
        assert_eq!(track.normalisation, Some(LAW));
        assert_ne!(track.checksum, before.checksum);
        assert_eq!(track.sources, before.sources);
        // The signal is the sinh of (1.5 / 1.25)^(1 / 0.8), which is 1.2^1.25.
        let signal = 1.2f64.powf(1.25).sinh() as f32;
        let found = track.inversion().apply(1.5);
        assert!((found - signal).abs() < 1e-6 * signal, "{found} {signal}");
        assert_eq!(db.check().unwrap(), []);
        store_track(&db, "E003", "DNase", &[1.5; 200]);
        assert_eq!(
            db.track("E003", "DNase").unwrap().unwrap().checksum,
            before.checksum
        );
    }

    #[test]
    fn backup_repair_and_merge_keep_what_was_normalised() {
        let (folder, db) = toy_database();
        store_normalised(&db, "E003");
        db.record_reference("DNase", &reference()).unwrap();
        let copy = folder.path().join("copy.persea");
        db.backup(&copy, &mut |_| {}).unwrap();
        let copied = Database::open(&copy).unwrap();
        assert_eq!(copied.references().unwrap()["DNase"], reference());
        assert_eq!(copied.tracks().unwrap()[0].normalisation, Some(LAW));
        assert_eq!(compare_databases(&db, &copied, &mut |_, _| {}).unwrap(), []);

        // The row is lost, and made again from what lies beside the array.
        let track = copied.tracks().unwrap().swap_remove(0);
        copied
            .write(|t| Ok(t.execute("DELETE FROM tracks WHERE id = ?1", [track.id])?))
            .unwrap();
        assert_eq!(copied.repair(Repair::Adopt).unwrap().adopted.len(), 1);
        let adopted = copied.track("E003", "DNase").unwrap().unwrap();
        assert_eq!(
            (adopted.normalisation, &adopted.checksum),
            (Some(LAW), &track.checksum)
        );
        drop(copied);

        let merged = folder.path().join("merged.persea");
        merge_shards(&merged, std::slice::from_ref(&copy), &|_, _| {}).unwrap();
        let merged = Database::open(&merged).unwrap();
        assert_eq!(merged.references().unwrap()["DNase"], reference());
        assert_eq!(merged.tracks().unwrap()[0].normalisation, Some(LAW));
        assert_eq!(read_track(&merged, "E003", "DNase"), [1.5; 200]);
        assert_eq!(compare_databases(&db, &merged, &mut |_, _| {}).unwrap(), []);
        assert_eq!(merged.check().unwrap(), []);
    }

    #[test]
    fn databases_of_other_references_are_not_merged_and_are_found_different() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, biosample: &str, n_tracks| {
            let path = folder.path().join(name);
            let db = Database::create(&path, &toy_parts()).unwrap();
            store_normalised(&db, biosample);
            let reference = AssayReference {
                n_tracks,
                ..reference()
            };
            db.record_reference("DNase", &reference).unwrap();
            path
        };
        let paths = [made("1.persea", "E003", 3), made("2.persea", "E017", 4)];
        let to = folder.path().join("all.persea");
        let error = merge_shards(&to, &paths, &|_, _| {}).unwrap_err();
        assert!(
            matches!(&error, StoreError::Disagreement { about, .. } if about.contains("reference")),
            "{error}"
        );
        let [one, other] = [&paths[0], &paths[1]].map(|path| Database::open(path).unwrap());
        let found = compare_databases(&one, &other, &mut |_, _| {}).unwrap();
        assert!(
            found.iter().any(|d| d.what == "reference of DNase"),
            "{found:?}"
        );
    }
}
