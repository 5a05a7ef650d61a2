//! Tracks: what the database knows of each.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::chunk_checksums::ListDigest;
use super::connection::{named, whole};
use super::value_type::{ValueType, value_type_of_row};
use super::{Database, StoreError};
use crate::formats::{Identity, Missing};
use crate::measures::PowerLaw;

/// The BLAKE3 of a track's run lengths.
pub(crate) type RunsDigest = [u8; 32];

/// What is done to a track's signal before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transform {
    /// The inverse hyperbolic sine.
    Arcsinh,
    /// Nothing: the signal has been transformed already, or need not be.
    None,
}

impl Transform {
    /// The name used in manifests and in the database: `arcsinh`, `none`.
    pub const fn name(self) -> &'static str {
        match self {
            Transform::Arcsinh => "arcsinh",
            Transform::None => "none",
        }
    }

    /// The transform of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Transform::Arcsinh, Transform::None]
            .into_iter()
            .find(|transform| transform.name() == name)
    }

    /// From signal to what is stored.
    ///
    /// ```
    /// use persea::store::Transform;
    /// // ln(3 + √10)
    /// assert!((Transform::Arcsinh.apply(3.0) - 1.818_446_5).abs() < 1e-6);
    /// ```
    pub fn apply(self, signal: f32) -> f32 {
        self.apply_f64(f64::from(signal))
    }

    /// As [`Transform::apply`], from a signal beyond the precision or the range of `f32`.
    pub fn apply_f64(self, signal: f64) -> f32 {
        match self {
            Transform::Arcsinh => {
                let size = signal.abs();
                if size > 1e100 {
                    return signal.asinh() as f32;
                }
                // ln(x + √(x² + 1)), in the form that keeps the digits of a small x; the standard
                // library's takes twice as long for the sake of those whose square overflows.
                let square = size * size;
                let beyond_one = size + square / (1.0 + (square + 1.0).sqrt());
                beyond_one.ln_1p().copysign(signal) as f32
            }
            Transform::None => signal as f32,
        }
    }

    /// From what is stored to signal.
    pub fn invert(self, stored: f32) -> f32 {
        match self {
            Transform::Arcsinh => f64::from(stored).sinh() as f32,
            Transform::None => stored,
        }
    }
}

impl std::fmt::Display for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that a track was read from, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackSource {
    /// Its path or URL.
    pub location: String,
    /// The name of its format, where the manifest gave one.
    pub format: Option<String>,
    /// Length, time of change and ETag when it was read.
    pub identity: Identity,
    /// BLAKE3 of its content, in hexadecimal.
    pub checksum: String,
    /// What its values were multiplied by, before the transform.
    pub multiplier: f64,
    /// What uncovered bases counted as.
    pub missing: Missing,
    /// What a consortium's table says of it, where one named it.
    pub origin: Option<SourceOrigin>,
}

/// What a consortium's table says of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOrigin {
    /// The file's accession.
    pub accession: String,
    /// The experiment's.
    pub experiment: Option<String>,
    /// What the file holds, in the portal's words (`signal p-value`).
    pub output_type: Option<String>,
    /// The donor or donors.
    pub donor: Option<String>,
    /// What the audit found, by level.
    pub audit: Option<String>,
    /// The MD5 of its content, which was checked.
    pub md5: Option<String>,
}

/// A track of the compendium: one assay in one biosample.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// Where it was read from; several replicates are separated by ` + `.
    pub location: String,
    /// BLAKE3 of its content, in hexadecimal; of replicates, that of their checksums; of a normalised track, that
    /// of its content's and the power law.
    pub checksum: String,
    /// Length of its file or files.
    pub bytes: u64,
    /// When its file (the latest of its files) was changed last, in ns of Unix time.
    pub modified: Option<i64>,
    /// The array in `signal.zarr`.
    pub array: String,
    /// What was done to the signal.
    pub transform: Transform,
    /// What its values were multiplied by, before the transform (of replicates, the first's).
    pub multiplier: f64,
    /// The unit of the signal, where the manifest gave one.
    pub unit: Option<String>,
    /// What uncovered bases counted as (of replicates, the first's).
    pub missing: Missing,
    /// Bins without data. In tracks that a Persea before schema version 8 stored they are 0 and count as
    /// data; in all others they are NaN.
    pub n_nan_bins: u64,
    /// Bins with data; `None` of a track that a Persea before schema version 8 stored, all of whose bins
    /// have data.
    pub covered_bins: Option<u64>,
    /// Bins below 0.
    pub n_negative_bins: u64,
    /// Mean of the stored values over the bins with data.
    pub mean: f64,
    /// Mean squared deviation of the stored values from their mean.
    pub variance: f64,
    /// The highest stored value.
    pub maximum: f64,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub ingested: String,
    /// The file, or the replicates' files.
    pub sources: Vec<TrackSource>,
    /// How its values are stored.
    pub values: ValueType,
    /// The power law that the stored values have been through since they were transformed, where the track was
    /// normalised to its assay's reference.
    pub normalisation: Option<PowerLaw>,
    /// The digest of the list of its chunks' checksums; `None` of a track that a Persea before schema
    /// version 7 stored.
    pub(crate) chunks: Option<ListDigest>,
    /// The digest of its run lengths; `None` where `covered_bins` is.
    pub(crate) runs: Option<RunsDigest>,
}

impl Track {
    /// The share of the axis' bins that have data, of an axis of so many bins.
    pub fn coverage(&self, n_bins: u64) -> f64 {
        self.covered_bins.unwrap_or(n_bins) as f64 / n_bins.max(1) as f64
    }
}

/// A track about to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrack {
    /// The biosample; made known to the database if it is new.
    pub biosample: String,
    /// The assay; made known to the database if it is new.
    pub assay: String,
    /// What has been done to the values that will come.
    pub transform: Transform,
    /// The unit of the signal, where it is known.
    pub unit: Option<String>,
    /// The file, or the replicates' files.
    pub sources: Vec<TrackSource>,
    /// How its values are to be stored.
    pub values: ValueType,
    /// The power law that the values that will come have been through, if it is normalised.
    pub normalisation: Option<PowerLaw>,
}

impl Database {
    /// All tracks, by biosample and assay name.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn tracks(&self) -> Result<Vec<Track>, StoreError> {
        self.read_checked(TABLES, all_tracks)
    }

    /// All tracks, whether or not their tables are what was written.
    pub(crate) fn tracks_as_they_are(&self) -> Result<Vec<Track>, StoreError> {
        self.read(all_tracks)
    }

    /// The track of an experiment, if it has been ingested.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn track(&self, biosample: &str, assay: &str) -> Result<Option<Track>, StoreError> {
        self.read_checked(TABLES, |t| find_track(t, biosample, assay))
    }
}

/// What a track is read from.
pub(crate) const TABLES: &[&str] = &[
    "biosamples",
    "assays",
    "tracks",
    "track_sources",
    "track_origins",
    "track_chunks",
    "track_coverage",
    "track_values",
    "track_normalisations",
];

fn all_tracks(t: &Transaction<'_>) -> Result<Vec<Track>, StoreError> {
    let mut select = t.prepare(&format!("{SELECT} ORDER BY b.name, a.name"))?;
    let mut tracks: Vec<Track> = select
        .query_map([], track_of_row)?
        .collect::<Result<_, _>>()?;
    for track in &mut tracks {
        read_sources(t, track)?;
    }
    Ok(tracks)
}

const SELECT: &str = "SELECT t.id, b.name, a.name, t.array, t.transform, t.unit, t.checksum,
     t.n_nan_bins, t.n_negative_bins, t.mean, t.variance, t.maximum, t.ingested, c.digest,
     v.n_bins, v.digest, u.steps_per_unit, u.fits, p.factor, p.exponent
     FROM tracks t JOIN biosamples b ON b.id = t.biosample JOIN assays a ON a.id = t.assay
     LEFT JOIN track_chunks c ON c.track = t.id LEFT JOIN track_coverage v ON v.track = t.id
     LEFT JOIN track_values u ON u.track = t.id
     LEFT JOIN track_normalisations p ON p.track = t.id";

pub(crate) fn find_track(
    transaction: &Transaction<'_>,
    biosample: &str,
    assay: &str,
) -> Result<Option<Track>, StoreError> {
    let sql = format!("{SELECT} WHERE b.name = ?1 AND a.name = ?2");
    let found = transaction
        .prepare_cached(&sql)?
        .query_row([biosample, assay], track_of_row)
        .optional()?;
    let Some(mut track) = found else {
        return Ok(None);
    };
    read_sources(transaction, &mut track)?;
    Ok(Some(track))
}

/// The name by which the database knows what uncovered bases counted as.
pub(crate) const fn missing_name(missing: Missing) -> &'static str {
    match missing {
        Missing::ByFormat => "by_format",
        Missing::Zero => "zero",
        Missing::Nan => "nan",
    }
}

/// What uncovered bases counted as, of that name.
pub(crate) fn missing_from_name(name: &str) -> Option<Missing> {
    let all = [Missing::ByFormat, Missing::Zero, Missing::Nan];
    all.into_iter()
        .find(|missing| missing_name(*missing) == name)
}

fn track_of_row(row: &Row<'_>) -> rusqlite::Result<Track> {
    Ok(Track {
        id: row.get(0)?,
        biosample: row.get(1)?,
        assay: row.get(2)?,
        location: String::new(),
        checksum: row.get(6)?,
        bytes: 0,
        modified: None,
        array: row.get(3)?,
        transform: named(row, 4, Transform::from_name)?,
        multiplier: 1.0,
        unit: row.get(5)?,
        missing: Missing::Zero,
        n_nan_bins: whole(row, 7)?,
        n_negative_bins: whole(row, 8)?,
        mean: row.get(9)?,
        variance: row.get(10)?,
        maximum: row.get(11)?,
        ingested: row.get(12)?,
        sources: Vec::new(),
        chunks: row.get(13)?,
        covered_bins: match row.get::<_, Option<i64>>(14)? {
            Some(_) => Some(whole(row, 14)?),
            None => None,
        },
        runs: row.get(15)?,
        values: value_type_of_row(row.get(16)?, row.get(17)?)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(16, 0))?,
        normalisation: match row.get::<_, Option<f64>>(18)? {
            Some(factor) => Some(PowerLaw {
                factor,
                exponent: row.get(19)?,
            }),
            None => None,
        },
    })
}

fn read_sources(transaction: &Transaction<'_>, track: &mut Track) -> Result<(), StoreError> {
    let mut select = transaction.prepare_cached(
        "SELECT s.location, s.format, s.bytes, s.modified, s.etag, s.checksum, s.multiplier, s.missing,
         o.accession, o.experiment, o.output_type, o.donor, o.audit, o.md5
         FROM track_sources s
         LEFT JOIN track_origins o ON o.track = s.track AND o.ordinal = s.ordinal
         WHERE s.track = ?1 ORDER BY s.ordinal",
    )?;
    let sources = select.query_map([track.id], |row| {
        Ok(TrackSource {
            location: row.get(0)?,
            format: row.get(1)?,
            identity: Identity {
                bytes: whole(row, 2)?,
                modified: row.get(3)?,
                etag: row.get(4)?,
            },
            checksum: row.get(5)?,
            multiplier: row.get(6)?,
            missing: named(row, 7, missing_from_name)?,
            origin: match row.get::<_, Option<String>>(8)? {
                Some(accession) => Some(SourceOrigin {
                    accession,
                    experiment: row.get(9)?,
                    output_type: row.get(10)?,
                    donor: row.get(11)?,
                    audit: row.get(12)?,
                    md5: row.get(13)?,
                }),
                None => None,
            },
        })
    })?;
    track.sources = sources.collect::<Result<_, _>>()?;
    let locations: Vec<&str> = track.sources.iter().map(|s| s.location.as_str()).collect();
    track.location = locations.join(" + ");
    track.bytes = track.sources.iter().map(|s| s.identity.bytes).sum();
    track.modified = track
        .sources
        .iter()
        .filter_map(|s| s.identity.modified)
        .max();
    if let Some(first) = track.sources.first() {
        track.multiplier = first.multiplier;
        track.missing = first.missing;
    }
    Ok(())
}

/// Stores what a track was read from, in place of what is stored.
pub(crate) fn write_sources(
    transaction: &Transaction<'_>,
    track: i64,
    sources: &[TrackSource],
) -> Result<(), StoreError> {
    for table in ["track_sources", "track_origins"] {
        let sql = format!("DELETE FROM {table} WHERE track = ?1");
        transaction.execute(&sql, [track])?;
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO track_sources
         (track, ordinal, location, format, bytes, modified, etag, checksum, multiplier, missing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut insert_origin = transaction.prepare_cached(
        "INSERT INTO track_origins
         (track, ordinal, accession, experiment, output_type, donor, audit, md5)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (i, source) in sources.iter().enumerate() {
        if let Some(origin) = &source.origin {
            insert_origin.execute(params![
                track,
                i as i64,
                origin.accession,
                origin.experiment,
                origin.output_type,
                origin.donor,
                origin.audit,
                origin.md5
            ])?;
        }
        insert.execute(params![
            track,
            i as i64,
            source.location,
            source.format,
            source.identity.bytes as i64,
            source.identity.modified,
            source.identity.etag,
            source.checksum,
            source.multiplier,
            missing_name(source.missing)
        ])?;
    }
    Ok(())
}

/// The checksum of a track from those of its sources and the power law, if it is normalised.
pub(crate) fn combined_checksum(sources: &[TrackSource], law: Option<PowerLaw>) -> String {
    match (sources, law) {
        ([one], None) => one.checksum.clone(),
        (several, law) => {
            let mut hasher = blake3::Hasher::new();
            for source in several {
                hasher.update(source.checksum.as_bytes());
            }
            if let Some(law) = law {
                hasher.update(&law.factor.to_le_bytes());
                hasher.update(&law.exponent.to_le_bytes());
            }
            hasher.finalize().to_hex().to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arcsinh_is_the_standard_librarys_to_the_last_digit_of_f32() {
        for exponent in -40..=120 {
            for mantissa in 1..50 {
                let signal = f64::from(mantissa) * 0.0371 * 10f64.powi(exponent);
                for signal in [signal, -signal] {
                    let (ours, theirs) = (Transform::Arcsinh.apply_f64(signal), signal.asinh());
                    let difference = (f64::from(ours) - theirs).abs();
                    assert!(
                        difference <= 6e-8 * theirs.abs() + 1e-45,
                        "{signal} {ours} {theirs}"
                    );
                }
            }
        }
    }

    #[test]
    fn transforms_invert_each_other_and_keep_the_sign() {
        for value in [-7.5f32, -0.001, 0.0, 1e-6, 0.5, 3.0, 1e6] {
            for transform in [Transform::Arcsinh, Transform::None] {
                let there = transform.apply(value);
                assert_eq!(there.is_sign_negative(), value.is_sign_negative());
                let back = transform.invert(there);
                assert!((back - value).abs() <= 2e-6 * value.abs(), "{value} {back}");
                assert_eq!(Transform::from_name(transform.name()), Some(transform));
            }
        }
        assert_eq!(Transform::from_name("log"), None);
    }
}
