//! The schema: its migrations, and which version's tables a database has, whatever its header says.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::StoreError;

/// The schema's migrations, oldest first.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/001_compendium_and_models.sql"),
    include_str!("../../schema/002_search.sql"),
    include_str!("../../schema/003_tasks.sql"),
    include_str!("../../schema/004_table_checksums.sql"),
    include_str!("../../schema/005_selections.sql"),
    include_str!("../../schema/006_projections.sql"),
    include_str!("../../schema/007_commits_and_chunks.sql"),
    include_str!("../../schema/008_track_coverage.sql"),
    include_str!("../../schema/009_transcripts_and_evaluations.sql"),
    include_str!("../../schema/010_track_origins.sql"),
    include_str!("../../schema/011_track_values.sql"),
    include_str!("../../schema/012_track_normalisations.sql"),
];

/// The version whose tables the database has, with their columns. The texts of their definitions are not
/// compared: versions of SQLite differ in how they write down a renamed table.
pub(super) fn version_of_tables(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let found = columns(connection)?;
    let known = columns_of_versions()?;
    let same = known.iter().position(|expected| *expected == found);
    Ok(same.map(|i| i as i64 + 1))
}

/// The latest version all of whose columns the database has; it may have tables of the user's beside them.
pub(super) fn latest_version_within(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let found: BTreeSet<(String, String)> = columns(connection)?.into_iter().collect();
    let known = columns_of_versions()?;
    let within = known
        .iter()
        .rposition(|expected| expected.iter().all(|column| found.contains(column)));
    Ok(within.map(|i| i as i64 + 1))
}

/// The columns of each version's tables, oldest first.
fn columns_of_versions() -> Result<Vec<Vec<(String, String)>>, StoreError> {
    let connection = Connection::open_in_memory()?;
    let mut versions = Vec::new();
    for sql in MIGRATIONS {
        connection.execute_batch(sql)?;
        versions.push(columns(&connection)?);
    }
    Ok(versions)
}

/// Each column of each table, by table and place.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut select = connection.prepare(
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY t.name, c.cid",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_known_by_its_tables_and_a_changed_table_is_of_none() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(version_of_tables(&connection).unwrap(), None);
        for (i, sql) in MIGRATIONS.iter().enumerate() {
            connection.execute_batch(sql).unwrap();
            let version = version_of_tables(&connection).unwrap();
            assert_eq!(version, Some(i as i64 + 1));
            // A user's own table changes no version.
            connection.execute_batch("CREATE TABLE other (x)").unwrap();
            assert_eq!(version_of_tables(&connection).unwrap(), None);
            assert_eq!(latest_version_within(&connection).unwrap(), version);
            connection.execute_batch("DROP TABLE other").unwrap();
        }
        connection.execute_batch("DROP TABLE tracks").unwrap();
        assert_eq!(latest_version_within(&connection).unwrap(), None);
    }
}
