//! Tables whose rows are kept under a number that is never used twice: selections and runs.

use rusqlite::{OptionalExtension, Row};

use super::{Database, StoreError};

/// Such a table.
pub(super) struct Numbered {
    /// Its name in the schema.
    pub table: &'static str,
    /// The columns that a row is made of.
    pub columns: &'static str,
    /// What a row is, in messages.
    pub kind: &'static str,
    /// The command that lists them.
    pub list: &'static str,
}

impl Numbered {
    /// All rows, in the order in which they were stored.
    pub fn all<T>(
        &self,
        database: &Database,
        of_row: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        database.read_checked(&[self.table], |t| {
            let mut select = t.prepare(&format!("{} ORDER BY id", self.select()))?;
            let all = select.query_map([], of_row)?;
            Ok(all.collect::<Result<_, _>>()?)
        })
    }

    /// The row of that number.
    ///
    /// # Errors
    /// When there is none.
    pub fn one<T>(
        &self,
        database: &Database,
        id: i64,
        of_row: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        database.read_checked(&[self.table], |t| {
            let found = t
                .query_row(&format!("{} WHERE id = ?1", self.select()), [id], of_row)
                .optional()?;
            found.ok_or_else(|| StoreError::Unknown {
                kind: self.kind,
                name: id.to_string(),
                hint: format!("; `{}` lists them", self.list),
            })
        })
    }

    /// Removes the row of that number, which is known to be there.
    pub fn delete(&self, database: &Database, id: i64) -> Result<(), StoreError> {
        database.prepare_writing()?;
        database.write(|t| {
            t.execute(&format!("DELETE FROM {} WHERE id = ?1", self.table), [id])?;
            Ok(())
        })
    }

    /// The beginning of a query for rows.
    pub fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.columns, self.table)
    }
}
