//! Noticing that transactions which had been committed are gone.
//!
//! SQLite believes its log up to the first frame that does not check out: after a kill, one flipped bit
//! takes back every transaction behind it, and what is left is a consistent older database. Evidence
//! has to lie elsewhere. Each transaction adds one to the number in the table `commits`; once it is on
//! the disk, the file `commits` gets the same number. A kill leaves the file behind the table by a
//! transaction, never ahead. Where the file is ahead, transactions have been lost.
//!
//! This is then recorded in a file of its own (`commits-lost`), because the next transactions would
//! catch up with the number. While that file is there nothing is written and nothing is removed;
//! `repair` ends it.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::durable::{replace_file, sync_folder};
use super::log::{self, LogState};
use super::{StoreError, connection};

/// The number of the last transaction known to be on the disk.
const COUNT: &str = "commits";

/// Says that transactions were lost, and how that was noticed.
const LOST: &str = "commits-lost";

/// Adds one to the number of transactions, as part of one of them.
pub(crate) fn count_one(t: &Transaction<'_>) -> Result<u64, StoreError> {
    let sql = "UPDATE commits SET number = number + 1 WHERE id = 1 RETURNING number";
    let number: i64 = t.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

/// Takes note of a transaction that is on the disk. That it could not be noted loses nothing.
pub(crate) fn note(database: &Path, number: u64) {
    if let Err(e) = raise(&database.join(COUNT), number) {
        tracing::debug!("the number of transactions was not noted: {e}");
    }
}

/// Sets the file's number to at least this one, whoever else does the same.
fn raise(path: &Path, number: u64) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.lock()?;
    let mut text = String::new();
    let noted = match file.read_to_string(&mut text) {
        // No number, or no text: new or damaged, and made anew.
        Ok(_) => parse(&text).unwrap_or(0),
        Err(_) => 0,
    };
    if noted < number {
        file.seek(SeekFrom::Start(0))?;
        // Always as long, so that it is replaced by one write.
        file.write_all(line(number).as_bytes())?;
    }
    file.unlock()
}

fn line(number: u64) -> String {
    let number = format!("{number:020}");
    let check = blake3::hash(number.as_bytes()).to_hex();
    format!("{number} {}\n", &check[..16])
}

fn parse(text: &str) -> Option<u64> {
    let number: u64 = text.get(..20)?.parse().ok()?;
    (line(number) == text).then_some(number)
}

/// The number that was noted last; `None` where there is none that can be believed.
fn noted(database: &Path) -> Option<u64> {
    // A count that cannot be read is no evidence; the next transaction writes it anew.
    parse(&std::fs::read_to_string(database.join(COUNT)).ok()?)
}

/// The number of transactions that the database has.
pub(crate) fn number(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT number FROM commits WHERE id = 1";
    let number: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

/// What is known of a database before SQLite opens it, and with that mends its log.
pub(crate) struct BeforeOpening {
    noted: Option<u64>,
    log: LogState,
}

impl BeforeOpening {
    /// Looks. The log is gone through only where no count tells more: it is long while others write.
    pub(crate) fn look(database: &Path) -> Self {
        let noted = noted(database);
        let log = match noted {
            Some(_) => LogState::Whole,
            None => {
                let file = database.join(format!("{}-wal", connection::FILE_NAME));
                // Twice, because a log that is being written looks torn for an instant.
                match log::examine(&file) {
                    LogState::Whole => LogState::Whole,
                    _ => log::examine(&file),
                }
            }
        };
        BeforeOpening { noted, log }
    }

    /// Compares with what SQLite has made of the database; `Some` says how transactions were lost. It
    /// is recorded where the disk allows it.
    pub(crate) fn compare(self, database: &Path, connection: &Connection) -> Option<String> {
        if let Some(recorded) = recorded(database) {
            return Some(recorded);
        }
        // A table that cannot be read is for its checksum to report; the rest opens without it.
        let number = number(connection).unwrap_or(u64::MAX);
        let why = match (self.noted, self.log) {
            (Some(noted), _) if noted > number => format!(
                "{} transactions that had been committed are gone (number {noted} was on the disk, \
                 the database stands at {number})",
                noted - number
            ),
            (None, LogState::Damaged { n_valid, n_lost }) => format!(
                "its log is damaged behind transaction {n_valid}, and {n_lost} that had been \
                 committed are gone"
            ),
            _ => return None,
        };
        // In a folder that cannot be written to, the log and the count stay as they are as well.
        if let Err(e) = replace_file(&database.join(LOST), why.as_bytes()) {
            tracing::debug!("the loss was not recorded: {e}");
        }
        Some(why)
    }
}

/// How transactions were lost, if that was noticed and has not been repaired.
pub(crate) fn recorded(database: &Path) -> Option<String> {
    match std::fs::read(database.join(LOST)) {
        Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("{LOST} cannot be read: {e}")),
    }
}

/// Takes the database as it stands: forgets the loss, and counts on from its number.
pub(crate) fn forget_loss(database: &Path, number: u64) -> Result<(), StoreError> {
    let count = database.join(COUNT);
    replace_file(&count, line(number).as_bytes())?;
    let lost = database.join(LOST);
    match std::fs::remove_file(&lost) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&lost, e)),
        _ => sync_folder(database),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_never_falls_and_a_flipped_bit_in_it_is_no_count() {
        let folder = tempfile::tempdir().unwrap();
        note(folder.path(), 7);
        note(folder.path(), 3);
        assert_eq!(noted(folder.path()), Some(7));
        let path = folder.path().join(COUNT);
        let whole = std::fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(noted(folder.path()), None, "byte {i}");
        }
        note(folder.path(), 4);
        assert_eq!(noted(folder.path()), Some(4));
        std::fs::write(&path, [0xff; 37]).unwrap();
        note(folder.path(), 5);
        assert_eq!(noted(folder.path()), Some(5));
    }

    #[test]
    fn many_writers_leave_the_highest_number() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for first in 1..=4 {
                let folder = folder.path();
                scope.spawn(move || (first..400).step_by(4).for_each(|n| note(folder, n)));
            }
        });
        assert_eq!(noted(folder.path()), Some(399));
    }
}
