//! The models of a database: which there are, and which is the default.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use super::locks::{Lock, lock_one};
use super::model_rows::{ModelRow, row_of_model};
use super::track_writer::check_name;
use super::{Database, Model, StoreError};

/// The right to write one model, and checkpoints of it. Held for as long as the work takes.
#[derive(Debug)]
pub struct ModelLock {
    name: String,
    _lock: Lock,
}

impl ModelLock {
    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Database {
    /// Claims a model's name for writing, whether there is such a model yet or not.
    ///
    /// # Errors
    /// When another writer has it (a training in another process, say), the name is unfit, or the
    /// database can only be read.
    pub fn lock_model(&self, name: &str) -> Result<ModelLock, StoreError> {
        check_name("model", name)?;
        self.prepare_writing()?;
        let lock = lock_one(
            &self.locks_folder(),
            "model",
            name,
            &format!("model {name}"),
        )?;
        Ok(ModelLock {
            name: name.to_string(),
            _lock: lock,
        })
    }

    /// The model of that name; the default one when no name is given.
    ///
    /// # Errors
    /// When there is none (the nearest names are given) or SQLite fails.
    pub fn read_model(&self, name: Option<&str>) -> Result<Model, StoreError> {
        self.join_readers();
        self.read_checked(TABLES, |t| {
            let found = match name {
                Some(name) => t
                    .query_row(&format!("{SELECT} AND name = ?1"), [name], row_of_model)
                    .optional()?,
                None => t
                    .query_row(&format!("{SELECT} AND is_default = 1"), [], row_of_model)
                    .optional()?,
            };
            match (found, name) {
                (Some(row), _) => row.read(t),
                (None, Some(name)) => Err(unknown_model(t, name)?),
                (None, None) => {
                    let names = model_names(t)?;
                    Err(match names.is_empty() {
                        true => StoreError::NoModel,
                        false => StoreError::NoDefaultModel { names },
                    })
                }
            }
        })
    }

    /// All models, in the order in which they were stored.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn list_models(&self) -> Result<Vec<Model>, StoreError> {
        self.read_checked(TABLES, all_models)
    }

    /// All models, whether or not their tables are what was written.
    pub(crate) fn models_as_they_are(&self) -> Result<Vec<Model>, StoreError> {
        self.read(all_models)
    }

    /// Makes a model the one that is used when none is named.
    ///
    /// # Errors
    /// When there is no such model or the database can only be read.
    pub fn set_default_model(&self, name: &str) -> Result<(), StoreError> {
        self.prepare_writing()?;
        self.write(|t| {
            t.execute("UPDATE models SET is_default = 0 WHERE is_default = 1", [])?;
            let sql = "UPDATE models SET is_default = 1 WHERE name = ?1 AND status = 'ready'";
            match t.execute(sql, [name])? {
                0 => Err(unknown_model(t, name)?),
                _ => Ok(()),
            }
        })
    }

    /// Deletes a model and gives its space back. If it was the default one, none is afterwards,
    /// unless a single model is left.
    ///
    /// # Errors
    /// When there is no such model, it is being written, or the database can only be read.
    pub fn delete_model(&self, name: &str) -> Result<(), StoreError> {
        let _lock = self.lock_model(name)?;
        let id = self.write(|t| {
            let sql = "SELECT id FROM models WHERE name = ?1 AND status = 'ready'";
            let found: Option<i64> = t.query_row(sql, [name], |r| r.get(0)).optional()?;
            let Some(id) = found else {
                return Err(unknown_model(t, name)?);
            };
            let sql = "UPDATE models SET status = 'deleted', is_default = 0 WHERE id = ?1";
            t.execute(sql, [id])?;
            t.execute(
                "UPDATE models SET is_default = 1 WHERE status = 'ready'
                 AND (SELECT count(*) FROM models WHERE status = 'ready') = 1",
                [],
            )?;
            Ok(id)
        })?;
        remove_once_read(self, id, PATIENCE)
    }
}

/// What a model is read from; its numbers have checksums of their own.
const TABLES: &[&str] = &[
    "models",
    "model_biosamples",
    "model_assays",
    "model_tracks",
    "model_regions",
    "model_tensors",
];

fn all_models(t: &Transaction<'_>) -> Result<Vec<Model>, StoreError> {
    let mut select = t.prepare(&format!("{SELECT} ORDER BY id"))?;
    let rows: Vec<ModelRow> = select
        .query_map([], row_of_model)?
        .collect::<Result<_, _>>()?;
    rows.into_iter().map(|row| row.read(t)).collect()
}

/// Removes models that an interrupted writer or deletion left. Nobody may be writing.
pub(crate) fn remove_unfinished(database: &Database) -> Result<(), StoreError> {
    let unfinished: Vec<(i64, String, String)> = database.read(|t| {
        let mut select =
            t.prepare("SELECT id, name, status FROM models WHERE status <> 'ready'")?;
        let rows = select.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    for (id, name, status) in unfinished {
        // One being deleted has its own lock, and is left to whoever does it.
        if let Ok(_lock) = lock_one(&database.locks_folder(), "model", &name, &name) {
            tracing::info!("removing what was left of model {name} ({status})");
            remove_once_read(database, id, Duration::ZERO)?;
        }
    }
    Ok(())
}

/// How long a deletion waits for those who read the model. Most searches take far less; who reads for
/// longer leaves the rows to the next writer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Removes all rows of a model that has been marked as deleted, once nobody reads it any more. Where
/// somebody still does after so long, the rows are left to the next writer's sweep.
pub(crate) fn remove_once_read(
    database: &Database,
    id: i64,
    patience: Duration,
) -> Result<(), StoreError> {
    if database.readers_are_done(patience)? {
        return remove_rows(database, id);
    }
    tracing::info!(
        "a deleted model is still being read: the next command that writes gives its space back"
    );
    Ok(())
}

/// Removes all rows of a model, in short transactions, and gives the space back.
pub(crate) fn remove_rows(database: &Database, id: i64) -> Result<(), StoreError> {
    loop {
        let removed = database.write_in(&[], |t| {
            Ok(t.execute(
                "DELETE FROM model_chunks WHERE id IN (SELECT c.id FROM model_chunks c
                    JOIN model_tensors t ON t.id = c.tensor WHERE t.model = ?1 LIMIT 200)",
                [id],
            )?)
        })?;
        if removed == 0 {
            break;
        }
    }
    database.write(|t| {
        t.execute("DELETE FROM models WHERE id = ?1", [id])?;
        Ok(())
    })?;
    let vacuum = || -> rusqlite::Result<()> {
        let connection = database.connection();
        let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    };
    vacuum().map_err(|e| StoreError::from(e).at(database.path()))
}

/// Makes a model that has been written real, in place of another of its name, whose number is
/// returned for its rows to be removed.
pub(crate) fn make_ready(
    t: &Transaction<'_>,
    id: i64,
    name: &str,
    checksum: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id, is_default FROM models WHERE name = ?1 AND status = 'ready'";
    let old: Option<(i64, bool)> = t
        .query_row(sql, [name], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    if let Some((old, _)) = old {
        let sql = "UPDATE models SET status = 'deleted', is_default = 0 WHERE id = ?1";
        t.execute(sql, [old])?;
    }
    let others: i64 = t.query_row(
        "SELECT count(*) FROM models WHERE status = 'ready'",
        [],
        |r| r.get(0),
    )?;
    // The first model is the default one; a replacement takes the place of what it replaces.
    let is_default = match old {
        Some((_, was_default)) => was_default,
        None => others == 0,
    };
    t.execute(
        "UPDATE models SET status = 'ready', is_default = ?2, checksum = ?3,
         created = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = ?1",
        params![id, is_default, checksum],
    )?;
    Ok(old.map(|(id, _)| id))
}

const SELECT: &str = "SELECT id, name, kind, config, seed, training, precision, created,
     is_default, checksum FROM models WHERE status = 'ready'";

fn model_names(t: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let mut select = t.prepare("SELECT name FROM models WHERE status = 'ready' ORDER BY id")?;
    let names = select.query_map([], |r| r.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn unknown_model(t: &Transaction<'_>, name: &str) -> Result<StoreError, StoreError> {
    let names = model_names(t)?;
    let names = names.iter().map(String::as_str);
    Ok(StoreError::unknown("model", name, names))
}
