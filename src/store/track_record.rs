//! What a track's row says, once more beside its array.
//!
//! Should the row be lost with SQLite's log, `repair` makes it again from this file and from the names
//! in the array's attributes (which follow a renaming). A checksum over the file keeps a damaged one
//! from becoming a row.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::chunk_checksums::ListDigest;
use super::durable::write_synced;
use super::track::{missing_from_name, missing_name};
use super::value_type::{ValueType, value_type_from_text};
use super::{NewTrack, SourceOrigin, StoreError, TrackSource, Transform};
use crate::formats::Identity;
use crate::measures::PowerLaw;

/// The name of the file in an array's folder.
pub(crate) const FILE_NAME: &str = "track.json";

/// A track's row, but for its number and its array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrackRecord {
    pub(crate) track: NewTrack,
    pub(crate) n_nan_bins: u64,
    pub(crate) n_negative_bins: u64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) maximum: f64,
    pub(crate) chunks: ListDigest,
}

impl TrackRecord {
    /// Writes it into an array's folder, which is not synced.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let record = self.as_json();
        let document = json!({ "blake3": digest(&record), "record": record });
        write_synced(
            &folder.join(FILE_NAME),
            format!("{document:#}\n").as_bytes(),
        )
    }

    /// Reads that of an array; an error is what is wrong with it.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let text = match std::fs::read(folder.join(FILE_NAME)) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(format!(
                    "it has no {FILE_NAME}: an earlier Persea stored it; ingest the track again"
                ));
            }
            Err(e) => return Err(format!("{FILE_NAME}: {e}")),
        };
        let damaged = || format!("{FILE_NAME} is damaged; ingest the track again");
        let document: Value = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let record = document.get("record").ok_or_else(damaged)?;
        if document.get("blake3") != Some(&Value::from(digest(record))) {
            return Err(damaged());
        }
        Self::from_json(record).ok_or_else(damaged)
    }

    fn as_json(&self) -> Value {
        // Fractions as text: what reads back from it is the same to the last bit.
        let exact = |v: f64| format!("{v:?}");
        let source = |s: &TrackSource| {
            let mut document = json!({
                "location": s.location, "format": s.format, "bytes": s.identity.bytes,
                "modified": s.identity.modified, "etag": s.identity.etag,
                "checksum": s.checksum, "multiplier": exact(s.multiplier),
                "missing": missing_name(s.missing),
            });
            if let Some(origin) = &s.origin {
                document["origin"] = json!({
                    "accession": origin.accession, "experiment": origin.experiment,
                    "output_type": origin.output_type, "donor": origin.donor,
                    "audit": origin.audit, "md5": origin.md5,
                });
            }
            document
        };
        let mut record = json!({
            "biosample": self.track.biosample, "assay": self.track.assay,
            "transform": self.track.transform.name(), "unit": self.track.unit,
            "n_nan_bins": self.n_nan_bins, "n_negative_bins": self.n_negative_bins,
            "mean": exact(self.mean), "variance": exact(self.variance),
            "maximum": exact(self.maximum),
            "values": self.track.values.to_string(),
            "chunks": blake3::Hash::from_bytes(self.chunks).to_hex().as_str(),
            "sources": self.track.sources.iter().map(source).collect::<Vec<_>>(),
        });
        if let Some(law) = self.track.normalisation {
            record["normalisation"] =
                json!({ "factor": exact(law.factor), "exponent": exact(law.exponent) });
        }
        record
    }

    fn from_json(record: &Value) -> Option<Self> {
        let record = record.as_object()?;
        let sources = record.get("sources")?.as_array()?;
        let sources = sources.iter().map(source).collect::<Option<Vec<_>>>()?;
        let hex = record.get("chunks")?.as_str()?;
        Some(TrackRecord {
            track: NewTrack {
                biosample: text(record, "biosample")?,
                assay: text(record, "assay")?,
                transform: Transform::from_name(record.get("transform")?.as_str()?)?,
                unit: optional_text(record, "unit")?,
                sources,
                values: match record.get("values") {
                    // Before there was a choice.
                    None => ValueType::F32,
                    Some(text) => value_type_from_text(text.as_str()?)?,
                },
                normalisation: match record.get("normalisation") {
                    None => None,
                    Some(law) => {
                        let law = law.as_object()?;
                        Some(PowerLaw {
                            factor: exact(law, "factor")?,
                            exponent: exact(law, "exponent")?,
                        })
                    }
                },
            },
            n_nan_bins: record.get("n_nan_bins")?.as_u64()?,
            n_negative_bins: record.get("n_negative_bins")?.as_u64()?,
            mean: exact(record, "mean")?,
            variance: exact(record, "variance")?,
            maximum: exact(record, "maximum")?,
            chunks: *blake3::Hash::from_hex(hex).ok()?.as_bytes(),
        })
    }
}

fn source(source: &Value) -> Option<TrackSource> {
    let source = source.as_object()?;
    Some(TrackSource {
        location: text(source, "location")?,
        format: optional_text(source, "format")?,
        identity: Identity {
            bytes: source.get("bytes")?.as_u64()?,
            modified: match source.get("modified")? {
                Value::Null => None,
                modified => Some(modified.as_i64()?),
            },
            etag: optional_text(source, "etag")?,
        },
        checksum: text(source, "checksum")?,
        multiplier: exact(source, "multiplier")?,
        missing: missing_from_name(source.get("missing")?.as_str()?)?,
        origin: match source.get("origin") {
            None => None,
            Some(origin) => {
                let origin = origin.as_object()?;
                Some(SourceOrigin {
                    accession: text(origin, "accession")?,
                    experiment: optional_text(origin, "experiment")?,
                    output_type: optional_text(origin, "output_type")?,
                    donor: optional_text(origin, "donor")?,
                    audit: optional_text(origin, "audit")?,
                    md5: optional_text(origin, "md5")?,
                })
            }
        },
    })
}

fn text(of: &Map<String, Value>, key: &str) -> Option<String> {
    of.get(key)?.as_str().map(str::to_string)
}

/// A text that may be null; `None` where it is neither.
fn optional_text(of: &Map<String, Value>, key: &str) -> Option<Option<String>> {
    match of.get(key)? {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    }
}

fn exact(of: &Map<String, Value>, key: &str) -> Option<f64> {
    of.get(key)?.as_str()?.parse().ok()
}

fn digest(record: &Value) -> String {
    blake3::hash(record.to_string().as_bytes())
        .to_hex()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::super::test_support::toy_track;
    use super::*;
    use crate::formats::Missing;

    #[test]
    fn a_record_is_read_as_it_was_written_and_none_with_a_flipped_bit() {
        let folder = tempfile::tempdir().unwrap();
        let mut track = toy_track("E003", "H3K4me1");
        track.values = ValueType::U16(Default::default());
        track.normalisation = Some(PowerLaw {
            factor: 1.0 / 3.0,
            exponent: 0.7,
        });
        track.sources.push(TrackSource {
            format: Some("bigwig".into()),
            identity: Identity {
                bytes: 7,
                modified: None,
                etag: Some("\"x\"".into()),
            },
            multiplier: 0.1,
            missing: Missing::Zero,
            origin: Some(SourceOrigin {
                accession: "ENCFF001PRS".into(),
                audit: Some("WARNING: low read depth".into()),
                ..SourceOrigin::default()
            }),
            ..track.sources[0].clone()
        });
        let record = TrackRecord {
            track,
            n_nan_bins: 3,
            n_negative_bins: 0,
            mean: 1.0 / 3.0,
            variance: 1e-300,
            maximum: f64::MAX,
            chunks: [9; 32],
        };
        record.write(folder.path()).unwrap();
        assert_eq!(TrackRecord::read(folder.path()).unwrap(), record);
        let path = folder.path().join(FILE_NAME);
        let whole = std::fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 4;
            std::fs::write(&path, bytes).unwrap();
            // A blank between two fields may become another blank.
            if let Ok(read) = TrackRecord::read(folder.path()) {
                assert_eq!(read, record, "byte {i}");
            }
        }
    }
}
