//! What a hub was made of, so that an export may be repeated.
//!
//! The file `persea.json` in the folder lists the settings of the export and the BLAKE3 of every other file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::options::{HubOptions, WrittenHub};
use super::track::biosample_metadata;
use crate::files::FileError;
use crate::formats::{Location, checksum, write_text};
use crate::genome::Interval;
use crate::imputation::{CompletedTrack, Provenance, SignalScale};
use crate::instructions::Instructions;
use crate::model::TrainedModel;
use crate::store::Database;

const NAME: &str = "persea.json";
/// The longest record that is read: that of 100,000 tracks has less.
const LONGEST: u64 = 1 << 26;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HubRecord {
    settings: Value,
    /// Measured tracks, imputed tracks, bigBed files.
    n_tracks: [usize; 3],
    /// Where browsers open: chromosome, start, end.
    locus: (String, u64, u64),
    is_known_assembly: bool,
    /// BLAKE3 of each file, by its path in the folder.
    files: BTreeMap<String, String>,
}

/// Everything that a hub depends on.
pub(super) fn settings(
    database: &Database,
    model: Option<&TrainedModel>,
    tracks: &[CompletedTrack],
    spans: &[Range<u64>],
    options: &HubOptions,
) -> crate::Result<Value> {
    let of_track = |t: &CompletedTrack| {
        let measured = match &t.provenance {
            Provenance::Measured(track) => {
                json!([track.checksum, track.transform.name(), track.unit])
            }
            Provenance::Imputed => Value::Null,
        };
        json!([t.experiment.biosample, t.experiment.assay, measured])
    };
    let mut beds = Vec::new();
    for path in &options.beds {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        beds.push(json!([name, checksum(&Location::Path(path.clone()))?]));
    }
    let mut assays: Vec<&str> = tracks.iter().map(|t| t.experiment.assay.as_str()).collect();
    assays.sort_unstable();
    assays.dedup();
    let known = database.assays()?.into_iter();
    let known = known.filter(|a| assays.contains(&a.name.as_str()));
    let metadata: BTreeMap<_, _> = biosample_metadata(database)?.into_iter().collect();
    let locus = options.locus.as_ref();
    Ok(json!({
        "persea": env!("CARGO_PKG_VERSION"),
        "instructions": Instructions::pinned().map(Instructions::name),
        "model": model.map(|m| json!([m.record().name, m.stored().checksum])),
        "tracks": tracks.iter().map(of_track).collect::<Vec<_>>(),
        "bins": spans.iter().map(|s| [s.start, s.end]).collect::<Vec<_>>(),
        "scale": match options.scale {
            SignalScale::Signal => "signal",
            SignalScale::Transformed => "arcsinh",
        },
        "titles": [options.name, options.short_label, options.long_label, options.email],
        "base": options.base,
        "locus": locus.map(|l| json!([l.chrom, l.start, l.end])),
        "beds": beds,
        "assays": known.map(|a| json!([a.name, a.metadata])).collect::<Vec<_>>(),
        "biosamples": metadata,
    }))
}

/// The hub in a folder, if it was made of these settings and all of its files are what was written.
pub(super) fn written_before(folder: &Path, settings: &Value) -> Option<WrittenHub> {
    let path = folder.join(NAME);
    if std::fs::metadata(&path).ok()?.len() > LONGEST {
        return None;
    }
    let record: HubRecord = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    if record.settings != *settings {
        return None;
    }
    let is_there = |(name, expected): (&String, &String)| {
        let found = checksum(&Location::Path(folder.join(name)));
        found.is_ok_and(|found| found == *expected)
    };
    if !record.files.iter().all(is_there) {
        return None;
    }
    let [n_measured, n_imputed, n_beds] = record.n_tracks;
    let (chrom, start, end) = record.locus;
    Some(WrittenHub {
        n_measured,
        n_imputed,
        n_beds,
        locus: Interval::new(chrom, start, end),
        is_known_assembly: record.is_known_assembly,
        is_new: false,
    })
}

/// Records a hub whose other files are in the folder.
pub(super) fn write(folder: &Path, settings: Value, hub: &WrittenHub) -> crate::Result<()> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        let path = folder.join(&within);
        let failed = |e| FileError::read(path.display(), e);
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = within.join(entry.file_name());
            match entry.path().is_dir() {
                true => folders.push(name),
                false => {
                    let checksum = checksum(&Location::Path(entry.path()))?;
                    files.insert(name.to_string_lossy().into_owned(), checksum);
                }
            }
        }
    }
    let record = HubRecord {
        settings,
        n_tracks: [hub.n_measured, hub.n_imputed, hub.n_beds],
        locus: (hub.locus.chrom.clone(), hub.locus.start, hub.locus.end),
        is_known_assembly: hub.is_known_assembly,
        files,
    };
    let record =
        serde_json::to_value(record).map_err(|e| crate::Bug::new(format!("a record: {e}")))?;
    Ok(write_text(
        &folder.join(NAME),
        format!("{record:#}\n").as_bytes(),
    )?)
}
