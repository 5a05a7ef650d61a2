//! Evaluations of models: what was scored, on what it rests, what came out.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::connection::named;
use super::tensors::checksum;
use super::{Database, Finding, Model, StoreError};

/// What an evaluation measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationKind {
    /// Imputations of tracks kept from the model.
    Imputation,
    /// What the model's embedding knows of tracks that it was not learned from.
    Probe,
}

impl EvaluationKind {
    /// The name in the database and in the program's output.
    pub const fn name(self) -> &'static str {
        match self {
            EvaluationKind::Imputation => "imputation",
            EvaluationKind::Probe => "probe",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [EvaluationKind::Imputation, EvaluationKind::Probe]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// An evaluation to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvaluation {
    /// What it measures.
    pub kind: EvaluationKind,
    /// Everything that repeats it.
    pub settings: Value,
    /// What it rests on: checksums of the model and of the tracks.
    pub basis: Value,
    /// What came out.
    pub result: Value,
}

/// A stored evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvaluation {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// What it measures.
    pub kind: EvaluationKind,
    /// Everything that repeats it.
    pub settings: Value,
    /// What it rests on: checksums of the model and of the tracks.
    pub basis: Value,
    /// The version of Persea that made it.
    pub made_by: String,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
    /// What came out.
    pub result: Value,
}

impl Database {
    /// Stores an evaluation of a model, in place of one of the same kind and settings.
    ///
    /// # Errors
    /// When the model has been removed or replaced meanwhile, the database can only be read, or the
    /// disk is full.
    pub fn save_evaluation(&self, model: &Model, new: &NewEvaluation) -> Result<(), StoreError> {
        self.prepare_writing()?;
        let [settings, basis, result] =
            [&new.settings, &new.basis, &new.result].map(Value::to_string);
        let checksum = row_checksum(&settings, &basis, &result);
        // Inserting takes a number from SQLite's own table.
        self.write_in(&["evaluations", "sqlite_sequence"], |t| {
            let sql = "SELECT 1 FROM models WHERE id = ?1 AND status = 'ready'";
            if t.query_row(sql, [model.id], |_| Ok(()))
                .optional()?
                .is_none()
            {
                return Err(StoreError::Invalid(format!(
                    "model {} has been removed or replaced since it was evaluated",
                    model.record.name
                )));
            }
            t.execute(
                "DELETE FROM evaluations WHERE model = ?1 AND kind = ?2 AND settings = ?3",
                params![model.id, new.kind.name(), settings],
            )?;
            t.execute(
                "INSERT INTO evaluations
                     (model, kind, settings, basis, persea, created, result, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?6, ?7)",
                params![
                    model.id,
                    new.kind.name(),
                    settings,
                    basis,
                    env!("CARGO_PKG_VERSION"),
                    result,
                    checksum
                ],
            )?;
            Ok(())
        })
    }

    /// The evaluations of a model, the newest first.
    ///
    /// # Errors
    /// When the table or a row is damaged.
    pub fn evaluations(&self, model: &Model) -> Result<Vec<StoredEvaluation>, StoreError> {
        let rows: Vec<Stored> = self.read_checked(&["evaluations"], |t| {
            let sql = format!("{SELECT} WHERE model = ?1 ORDER BY id DESC");
            let mut select = t.prepare(&sql)?;
            let rows = select.query_map([model.id], of_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter().map(Stored::verified).collect()
    }

    /// The evaluations whose bytes are not what was written.
    pub(super) fn check_evaluations(&self) -> Vec<Finding> {
        let rows = self.read(|t| {
            let mut select = t.prepare(&format!("{SELECT} ORDER BY id"))?;
            let rows = select.query_map([], of_row)?;
            Ok(rows.collect::<Result<Vec<Stored>, _>>()?)
        });
        // The table itself is checked with the others.
        let damaged = rows.unwrap_or_default().into_iter().map(Stored::verified);
        (damaged.filter_map(Result::err))
            .map(|e| {
                let consequence =
                    "that result is not shown or used; `persea evaluate` makes it again";
                Finding::of_error(e, consequence)
            })
            .collect()
    }
}

const SELECT: &str = "SELECT id, kind, settings, basis, persea, created, result, checksum \
                      FROM evaluations";

/// A row, its JSON not yet verified.
struct Stored {
    id: i64,
    kind: EvaluationKind,
    settings: String,
    basis: String,
    made_by: String,
    created: String,
    result: String,
    checksum: [u8; 16],
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        kind: named(row, 1, EvaluationKind::from_name)?,
        settings: row.get(2)?,
        basis: row.get(3)?,
        made_by: row.get(4)?,
        created: row.get(5)?,
        result: row.get(6)?,
        checksum: row.get(7)?,
    })
}

impl Stored {
    fn verified(self) -> Result<StoredEvaluation, StoreError> {
        let damaged = |why: &str| {
            let what = format!("persea.sqlite, table evaluations, row {}", self.id);
            StoreError::damaged(what, why)
        };
        if row_checksum(&self.settings, &self.basis, &self.result) != self.checksum {
            return Err(damaged("its checksum does not agree"));
        }
        let parse = |text: &str| serde_json::from_str(text).map_err(|e| damaged(&e.to_string()));
        Ok(StoredEvaluation {
            settings: parse(&self.settings)?,
            basis: parse(&self.basis)?,
            result: parse(&self.result)?,
            id: self.id,
            kind: self.kind,
            made_by: self.made_by,
            created: self.created,
        })
    }
}

/// Over the three texts, so that none can take another's part.
pub(super) fn row_checksum(settings: &str, basis: &str, result: &str) -> [u8; 16] {
    checksum(
        Value::from(vec![settings, basis, result])
            .to_string()
            .as_bytes(),
    )
}
