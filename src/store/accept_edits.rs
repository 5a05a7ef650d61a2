//! Databases whose rows a fuzz target has edited, with checksums that fit what is in them.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::{StoreError, evaluations, table_checksums, tensors};

/// Records a database as it is, every table and every checksum that stands beside its data, so that what was edited
/// gets past the checksums to those who read the content.
///
/// # Errors
/// When the file cannot be read or written.
pub fn accept_edits(sqlite: &Path) -> Result<(), StoreError> {
    let mut connection = Connection::open(sqlite)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")?;
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    let t = connection.transaction()?;
    for table in [
        "model_chunks",
        "task_labels",
        "task_run_columns",
        "projection_columns",
    ] {
        accept_data(&t, table)?;
    }
    accept_evaluations(&t)?;
    table_checksums::record_all(&t)?;
    Ok(t.commit()?)
}

fn accept_data(t: &Transaction<'_>, table: &str) -> Result<(), StoreError> {
    let mut select = t.prepare(&format!("SELECT rowid, data FROM {table}"))?;
    let mut rows = select.query([])?;
    let update = format!("UPDATE {table} SET checksum = ?2 WHERE rowid = ?1");
    while let Some(row) = rows.next()? {
        let data = row.get_ref(1)?.as_blob().unwrap_or_default();
        let checksum = tensors::checksum(data);
        t.execute(&update, params![row.get::<_, i64>(0)?, checksum])?;
    }
    Ok(())
}

fn accept_evaluations(t: &Transaction<'_>) -> Result<(), StoreError> {
    let mut select = t.prepare("SELECT id, settings, basis, result FROM evaluations")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let text = |i: usize| row.get::<_, String>(i).unwrap_or_default();
        let checksum = evaluations::row_checksum(&text(1), &text(2), &text(3));
        let update = "UPDATE evaluations SET checksum = ?2 WHERE id = ?1";
        t.execute(update, params![row.get::<_, i64>(0)?, checksum])?;
    }
    Ok(())
}
