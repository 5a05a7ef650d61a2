//! Storing much at once without writing it twice.
//!
//! Through the write-ahead log every page goes to the disk twice: into the log, and from there into the
//! file. A rollback journal needs to keep only pages that are overwritten; new ones, which is what a
//! model's numbers go into, are written once, in place. So a model is stored with a journal where
//! nobody else has the database open, and through the log otherwise. Either is as safe: `synchronous`
//! is FULL in both. With the journal a reader that comes meanwhile may wait for the transaction that is
//! under way, some tenths of a second.

use std::time::Duration;

use super::Database;
use super::connection::{BUSY_TIMEOUT, set_journal_mode};

/// While it lives, the database may be written with a rollback journal; then the log is back.
#[derive(Debug)]
pub(crate) struct Bulk<'a> {
    database: &'a Database,
}

impl<'a> Bulk<'a> {
    /// Changes to the journal if nobody else has the database open.
    pub(crate) fn begin(database: &'a Database) -> Self {
        let connection = database.connection();
        // Not to wait for others to close theirs: it goes through the log then.
        let changed = connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| set_journal_mode(&connection, "TRUNCATE"));
        if let Err(e) = changed {
            tracing::debug!("storing through the log: {e}");
        }
        let _ = connection.busy_timeout(BUSY_TIMEOUT);
        Bulk { database }
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        // Should somebody be reading just now, who opens it next changes it.
        let connection = self.database.connection();
        if let Err(e) = set_journal_mode(&connection, "WAL") {
            tracing::debug!("the log will be back when the database is opened next: {e}");
        }
    }
}
