//! The schema: its migrations, and which version's tables a database has, whatever its header says.

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
];

/// The version whose tables the database has, with their columns. The texts of their definitions are not
/// compared: versions of SQLite differ in how they write down a renamed table.
pub(super) fn version_of_tables(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let found = columns(connection)?;
    let expected = Connection::open_in_memory()?;
    for (i, sql) in MIGRATIONS.iter().enumerate() {
        expected.execute_batch(sql)?;
        if columns(&expected)? == found {
            return Ok(Some(i as i64 + 1));
        }
    }
    Ok(None)
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
        }
        connection.execute_batch("CREATE TABLE other (x)").unwrap();
        assert_eq!(version_of_tables(&connection).unwrap(), None);
    }
}
