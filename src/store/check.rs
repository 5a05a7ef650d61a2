//! Is the database whole? What is damaged is named, and so is what still works.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::params;
use serde_json::Value;

use super::connection::whole;
use super::coverage::CoverageBuilder;
use super::error::ASK_CHECK;
use super::tensors::{damaged_chunk, verify};
use super::{
    Database, Model, StoreError, Track, checkpoint_file, names, repair, sweep, table_checksums,
    zarr,
};

/// How often a track may be replaced or renamed under the checking before that is only noted.
const ATTEMPTS: usize = 10;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong with what is stored; something could be tidier.
    Note,
    /// Stored bytes are missing or not what was written.
    Damage,
}

/// Something that [`Database::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it concerns: a track, a model, a table.
    pub what: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// What refuses to work because of it, and what still works.
    pub consequence: String,
}

impl Finding {
    /// Bytes that are missing or not what was written.
    pub fn damage(
        what: impl Into<String>,
        message: impl Into<String>,
        consequence: impl Into<String>,
    ) -> Self {
        Finding {
            severity: Severity::Damage,
            what: what.into(),
            message: message.into(),
            consequence: consequence.into(),
        }
    }

    /// Something that could be tidier.
    pub fn note(what: impl Into<String>, message: impl Into<String>) -> Self {
        Finding {
            severity: Severity::Note,
            ..Self::damage(what, message, "everything works")
        }
    }

    pub(super) fn of_error(error: StoreError, consequence: impl Into<String>) -> Self {
        match error {
            StoreError::Damaged { what, why } => {
                let why = match why.strip_suffix(ASK_CHECK) {
                    Some(cause) => format!("{cause}; restore a backup"),
                    None => why,
                };
                Self::damage(what, why, consequence)
            }
            other => Self::damage("", other.to_string(), consequence),
        }
    }
}

/// Checks the database at a path, [`Database::check`], also where it is too damaged to be opened.
///
/// # Errors
/// When there is none, it is another program's, or a newer Persea wrote it.
pub fn check_database(path: &Path) -> Result<Vec<Finding>, StoreError> {
    match Database::open(path) {
        Ok(database) => database.check(),
        Err(error @ StoreError::Damaged { .. }) => Ok(vec![Finding::of_error(
            error,
            "nothing here can be opened; signal.zarr opens in any Zarr reader",
        )]),
        Err(error) => Err(error),
    }
}

impl Database {
    /// Reads everything and verifies it: SQLite's own structure and references, the checksum of
    /// each table, each piece of each model, each chunk of each track, the labels of each task, the
    /// columns of each run, each evaluation, each checkpoint. An empty list means that all is well. (Search indexes
    /// are checked by `search`, which makes them.)
    ///
    /// # Errors
    /// Only when it cannot be carried out at all; damage is a finding.
    pub fn check(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        if let Some(why) = self.lost_commits() {
            findings.push(Finding::damage(
                "persea.sqlite-wal",
                format!("{why}; `persea repair` goes on from what is left, or restore a backup"),
                "what they had stored (tracks, models, tasks, runs) is not listed; what is listed can \
                 be read; nothing is written or removed",
            ));
        }
        match self.check_sqlite() {
            Ok(found) => findings.extend(found),
            Err(e) => findings.push(Finding::of_error(e, "what is not named below can be read")),
        }
        for table in table_checksums::tables() {
            if let Err(e) = self.read(|t| table_checksums::verify(t, table)) {
                findings.push(Finding::of_error(e, table_checksums::consequence(table)));
            }
        }
        match self.models_as_they_are() {
            Ok(models) => {
                for model in &models {
                    let found = self.check_model(model);
                    // One that has been replaced meanwhile went with its pieces.
                    if found.is_empty() || self.has_model(model)? {
                        findings.extend(found);
                    }
                }
            }
            Err(e) => findings.push(Finding::of_error(e, table_checksums::consequence("models"))),
        }
        match self.tracks_as_they_are() {
            Ok(tracks) => {
                for track in &tracks {
                    findings.extend(self.check_track(track));
                }
                findings.extend(mixed_assays(&tracks));
                findings.extend(self.check_strays(&tracks)?);
            }
            Err(e) => findings.push(Finding::of_error(e, table_checksums::consequence("tracks"))),
        }
        findings.extend(self.check_root());
        findings.extend(self.check_checkpoints());
        findings.extend(self.check_tasks());
        findings.extend(self.check_projections());
        findings.extend(self.check_evaluations());
        // One cause may be met on several ways.
        let mut reported = Vec::new();
        findings.retain(|f| {
            let key = (f.what.clone(), f.message.clone());
            let is_new = !reported.contains(&key);
            reported.push(key);
            is_new
        });
        Ok(findings)
    }

    /// Every task, and the columns of every run.
    fn check_tasks(&self) -> Vec<Finding> {
        let mut errors = Vec::new();
        match self.list_tasks() {
            Ok(tasks) => {
                let checked = tasks.iter().map(|task| self.check_task(task));
                errors.extend(checked.filter_map(Result::err));
            }
            Err(e) => errors.push(e),
        }
        match self.list_runs() {
            Ok(runs) => {
                let read = runs.iter().map(|run| self.run_columns(run).map(drop));
                errors.extend(read.filter_map(Result::err));
            }
            Err(e) => errors.push(e),
        }
        let consequence = "what is not named, labels and runs included, can be read";
        let finding = |e| Finding::of_error(e, consequence);
        errors.into_iter().map(finding).collect()
    }

    fn check_sqlite(&self) -> Result<Vec<Finding>, StoreError> {
        self.read(|t| {
            let mut findings = Vec::new();
            let mut select = t.prepare("PRAGMA integrity_check(20)")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let message: String = row.get(0)?;
                if message != "ok" {
                    findings.push(Finding::damage(
                        "persea.sqlite",
                        format!("{message}; restore a backup"),
                        "tables, models and tracks that are not named below can be read; nothing \
                         should be written",
                    ));
                }
            }
            let mut select = t.prepare("PRAGMA foreign_key_check")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                findings.push(Finding::damage(
                    format!("persea.sqlite, table {table}"),
                    format!("a row refers to one of {parent} that is not there; restore a backup"),
                    "what does not hang on that row can be read",
                ));
            }
            Ok(findings)
        })
    }

    /// Every piece of every tensor of a model, and that there are all of them.
    fn check_model(&self, model: &Model) -> Vec<Finding> {
        let mut findings = Vec::new();
        for tensor in &model.tensors {
            let checked = self.read(|t| {
                let mut select = t.prepare_cached(
                    "SELECT ordinal, first_row, n_rows, checksum, data FROM model_chunks
                     WHERE tensor = ?1 ORDER BY ordinal",
                )?;
                let mut rows = select.query(params![tensor.id])?;
                let mut found = Vec::new();
                let (mut next_row, mut next) = (0, 0);
                while let Some(row) = rows.next()? {
                    let ordinal: i64 = row.get(0)?;
                    let (first, n) = (whole(row, 1)?, whole(row, 2)?);
                    let data = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
                    let checksum = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                    if ordinal != next || first != next_row {
                        found.push(damaged_chunk(model, tensor, next, "it is missing"));
                    }
                    if let Err(why) = verify(data, checksum, n, tensor) {
                        found.push(damaged_chunk(model, tensor, ordinal, why));
                    }
                    (next_row, next) = (first + n, ordinal + 1);
                }
                if next_row != tensor.rows && tensor.cols > 0 {
                    found.push(damaged_chunk(model, tensor, next, "it is missing"));
                }
                Ok(found)
            });
            let consequence = model_consequence(self, model, tensor.region);
            let errors = checked.unwrap_or_else(|e| vec![e]);
            findings.extend(
                errors
                    .into_iter()
                    .map(|e| Finding::of_error(e, consequence.clone())),
            );
        }
        findings
    }

    /// The arrays that no track has.
    fn check_strays(&self, tracks: &[Track]) -> Result<Vec<Finding>, StoreError> {
        let is_lost = self.lost_commits().is_some();
        let arrays = sweep::orphan_arrays(self, tracks)?;
        let finding = |array: &String| {
            let what = format!("signal.zarr/{array}");
            if !is_lost {
                let message = "an interrupted ingest left it; the next one removes it";
                return Finding::note(what, message);
            }
            let of = match repair::names_of(&self.signal_folder().join(array)) {
                Some((biosample, assay)) => format!("of {biosample} {assay}, "),
                None => String::new(),
            };
            Finding::damage(
                what,
                format!("{of}has no row: `persea repair` adopts or removes it"),
                "it is in no list of tracks; no command removes it before `persea repair`",
            )
        };
        Ok(arrays.iter().map(finding).collect())
    }

    /// A track as it is when it is examined. What seems wrong with one that others are replacing or
    /// renaming counts only if the track was the same before and after.
    fn check_track(&self, track: &Track) -> Vec<Finding> {
        let mut track = track.clone();
        for _ in 0..ATTEMPTS {
            let findings = self.check_track_once(&track);
            if findings.is_empty() {
                return findings;
            }
            let now = self.tracks_as_they_are();
            match now.map(|tracks| tracks.into_iter().find(|t| t.id == track.id)) {
                Ok(Some(now)) if now != track => track = now,
                // Removed meanwhile.
                Ok(None) => return Vec::new(),
                Ok(Some(_)) | Err(_) => return findings,
            }
        }
        vec![Finding::note(
            format!("track {} {}", track.biosample, track.assay),
            "it was replaced faster than it could be read; check again when nobody ingests",
        )]
    }

    /// Every chunk of a track, and what its array says of itself.
    fn check_track_once(&self, track: &Track) -> Vec<Finding> {
        let name = format!("track {} {}", track.biosample, track.assay);
        let signal = match self.signal(track) {
            Ok(signal) => signal,
            Err(e) => {
                let consequence =
                    format!("{name} cannot be read; the other tracks and the models can");
                return vec![Finding::of_error(e, consequence)];
            }
        };
        let consequence =
            format!("these bins of {name} are refused; its others, and all other tracks, are not");
        let mut findings: Vec<Finding> = Vec::new();
        let mut block = vec![0.0; 1 << 14];
        let mut found = CoverageBuilder::default();
        let mut at = 0;
        while at < signal.n_bins() {
            let end = (at + block.len() as u64).min(signal.n_bins());
            let block = &mut block[..(end - at) as usize];
            if let Err(e) = signal.read(at..end, block) {
                let finding = Finding::of_error(e, consequence.clone());
                // A file that is gone is met once a chunk.
                if findings.last() != Some(&finding) {
                    findings.push(finding);
                }
            }
            found.push_values(block);
            at = end;
        }
        let is_readable = findings.is_empty();
        let known = "its signal can be read; its coverage, where it is shown, is in doubt";
        match self.coverage(track) {
            Err(e) => findings.push(Finding::of_error(e, known)),
            Ok(coverage) if is_readable && coverage != found.finish() => {
                findings.push(Finding::damage(
                    name,
                    "its intervals with data are not those of its array; ingest the track again",
                    known,
                ));
            }
            Ok(_) => {}
        }
        findings.extend(self.check_attributes(track));
        findings
    }

    /// What a track's array says of itself to other Zarr readers.
    fn check_attributes(&self, track: &Track) -> Option<Finding> {
        let names = [
            ("biosample", Value::from(track.biosample.as_str())),
            ("assay", Value::from(track.assay.as_str())),
        ];
        let others = [
            ("transform", Value::from(track.transform.name())),
            ("unit", Value::from(track.unit.clone())),
        ];
        let path = self.signal_folder().join(&track.array).join(zarr::METADATA);
        let differ = |expected: &[(&str, Value)]| {
            // A document that cannot be read has none of them.
            let document = json_file(&path).unwrap_or_default();
            (expected.iter()).any(|(key, value)| document["attributes"].get(key) != Some(value))
        };
        let what = format!("signal.zarr/{}/{}", track.array, zarr::METADATA);
        if differ(&others) {
            let name = format!("{} {}", track.biosample, track.assay);
            return Some(Finding::damage(
                what,
                format!("its attributes are not those of track {name}; ingest the track again"),
                "Persea goes by its own table and reads it; other Zarr readers are misled",
            ));
        }
        if !differ(&names) {
            return None;
        }
        // Asked before the names are read once more: a renaming that ends in between has written them.
        let is_renaming = names::is_renaming(self);
        if !differ(&names) {
            return None;
        }
        Some(match is_renaming {
            Ok(true) => Finding::note(
                what,
                "its attributes keep an old name: a renaming is under way or was interrupted; the \
                 next command that writes ends it",
            ),
            Ok(false) => Finding::damage(
                what,
                format!(
                    "its attributes are not those of track {} {}; ingest the track again",
                    track.biosample, track.assay
                ),
                "Persea goes by its own table and reads it; other Zarr readers are misled",
            ),
            Err(e) => Finding::of_error(e, "it is not known whether a renaming is under way"),
        })
    }

    /// Whether a model is still listed.
    fn has_model(&self, model: &Model) -> Result<bool, StoreError> {
        Ok(self.models_as_they_are()?.iter().any(|m| m.id == model.id))
    }

    /// The document that tells other Zarr readers of the axis.
    fn check_root(&self) -> Option<Finding> {
        let found = json_file(&self.signal_folder().join(zarr::METADATA));
        let expected = zarr::root_document(self.axis())
            .ok()
            .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let same = |key: &str| {
            let part = |of: &Option<Value>| of.as_ref().and_then(|v| v.get(key).cloned());
            part(&found) == part(&expected)
        };
        let whole = found.is_some()
            && ["zarr_format", "node_type", "attributes"]
                .iter()
                .all(|k| same(k));
        (!whole).then(|| {
            Finding::damage(
                format!("signal.zarr/{}", zarr::METADATA),
                "it is missing or not what was written; restore it from a backup",
                "Persea does not need it; other Zarr readers do",
            )
        })
    }

    /// Every checkpoint of training in progress.
    fn check_checkpoints(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let folders = std::fs::read_dir(self.checkpoints_folder());
        for folder in folders.into_iter().flatten().flatten() {
            // A folder that is gone again belonged to a training that is over.
            for (_, path) in checkpoint_file::list(&folder.path()).unwrap_or_default() {
                // One that is gone again has been superseded meanwhile.
                if let Err(e @ StoreError::Damaged { .. }) = checkpoint_file::open(&path) {
                    findings.push(Finding::of_error(
                        e,
                        "a training that is resumed goes on from the checkpoint before it, if there is one",
                    ));
                }
            }
        }
        findings
    }
}

/// What a damaged tensor keeps from working, and what not.
fn model_consequence(database: &Database, model: &Model, region: Option<u32>) -> String {
    let name = &model.record.name;
    let Some(region) = region else {
        return format!("model {name} cannot be opened; other models and all tracks can be read");
    };
    let place = model.record.regions.get(region as usize).map(|region| {
        let length = database.axis().assembly().chromosome(&region.chrom);
        let end = length.map_or(u64::MAX, |c| c.length);
        crate::genome::Interval::new(
            &region.chrom,
            region.first_bin * crate::genome::BIN_BP,
            (region.end_bin() * crate::genome::BIN_BP).min(end),
        )
        .to_string()
    });
    let place = place.unwrap_or_else(|| format!("region {region}"));
    format!("what needs model {name} in {place} refuses where it is damaged; elsewhere it works")
}

/// A document; `None` where it is gone or damaged, which is the same to those who ask.
fn json_file(path: &Path) -> Option<Value> {
    let text = std::fs::read(path).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Assays whose tracks differ in unit or transform, as failures during a re-ingest may leave them.
fn mixed_assays(tracks: &[Track]) -> Vec<Finding> {
    let mut first: BTreeMap<&str, &Track> = BTreeMap::new();
    let mut findings = Vec::new();
    for track in tracks {
        let other = *first.entry(&track.assay).or_insert(track);
        if (&track.unit, track.transform) != (&other.unit, other.transform) {
            findings.push(Finding::note(
                format!("assay {}", track.assay),
                format!(
                    "its tracks of {} and {} differ in unit or transform; ingest one of them again",
                    other.biosample, track.biosample
                ),
            ));
        }
    }
    findings
}
