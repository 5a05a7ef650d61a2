//! Biosamples and assays: their names and what is known of them.

use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Map, Value};

use super::durable::replace_file;
use super::locks::exclude_writers;
use super::track_writer::check_name;
use super::zarr::METADATA;
use super::{Database, StoreError, Track};

/// A biosample that has a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Biosample {
    /// Its number in the database.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is known of it, as its source called it.
    pub metadata: Map<String, Value>,
}

/// An assay that has a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Assay {
    /// Its number in the database.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is known of it, as its source called it.
    pub metadata: Map<String, Value>,
}

/// Which of a track's two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Biosample,
    Assay,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Biosample => "biosample",
            Kind::Assay => "assay",
        }
    }
}

impl Database {
    /// The biosamples, by name.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn biosamples(&self) -> Result<Vec<Biosample>, StoreError> {
        let named = self.read_checked(&["biosamples"], |t| list(t, Kind::Biosample))?;
        let biosample = |(id, name, metadata)| Biosample { id, name, metadata };
        Ok(named.into_iter().map(biosample).collect())
    }

    /// The assays, by name.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn assays(&self) -> Result<Vec<Assay>, StoreError> {
        let named = self.read_checked(&["assays"], |t| list(t, Kind::Assay))?;
        let assay = |(id, name, metadata)| Assay { id, name, metadata };
        Ok(named.into_iter().map(assay).collect())
    }

    /// Adds to what is known of a biosample; keys that are there already are replaced.
    ///
    /// # Errors
    /// When the database does not know it (the nearest names are given) or can only be read.
    pub fn update_biosample(
        &self,
        name: &str,
        metadata: &Map<String, Value>,
    ) -> Result<(), StoreError> {
        self.update(Kind::Biosample, name, metadata)
    }

    /// Adds to what is known of an assay; keys that are there already are replaced.
    ///
    /// # Errors
    /// As [`Database::update_biosample`].
    pub fn update_assay(
        &self,
        name: &str,
        metadata: &Map<String, Value>,
    ) -> Result<(), StoreError> {
        self.update(Kind::Assay, name, metadata)
    }

    /// Renames a biosample, in its tracks and in the models that know it.
    ///
    /// # Errors
    /// When the database does not know it, the new name is taken or unfit, tracks or models are
    /// being written, or the database can only be read.
    pub fn rename_biosample(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.rename(Kind::Biosample, from, to)
    }

    /// Renames an assay, in its tracks and in the models that know it.
    ///
    /// # Errors
    /// As [`Database::rename_biosample`].
    pub fn rename_assay(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.rename(Kind::Assay, from, to)
    }

    fn update(
        &self,
        kind: Kind,
        name: &str,
        metadata: &Map<String, Value>,
    ) -> Result<(), StoreError> {
        self.prepare_writing()?;
        self.write(|t| {
            let known = list(t, kind)?;
            let Some((id, _, mut merged)) = known.iter().find(|(_, n, _)| n == name).cloned()
            else {
                return Err(unknown(kind, name, &known));
            };
            merged.extend(metadata.iter().map(|(k, v)| (k.clone(), v.clone())));
            let sql = format!("UPDATE {}s SET metadata = ?2 WHERE id = ?1", kind.name());
            t.execute(&sql, params![id, Value::Object(merged).to_string()])?;
            Ok(())
        })
    }

    fn rename(&self, kind: Kind, from: &str, to: &str) -> Result<(), StoreError> {
        check_name(kind.name(), to)?;
        self.prepare_writing()?;
        let Some(_alone) = exclude_writers(&self.locks_folder())? else {
            return Err(StoreError::Locked {
                what: self.path().display().to_string(),
                holder: "another process (or another part of this one)".into(),
            });
        };
        let column = kind.name();
        self.write(|t| {
            let known = list(t, kind)?;
            if !known.iter().any(|(_, name, _)| name == from) {
                return Err(unknown(kind, from, &known));
            }
            let taken = known.iter().any(|(_, name, _)| name == to)
                || t.query_row(
                    &format!("SELECT 1 FROM model_{column}s WHERE name = ?1"),
                    [to],
                    |_| Ok(()),
                )
                .optional()?
                .is_some();
            if taken {
                return Err(StoreError::Taken {
                    kind: column,
                    name: to.to_string(),
                    advice: "two cannot be made one",
                });
            }
            for (table, column) in [
                (format!("{column}s"), "name"),
                (format!("model_{column}s"), "name"),
                ("model_tracks".to_string(), column),
            ] {
                let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
                t.execute(&sql, [from, to])?;
            }
            // The arrays' attributes follow; should that be interrupted, the next writer goes on.
            t.execute(
                "INSERT INTO meta (key, value) VALUES ('renaming', ?1)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
                [to],
            )?;
            Ok(())
        })?;
        finish_renaming(self)
    }
}

type Named = (i64, String, Map<String, Value>);

fn list(t: &Transaction<'_>, kind: Kind) -> Result<Vec<Named>, StoreError> {
    let table = format!("{}s", kind.name());
    let mut select = t.prepare(&format!(
        "SELECT id, name, metadata FROM {table} ORDER BY name"
    ))?;
    let rows = select.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (id, name, text): (i64, String, String) = row?;
        let metadata = serde_json::from_str(&text).map_err(|e| {
            let what = format!("persea.sqlite, table {table}, metadata of {name}");
            StoreError::damaged(what, e.to_string())
        })?;
        Ok((id, name, metadata))
    })
    .collect()
}

fn unknown(kind: Kind, name: &str, known: &[Named]) -> StoreError {
    StoreError::unknown(kind.name(), name, known.iter().map(|(_, n, _)| n.as_str()))
}

/// Whether a renaming has begun whose arrays may still have their old names.
pub(crate) fn is_renaming(database: &Database) -> Result<bool, StoreError> {
    database.read(|t| {
        let sql = "SELECT 1 FROM meta WHERE key = 'renaming'";
        Ok(t.query_row(sql, [], |_| Ok(())).optional()?.is_some())
    })
}

/// Brings the arrays' attributes in line with the rows after a renaming.
pub(crate) fn finish_renaming(database: &Database) -> Result<(), StoreError> {
    if !is_renaming(database)? {
        return Ok(());
    }
    for track in database.tracks_as_they_are()? {
        let path = database.signal_folder().join(&track.array).join(METADATA);
        // A damaged array is `check`'s to report; it must not keep the others from their names.
        if let Err(why) = rename_in_attributes(&path, &track) {
            tracing::warn!("{}: its attributes keep an old name: {why}", path.display());
        }
    }
    database.write(|t| {
        t.execute("DELETE FROM meta WHERE key = 'renaming'", [])?;
        Ok(())
    })
}

fn rename_in_attributes(path: &Path, track: &Track) -> Result<(), String> {
    let document = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut document: Value = serde_json::from_slice(&document).map_err(|e| e.to_string())?;
    let attributes = document
        .get_mut("attributes")
        .and_then(Value::as_object_mut);
    let attributes = attributes.ok_or("it has none")?;
    let mut changed = false;
    for (key, name) in [("biosample", &track.biosample), ("assay", &track.assay)] {
        let name = Value::from(name.as_str());
        changed |= attributes.insert(key.into(), name.clone()) != Some(name);
    }
    if changed {
        let text = serde_json::to_vec_pretty(&document).map_err(|e| e.to_string())?;
        replace_file(path, &text).map_err(|e| e.to_string())?;
    }
    Ok(())
}
