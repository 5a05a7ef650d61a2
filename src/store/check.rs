//! Is the database whole? What is damaged is named, and so is what to do.

use std::collections::BTreeMap;

use rusqlite::params;

use super::connection::whole;
use super::tensors::{damaged_chunk, verify};
use super::{Database, Model, StoreError, Track, sweep};

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
}

impl Finding {
    fn damage(what: impl Into<String>, message: impl Into<String>) -> Self {
        Finding {
            severity: Severity::Damage,
            what: what.into(),
            message: message.into(),
        }
    }

    fn note(what: impl Into<String>, message: impl Into<String>) -> Self {
        Finding {
            severity: Severity::Note,
            ..Self::damage(what, message)
        }
    }

    fn of_error(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { what, why } => Self::damage(what, why),
            other => Self::damage("", other.to_string()),
        }
    }
}

impl Database {
    /// Reads everything and verifies it: SQLite's own structure and references, each piece of
    /// each model, each chunk of each track, the labels of each task, the columns of each run. An empty list means that all is well.
    ///
    /// # Errors
    /// Only when it cannot be carried out at all; damage is a finding.
    pub fn check(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        match self.check_sqlite() {
            Ok(found) => findings.extend(found),
            Err(e) => findings.push(Finding::of_error(e)),
        }
        match self.list_models() {
            Ok(models) => {
                for model in &models {
                    findings.extend(self.check_model(model)?);
                }
            }
            Err(e) => findings.push(Finding::of_error(e)),
        }
        match self.tracks() {
            Ok(tracks) => {
                for track in &tracks {
                    if let Err(e) = self.check_track(track) {
                        findings.push(Finding::of_error(e));
                    }
                }
                findings.extend(mixed_assays(&tracks));
                for array in sweep::orphan_arrays(self)? {
                    findings.push(Finding::note(
                        format!("signal.zarr/{array}"),
                        "an interrupted ingest left it; the next one removes it",
                    ));
                }
            }
            Err(e) => findings.push(Finding::of_error(e)),
        }
        findings.extend(self.check_tasks());
        Ok(findings)
    }

    /// The labels of every task, and the columns of every run.
    fn check_tasks(&self) -> Vec<Finding> {
        let mut errors = Vec::new();
        match self.list_tasks() {
            Ok(tasks) => {
                for task in &tasks {
                    let labels = task.labels.iter();
                    let read = labels.map(|l| self.task_labels(task, &l.biosample).map(drop));
                    errors.extend(read.filter_map(Result::err));
                }
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
        errors.into_iter().map(Finding::of_error).collect()
    }

    fn check_sqlite(&self) -> Result<Vec<Finding>, StoreError> {
        self.read(|t| {
            let mut findings = Vec::new();
            let mut select = t.prepare("PRAGMA integrity_check(20)")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let message: String = row.get(0)?;
                if message != "ok" {
                    let message = format!("{message}; restore a backup");
                    findings.push(Finding::damage("persea.sqlite", message));
                }
            }
            let mut select = t.prepare("PRAGMA foreign_key_check")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                findings.push(Finding::damage(
                    format!("persea.sqlite, table {table}"),
                    format!("a row refers to one of {parent} that is not there; restore a backup"),
                ));
            }
            Ok(findings)
        })
    }

    /// Every piece of every tensor of a model, and that there are all of them.
    fn check_model(&self, model: &Model) -> Result<Vec<Finding>, StoreError> {
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
            match checked {
                Ok(found) => findings.extend(found.into_iter().map(Finding::of_error)),
                Err(e) => findings.push(Finding::of_error(e)),
            }
        }
        Ok(findings)
    }

    /// Every chunk of a track.
    fn check_track(&self, track: &Track) -> Result<(), StoreError> {
        let signal = self.signal(track)?;
        let mut block = vec![0.0; 1 << 18];
        let mut at = 0;
        while at < signal.n_bins() {
            let end = (at + block.len() as u64).min(signal.n_bins());
            signal.read(at..end, &mut block[..(end - at) as usize])?;
            at = end;
        }
        Ok(())
    }
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
