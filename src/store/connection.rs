//! Opening `persea.sqlite`: what it must be, how it is set up, and its schema's versions.
//!
//! The schema is defined by the files in `schema/` and by nothing else. `user_version` says how
//! many of them a database has been through; each is applied in a transaction of its own.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, TransactionBehavior};

use super::schema::{self, MIGRATIONS};
use super::{StoreError, table_checksums};

/// `PERS`: tells a database of ours from any other SQLite file.
const APPLICATION_ID: i64 = 0x5045_5253;

/// Large pages, because most bytes are blobs of hundreds of KB.
pub(crate) const PAGE_BYTES: i64 = 16_384;

/// How long a transaction waits for another process's. Those take milliseconds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The name of the file in the database directory.
pub(crate) const FILE_NAME: &str = "persea.sqlite";

/// Makes a new file and its schema.
pub(crate) fn create(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // These two only take effect while the file is empty. Space freed by a deleted model is given
    // back to the disk by incremental vacuuming.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let mut connection = set_up(connection)?;
    migrate(&mut connection, MIGRATIONS)?;
    Ok(connection)
}

/// Opens the file of an existing database, and says whether it can only be read.
pub(crate) fn open(file: &Path, database: &Path) -> Result<(Connection, bool), StoreError> {
    check_header(file, database)?;
    let (mut connection, read_only) = connect(file, database)?;
    if is_older(&mut connection, database)? {
        if read_only {
            return Err(StoreError::ReadOnly {
                path: database.to_path_buf(),
                why: "an older Persea made it, and it has to be brought up to date first: open \
                      it once where it can be written"
                    .into(),
            });
        }
        migrate(&mut connection, MIGRATIONS)?;
    }
    Ok((connection, read_only))
}

/// As [`open`], for reading alone, whatever the disk allows.
pub(crate) fn open_to_read(file: &Path, database: &Path) -> Result<(Connection, bool), StoreError> {
    check_header(file, database)?;
    let (mut connection, _) = connect(file, database)?;
    if is_older(&mut connection, database)? {
        return Err(StoreError::ReadOnly {
            path: database.to_path_buf(),
            why: "an older Persea made it, and it has to be brought up to date first: `persea info` does"
                .into(),
        });
    }
    connection.pragma_update(None, "query_only", true)?;
    Ok((connection, true))
}

/// Tells what is not a SQLite file before SQLite does, in plainer words.
fn check_header(file: &Path, database: &Path) -> Result<(), StoreError> {
    let not_ours = |why: &str| StoreError::NotADatabase {
        path: database.to_path_buf(),
        why: why.to_string(),
    };
    let mut head = [0u8; 24];
    let read = File::open(file).and_then(|mut f| f.read_exact(&mut head));
    match read {
        Ok(()) if is_header(&head) => Ok(()),
        Ok(()) => Err(not_ours(
            "its persea.sqlite is some other program's, or its header is damaged",
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(not_ours("it has no file persea.sqlite"))
        }
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(not_ours("its persea.sqlite is cut short"))
        }
        Err(e) => Err(StoreError::io(file, e)),
    }
}

/// Whether a file begins as ours do. SQLite itself takes some of these bytes on trust, or opens
/// the file for reading only because it looks like one of a later SQLite.
fn is_header(head: &[u8; 24]) -> bool {
    let page_bytes = u16::from_be_bytes([head[16], head[17]]);
    let [write_version, read_version, reserved] = [head[18], head[19], head[20]];
    head.starts_with(b"SQLite format 3\0")
        && i64::from(page_bytes) == PAGE_BYTES
        && (1..=2).contains(&write_version)
        && (1..=2).contains(&read_version)
        && reserved == 0
        && head[21..] == [64, 32, 32]
}

/// Connects for writing; where that cannot be (a read-only folder or medium, a full disk on which
/// not even the log's index fits), for reading.
fn connect(file: &Path, database: &Path) -> Result<(Connection, bool), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let attempt = |parameters: &str, flags: OpenFlags| -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(uri(file, parameters), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // The first look at the content: whatever keeps the log from being opened shows here.
        let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if id == APPLICATION_ID {
            Ok(connection)
        } else {
            Err(rusqlite::Error::IntegralValueOutOfRange(0, id))
        }
    };
    // A log or its index means that somebody has it open, or has died with it open. Asked now: the
    // first attempt may make them.
    let nobody_has_it_open = is_closed(file);
    let outcome = attempt("mode=rw", flags | OpenFlags::SQLITE_OPEN_READ_WRITE);
    let outcome = match outcome {
        Ok(connection) => {
            let read_only = connection.is_readonly("main")?;
            let mode: String = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
            if !read_only && mode != "wal" {
                // A copy that SQLite's own tools have made, or a writer of a model that was killed. One
                // that is at work has it without the log for a while: that is as good for reading.
                match set_journal_mode(&connection, "WAL") {
                    Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
                    changed => changed?,
                }
            }
            return Ok((set_up(connection)?, read_only));
        }
        Err(e) if is_access_problem(&e) => {
            let reading = flags | OpenFlags::SQLITE_OPEN_READ_ONLY;
            let parameters = if nobody_has_it_open {
                "mode=ro&immutable=1"
            } else {
                "mode=ro"
            };
            match attempt(parameters, reading) {
                // A log that a kill left, without the index that there is no room for: it is made in
                // memory, which takes the file for this process alone.
                Err(e) if is_access_problem(&e) => attempt(
                    "mode=rw&vfs=unix-excl",
                    flags | OpenFlags::SQLITE_OPEN_READ_WRITE,
                ),
                other => other,
            }
        }
        Err(e) => Err(e),
    };
    match outcome {
        Ok(connection) => {
            let connection = set_up(connection)?;
            connection.pragma_update(None, "query_only", true)?;
            Ok((connection, true))
        }
        Err(rusqlite::Error::IntegralValueOutOfRange(_, id)) => Err(StoreError::NotADatabase {
            path: database.to_path_buf(),
            why: format!("its persea.sqlite is some other program's (application id {id})"),
        }),
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(StoreError::NotADatabase {
                path: database.to_path_buf(),
                why: "the header of its persea.sqlite is damaged".into(),
            })
        }
        Err(e) => Err(e.into()),
    }
}

fn is_access_problem(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
        )
    )
}

/// Whether nobody has the database open, so that the file by itself is all there is.
fn is_closed(file: &Path) -> bool {
    ["-wal", "-shm", "-journal"].iter().all(|suffix| {
        let mut beside = file.as_os_str().to_owned();
        beside.push(suffix);
        !Path::new(&beside).exists()
    })
}

/// The file as SQLite's URI, which needs `%`, `?` and `#` escaped.
fn uri(file: &Path, parameters: &str) -> String {
    let path = file
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{path}?{parameters}")
}

/// Changes how transactions are made safe, if nobody else has the database open.
pub(crate) fn set_journal_mode(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))
}

fn set_up(connection: Connection) -> Result<Connection, StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // FULL, not NORMAL: with NORMAL a power cut may take back the last commits, and by then the
    // arrays that they replaced would be gone.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Overwritten passwords are no concern here, and zeroing the pages of a deleted model is slow.
    connection.pragma_update(None, "secure_delete", "OFF")?;
    Ok(connection)
}

/// A count or a position from a row. Damage that gets past SQLite must not become a number with
/// which arithmetic overflows, or for which nobody has the memory.
pub(crate) fn whole(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    // A negative one becomes the error below, as one that is too large does.
    u64::try_from(value)
        .ok()
        .filter(|n| *n < 1 << 48)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A value that is stored by its name; another name is damage.
pub(crate) fn named<T>(
    row: &Row<'_>,
    column: usize,
    from_name: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let name: String = row.get(column)?;
    from_name(&name)
        .ok_or_else(|| not_read(column, format!("`{name}` is not a value of this column")))
}

fn not_read(column: usize, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
}

/// Whether the schema is that of an older Persea.
fn is_older(connection: &mut Connection, database: &Path) -> Result<bool, StoreError> {
    // One transaction: another process may be bringing it up to date.
    let t = connection.transaction()?;
    let found = user_version(&t)?;
    let known = MIGRATIONS.len() as i64;
    if found == known {
        return Ok(false);
    }
    // The number stands in the file's header by itself; a flipped bit makes another version of it.
    if found > known {
        // What a newer Persea adds is in no version known here, so only tables that are one's to the
        // column speak against the header.
        let doubt = schema::version_of_tables(&t)?.map(|version| {
            format!(
                "; or its header is damaged, since its tables are those of schema {version}: then \
                 restore a backup"
            )
        });
        return Err(StoreError::Newer {
            path: database.to_path_buf(),
            found,
            known,
            // Without a doubt the message ends there.
            doubt: doubt.unwrap_or_default(),
        });
    }
    let tables = match schema::latest_version_within(&t)? {
        Some(version) if version == found => return Ok(true),
        Some(version) => format!("its tables are those of schema {version}"),
        None => "its tables are those of no schema".to_string(),
    };
    Err(StoreError::damaged(
        "",
        format!(
            "the header of persea.sqlite says schema {found}, and {tables}; nothing is written to it: \
             restore a backup"
        ),
    ))
}

pub(super) fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies the migrations that the database has not been through.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    for (i, sql) in migrations.iter().enumerate() {
        let version = i as i64 + 1;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked inside the transaction: another process may have been faster.
        if user_version(&transaction)? < version {
            transaction.execute_batch(sql)?;
            // Of an older database that has just got the table: its rows are taken as they are.
            table_checksums::record_missing(&transaction)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_forward_once_each_and_a_failing_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = Connection::open(folder.path().join("x")).unwrap();
        let first = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
        let second = "INSERT INTO a VALUES (2); CREATE TABLE b (x INTEGER) STRICT;";
        migrate(&mut connection, &[first]).unwrap();
        let broken = "INSERT INTO a VALUES (3); INSERT INTO nowhere VALUES (1);";
        migrate(&mut connection, &[first, broken]).unwrap_err();
        assert_eq!(user_version(&connection).unwrap(), 1);
        migrate(&mut connection, &[first, second]).unwrap();
        migrate(&mut connection, &[first, second]).unwrap();
        assert_eq!(user_version(&connection).unwrap(), 2);
        let sum: i64 = connection
            .query_row("SELECT sum(x) FROM a", [], |r| r.get(0))
            .unwrap();
        assert_eq!(sum, 3);
    }

    #[test]
    fn every_table_is_strict_and_the_file_is_set_up_as_designed() {
        let folder = tempfile::tempdir().unwrap();
        let connection = create(&folder.path().join("x.sqlite")).unwrap();
        let loose: i64 = connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list
                 WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND NOT strict",
                [],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(loose, 0);
        for (pragma, expected) in [
            ("page_size", "16384"),
            ("journal_mode", "wal"),
            ("foreign_keys", "1"),
            ("synchronous", "2"),
            ("user_version", &MIGRATIONS.len().to_string()),
            ("application_id", "1346720339"),
        ] {
            let value: rusqlite::types::Value = connection
                .pragma_query_value(None, pragma, |r| r.get(0))
                .unwrap();
            let value = match value {
                rusqlite::types::Value::Integer(i) => i.to_string(),
                rusqlite::types::Value::Text(t) => t,
                other => panic!("{other:?}"),
            };
            assert_eq!(value, expected, "{pragma}");
        }
    }
}
