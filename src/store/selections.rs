//! Selections: what was asked, what was chosen.

use rusqlite::{Row, params};
use serde_json::Value;

use super::numbered::Numbered;
use super::{Database, StoreError};

/// A selection to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSelection {
    /// `biosamples`, `assays`, `experiments` or `positions`.
    pub kind: String,
    /// Everything that repeats it.
    pub settings: Value,
    /// What came out.
    pub result: Value,
}

/// A stored selection.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSelection {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// `biosamples`, `assays`, `experiments` or `positions`.
    pub kind: String,
    /// Everything that repeats it.
    pub settings: Value,
    /// What came out.
    pub result: Value,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
}

impl Database {
    /// Stores a selection and returns its number.
    ///
    /// # Errors
    /// When the database can only be read, or the disk is full.
    pub fn save_selection(&self, selection: &NewSelection) -> Result<i64, StoreError> {
        self.prepare_writing()?;
        self.write(|t| {
            t.execute(
                "INSERT INTO selections (kind, settings, result, created)
                 VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
                params![
                    selection.kind,
                    selection.settings.to_string(),
                    selection.result.to_string()
                ],
            )?;
            Ok(t.last_insert_rowid())
        })
    }

    /// All selections, in the order in which they were stored.
    ///
    /// # Errors
    /// When SQLite fails, or the table is damaged.
    pub fn selections(&self) -> Result<Vec<StoredSelection>, StoreError> {
        SELECTIONS.all(self, of_row)
    }

    /// The selection of that number.
    ///
    /// # Errors
    /// When there is none, or the table is damaged.
    pub fn selection(&self, id: i64) -> Result<StoredSelection, StoreError> {
        SELECTIONS.one(self, id, of_row)
    }

    /// Removes a selection.
    ///
    /// # Errors
    /// When there is none of that number, or the database can only be read.
    pub fn delete_selection(&self, id: i64) -> Result<(), StoreError> {
        self.selection(id)?;
        SELECTIONS.delete(self, id)
    }
}

const SELECTIONS: Numbered = Numbered {
    table: "selections",
    columns: "id, kind, settings, result, created",
    kind: "selection",
    list: "persea select list",
};

fn of_row(row: &Row<'_>) -> rusqlite::Result<StoredSelection> {
    Ok(StoredSelection {
        id: row.get(0)?,
        kind: row.get(1)?,
        settings: row.get(2)?,
        result: row.get(3)?,
        created: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis};
    use crate::store::NewDatabase;

    #[test]
    fn a_selection_reads_back_as_it_was_stored_and_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let assembly = Assembly::by_name("hg19").unwrap();
        let parts = NewDatabase {
            axis: GenomeAxis::whole_chromosomes(assembly, &["chrM"]).unwrap(),
            mask: vec![],
            genes: vec![],
            enhancers: vec![],
        };
        let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
        let new = NewSelection {
            kind: "assays".into(),
            settings: serde_json::json!({"k": 2, "gamma": 0.1}),
            result: serde_json::json!({"chosen": ["a", "b"]}),
        };
        let id = database.save_selection(&new).unwrap();
        let stored = database.selection(id).unwrap();
        assert_eq!(
            (&stored.kind, &stored.settings, &stored.result),
            (&new.kind, &new.settings, &new.result)
        );
        assert_eq!(database.selections().unwrap(), [stored]);
        assert!(database.check().unwrap().is_empty());
        database.delete_selection(id).unwrap();
        assert!(database.selection(id).is_err());
        assert!(database.check().unwrap().is_empty());
    }
}
