//! Checksums of the small tables, so that a flipped bit in a name or a number is found.
//!
//! A table's digest is the sum of its rows' hashes. A write computes the sums before and after, and
//! adds the difference to what is recorded: a row that was damaged before stays found, whatever is
//! written to the table afterwards. Readers compare once a handle and table.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Transaction, params};

use super::StoreError;

/// SQLite's own table of tables: a flipped bit in it is another column or another rule.
const SCHEMA: &str = "sqlite_schema";

/// Tables that are filled when a database is made and never changed.
const FIXED: &[&str] = &[
    "assembly",
    "chromosomes",
    "regions",
    "mask_intervals",
    "genes",
    "transcript_starts",
    "enhancers",
];

/// Tables that are written to later.
pub(crate) const CHANGING: &[&str] = &[
    "meta",
    "commits",
    "biosamples",
    "assays",
    "tracks",
    "track_sources",
    "track_origins",
    "track_chunks",
    "track_coverage",
    "track_values",
    "assay_references",
    "track_normalisations",
    "models",
    "model_biosamples",
    "model_assays",
    "model_tracks",
    "model_regions",
    "model_tensors",
    "search_graphs",
    "tasks",
    "task_runs",
    "selections",
    "projections",
    "evaluations",
    // SQLite's: the number of the last model.
    "sqlite_sequence",
];

/// The digests of the tables that writes may change, at one moment of a transaction.
pub(crate) struct Digests(BTreeMap<&'static str, u128>);

impl Digests {
    /// Those of some tables, as the transaction sees them.
    pub(crate) fn of(t: &Transaction<'_>, tables: &[&'static str]) -> Result<Self, StoreError> {
        let digests = tables
            .iter()
            .map(|name| Ok((*name, digest(t, name)?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Digests(digests))
    }

    /// Records what has changed since.
    pub(crate) fn record_changes(&self, t: &Transaction<'_>) -> Result<(), StoreError> {
        for (name, before) in &self.0 {
            let after = digest(t, name)?;
            if after == *before {
                continue;
            }
            let recorded = recorded(t, name)?.unwrap_or(*before);
            let sum = recorded.wrapping_add(after).wrapping_sub(*before);
            record(t, name, sum)?;
        }
        Ok(())
    }
}

/// Records all tables as they are: of a database that is being made or brought up to date.
pub(crate) fn record_all(t: &Transaction<'_>) -> Result<(), StoreError> {
    for name in tables() {
        record(t, name, digest(t, name)?)?;
    }
    Ok(())
}

/// Records the schema, and those tables that have no checksum yet: they came to be before there were
/// any.
pub(crate) fn record_missing(t: &Transaction<'_>) -> Result<(), StoreError> {
    let is_there = |name: &str| -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
        Ok(t.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
    };
    if !is_there("table_checksums")? {
        return Ok(());
    }
    record(t, SCHEMA, digest(t, SCHEMA)?)?;
    for name in tables() {
        // The list has SQLite's own table, which is in no list, and those of later versions.
        if (name == SCHEMA || is_there(name)?) && recorded(t, name)?.is_none() {
            record(t, name, digest(t, name)?)?;
        }
    }
    Ok(())
}

/// Refuses a table whose rows are not those that were written, or whose indexes say otherwise than
/// its rows: a query may read from either.
pub(crate) fn verify(t: &Transaction<'_>, name: &str) -> Result<(), StoreError> {
    if name != SCHEMA {
        let sql = format!("PRAGMA integrity_check({name})");
        let found: String = t.prepare_cached(&sql)?.query_row([], |r| r.get(0))?;
        if found != "ok" {
            return Err(damaged(name, &found));
        }
    }
    match recorded(t, name)? {
        Some(recorded) if recorded == digest(t, name)? => Ok(()),
        Some(_) => Err(damaged(name, "its rows are not those that were written")),
        None => Err(damaged(name, "its checksum is missing")),
    }
}

/// The tables that have a checksum, the schema's own among them.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    [SCHEMA]
        .into_iter()
        .chain(FIXED.iter().chain(CHANGING).copied())
}

/// A damaged table.
fn damaged(name: &str, why: &str) -> StoreError {
    StoreError::damaged(
        format!("persea.sqlite, table {name}"),
        format!("{why}; restore a backup"),
    )
}

/// The digest that a table was recorded with.
pub(crate) fn recorded(t: &Transaction<'_>, name: &str) -> Result<Option<u128>, StoreError> {
    let sql = "SELECT digest FROM table_checksums WHERE name = ?1";
    let found: Option<[u8; 16]> = t
        .prepare_cached(sql)?
        .query_row([name], |r| r.get(0))
        .optional()?;
    Ok(found.map(u128::from_le_bytes))
}

fn record(t: &Transaction<'_>, name: &str, digest: u128) -> Result<(), StoreError> {
    let sql = "INSERT INTO table_checksums (name, digest) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET digest = excluded.digest";
    t.prepare_cached(sql)?
        .execute(params![name, digest.to_le_bytes()])?;
    Ok(())
}

/// The sum of a table's rows' hashes; their order does not matter.
fn digest(t: &Transaction<'_>, name: &str) -> Result<u128, StoreError> {
    let sql = match name {
        // Where a table begins may change, and so may the statistics that `ANALYZE` keeps.
        SCHEMA => "SELECT type, name, tbl_name, sql FROM sqlite_schema
                   WHERE name NOT LIKE 'sqlite_stat%'"
            .to_string(),
        _ => format!("SELECT * FROM {name}"),
    };
    let mut select = t.prepare_cached(&sql)?;
    let n_columns = select.column_count();
    let mut rows = select.query([])?;
    let mut sum = 0u128;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.clear();
        for column in 0..n_columns {
            put(&mut bytes, row.get_ref(column)?);
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
        sum = sum.wrapping_add(u128::from_le_bytes(hash));
    }
    Ok(sum)
}

/// A value with its type and length, so that no two rows give the same bytes.
fn put(bytes: &mut Vec<u8>, value: ValueRef<'_>) {
    let (kind, content): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(i) => {
            bytes.push(1);
            bytes.extend(i.to_le_bytes());
            return;
        }
        ValueRef::Real(r) => {
            bytes.push(2);
            bytes.extend(r.to_bits().to_le_bytes());
            return;
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    bytes.push(kind);
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.extend(content);
}

/// What cannot be done, and what still can, when a table is damaged.
pub(crate) fn consequence(name: &str) -> &'static str {
    match name {
        SCHEMA => "what else is named here says what cannot be read; nothing should be written",
        "assembly" | "chromosomes" | "regions" => {
            "the genome axis is in doubt: nothing here can be read; signal.zarr opens in any Zarr \
             reader"
        }
        "genes" => {
            "what needs genes refuses (their measures, queries by gene); tracks and models are \
             not concerned"
        }
        "enhancers" => {
            "what needs enhancers refuses (their measure, annotation); tracks and models are not \
             concerned"
        }
        "mask_intervals" => "training and scoring refuse; imputation and tracks are not concerned",
        "biosamples"
        | "assays"
        | "tracks"
        | "track_sources"
        | "track_origins"
        | "track_chunks"
        | "track_coverage"
        | "track_values"
        | "track_normalisations" => {
            "tracks cannot be listed, trained on or scored; models can still be read; signal.zarr \
             opens in any Zarr reader"
        }
        "assay_references" => {
            "no track can be normalised, and databases cannot be merged or compared; tracks and models \
             are not concerned"
        }
        "tasks" => {
            "no task can be run or listed; tracks, models and earlier runs are not concerned"
        }
        "task_runs" => {
            "runs cannot be listed or compared, and suites cannot tell what they have done; tasks, \
             tracks and models are not concerned"
        }
        "selections" => {
            "earlier selections cannot be listed or repeated; tracks, models and new selections are \
             not concerned"
        }
        "projections" => {
            "projections cannot be listed or drawn; they can be made again once the table is \
             restored, and nothing else is concerned"
        }
        "evaluations" => {
            "stored evaluations are not shown or used; `persea evaluate` works; tracks and models are not \
             concerned"
        }
        "search_graphs" => {
            "approximate search builds its graphs anew (`persea index`); exact search is not concerned"
        }
        "meta" | "commits" | "sqlite_sequence" => {
            "nothing that is stored is concerned, but what is known of the database itself"
        }
        _ => "no model can be opened; tracks are not concerned",
    }
}
