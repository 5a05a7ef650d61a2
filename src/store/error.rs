//! What can go wrong with a database directory.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::Step;
use super::nearest::nearest_names;

/// Errors of the module `store`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory does not exist.
    #[error("{path} is not there; `persea create` makes a database")]
    Missing {
        /// The directory asked for.
        path: PathBuf,
    },
    /// Something stands where a database was to be made.
    #[error("{path} exists already; choose another name, or remove it first")]
    Exists {
        /// The directory asked for.
        path: PathBuf,
    },
    /// The directory or its `persea.sqlite` is something else, or its header is damaged.
    #[error("{path} is not a Persea database: {why}")]
    NotADatabase {
        /// The directory.
        path: PathBuf,
        /// What gives it away.
        why: String,
    },
    /// A later version of Persea has made or changed it.
    #[error(
        "{path} was written by a newer Persea (its schema is {found}, this one knows {known}): \
         update persea{doubt}"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The schema version of the database.
        found: i64,
        /// The latest schema version known here.
        known: i64,
        /// What speaks against it, beginning with its punctuation; mostly empty.
        doubt: String,
    },
    /// Something was to be written where only reading is possible.
    #[error("{path} can only be read: {why}")]
    ReadOnly {
        /// The directory.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// Transactions that had been committed are gone, and what is left must not be written over.
    #[error(
        "{path}: {why}; nothing is written to it before `persea repair` (`persea check` lists what \
         is left)"
    )]
    CommitsLost {
        /// The directory.
        path: PathBuf,
        /// How that was noticed.
        why: String,
    },
    /// A file or folder of the database could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk or the quota is full. Nothing half-written stays behind.
    #[error(
        "{path}: no space is left on the disk; what was stored before is whole: free some space \
         and repeat the command"
    )]
    DiskFull {
        /// The file or folder that did not fit.
        path: PathBuf,
    },
    /// Another process held SQLite's write lock for too long.
    #[error("{path} has been kept busy by another process; repeat the command when it is done")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that SQLite reports.
    #[error("{path}: {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Somebody else is writing the same thing.
    #[error("{what} is being written by {holder}; wait until it is done, or stop it")]
    Locked {
        /// The track, model or database.
        what: String,
        /// The process, as far as it is known.
        holder: String,
    },
    /// Stored bytes are not what was written.
    #[error("{what} is damaged: {why}")]
    Damaged {
        /// The array and chunk, or the table, tensor and chunk, or the file.
        what: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A shard that cannot be merged, because it is damaged.
    #[error("{path} cannot be merged: {source}; nothing was merged: make this shard again")]
    Shard {
        /// The shard's directory.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<StoreError>,
    },
    /// Two databases that were to be merged contradict each other.
    #[error("nothing was merged: {first} and {second} disagree about {about}")]
    Disagreement {
        /// One database.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What they disagree about, and what to do.
        about: String,
    },
    /// A name that the database does not know.
    #[error("unknown {kind} {name}{hint}")]
    Unknown {
        /// What it should have been: `biosample`, `assay`, `model`, ….
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest names, or what else to do, beginning with its punctuation.
        hint: String,
    },
    /// A name that something of its kind has already.
    #[error("there is {} {kind} {name} already; {advice}", article(kind))]
    Taken {
        /// What has it: `model`, `task`, `biosample`, ….
        kind: &'static str,
        /// The name.
        name: String,
        /// What to do.
        advice: &'static str,
    },
    /// No model is named, and there is none.
    #[error("there is no model in this database; `persea train` makes one")]
    NoModel,
    /// No model is named, and none is the default one.
    #[error("no model is the default one; name one of {}", names.join(", "))]
    NoDefaultModel {
        /// The models that there are.
        names: Vec<String>,
    },
    /// Another writer has replaced or deleted what was being read. Reading it again reads what is there
    /// now.
    #[error("{what} was replaced or deleted while it was being read; read it again")]
    Replaced {
        /// The model, task or track.
        what: String,
    },
    /// A name that nothing can have.
    #[error("the {kind} name `{}` {why}", name.escape_debug())]
    Name {
        /// What was to have it: `biosample`, `assay`, `model`, ….
        kind: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A folder that cannot be what it was to become.
    #[error("{path} {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why it cannot.
        why: &'static str,
    },
    /// A number that cannot be stored.
    #[error("{what} {why}")]
    Number {
        /// Where it stands: a track's bin, a tensor's row.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value that is out of the range of 16-bit counts of the step. Nothing is stored.
    #[error(
        "track {track}: the value at {place} is {value}, and counts of {step} hold {} to {}: store the track as f32, \
         or with a longer step",
        step.range().0, step.range().1
    )]
    Beyond {
        /// The biosample and the assay.
        track: String,
        /// Where.
        place: String,
        /// As it would be stored: on the arcsinh scale, if the track is.
        value: f32,
        /// The step.
        step: Step,
    },
    /// A track or model was to be finished of which parts had not come.
    #[error("{what} is not whole: {missing}")]
    Incomplete {
        /// The track or tensor.
        what: String,
        /// What has not come.
        missing: String,
    },
    /// A call whose parts do not fit together, such as a buffer of the wrong length. The code that makes
    /// the call has to change; the message says how the parts disagree.
    #[error("{0}")]
    Invalid(String),
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
}

fn article(kind: &str) -> &'static str {
    match kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}

impl StoreError {
    /// An unknown name, with the nearest of the known ones.
    ///
    /// ```
    /// let known = ["E003", "E017", "E116"];
    /// let error = persea::store::StoreError::unknown("biosample", "E0003", known);
    /// assert_eq!(error.to_string(), "unknown biosample E0003; nearest: E003, E017, E116");
    /// ```
    pub fn unknown<'a>(
        kind: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let nearest = nearest_names(name, known, 3);
        let hint = if nearest.is_empty() {
            "; there is none yet".to_string()
        } else {
            format!("; nearest: {}", nearest.join(", "))
        };
        StoreError::Unknown {
            kind,
            name: name.to_string(),
            hint,
        }
    }

    /// A failed file operation; a full disk is a variant of its own.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let path = path.to_path_buf();
        match source.kind() {
            StorageFull | QuotaExceeded => StoreError::DiskFull { path },
            ReadOnlyFilesystem => StoreError::ReadOnly {
                path,
                why: source.to_string(),
            },
            _ => StoreError::Io { path, source },
        }
    }

    /// Damaged bytes.
    pub(crate) fn damaged(what: impl Into<String>, why: impl Into<String>) -> Self {
        StoreError::Damaged {
            what: what.into(),
            why: why.into(),
        }
    }

    /// Whether going on with other work would meet the same obstacle.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self,
            StoreError::DiskFull { .. }
                | StoreError::ReadOnly { .. }
                | StoreError::CommitsLost { .. }
                | StoreError::Busy { .. }
        )
    }

    /// Names the database in an error that came out of SQLite.
    pub(crate) fn at(self, database: &Path) -> Self {
        let path = database.to_path_buf();
        match self {
            StoreError::Sqlite { source, .. } => StoreError::Sqlite { path, source },
            StoreError::DiskFull { path: at } if at.as_os_str().is_empty() => {
                StoreError::DiskFull { path }
            }
            StoreError::Busy { .. } => StoreError::Busy { path },
            StoreError::ReadOnly { path: at, why } if at.as_os_str().is_empty() => {
                StoreError::ReadOnly { path, why }
            }
            StoreError::Damaged { what, why } if what.is_empty() => StoreError::Damaged {
                what: path.display().to_string(),
                why,
            },
            other => other,
        }
    }
}

/// The advice to whom SQLite finds damage by the way; `check` itself has another.
pub(super) const ASK_CHECK: &str = "; `persea check` says what is left";

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        // The database is named by `at`, once the error has left the transaction.
        let path = PathBuf::new();
        if let rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..) = source
        {
            let why = format!("{source}{ASK_CHECK}");
            return StoreError::damaged("", why);
        }
        // Our own statements are right: a table or column that one of them misses has been lost. Printed
        // as it is, the error would show the whole statement.
        if let rusqlite::Error::SqlInputError { msg, .. } = &source {
            return StoreError::damaged("", format!("{msg}{ASK_CHECK}"));
        }
        if let rusqlite::Error::SqliteFailure(_, Some(message)) = &source
            && message.starts_with("no such ")
        {
            return StoreError::damaged("", format!("{message}{ASK_CHECK}"));
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly {
                path,
                why: source.to_string(),
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
                what: String::new(),
                why: format!("{source}{ASK_CHECK}"),
            },
            _ => StoreError::Sqlite { path, source },
        }
    }
}
