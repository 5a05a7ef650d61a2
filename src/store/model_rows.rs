//! A model's record as rows of SQLite, written and read.

use rusqlite::{Row, Transaction, params};

use super::connection::named;
use super::database::region_of_row;
use super::{
    Database, Model, ModelKind, ModelRecord, ModelTrack, Precision, StoreError, TrackRole, tensors,
};
use crate::genome::Region;

/// Writes a model's row and lists, in the state `writing`.
pub(crate) fn insert_record(database: &Database, record: &ModelRecord) -> Result<i64, StoreError> {
    for (what, value) in [("config", &record.config), ("training", &record.training)] {
        if value.is_null() {
            return Err(StoreError::Invalid(format!(
                "model {}: its {what} is missing",
                record.name
            )));
        }
    }
    database.write(|t| {
        t.execute(
            "INSERT INTO models (name, kind, status, config, seed, training, precision, created)
             VALUES (?1, ?2, 'writing', ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
            params![
                record.name,
                record.kind.name(),
                record.config.to_string(),
                // SQLite's integers are signed: the same 64 bits.
                record.seed as i64,
                record.training.to_string(),
                record.precision.name()
            ],
        )?;
        let id = t.last_insert_rowid();
        for (table, names) in [
            ("model_biosamples", &record.biosamples),
            ("model_assays", &record.assays),
        ] {
            let sql = format!("INSERT INTO {table} (model, ordinal, name) VALUES (?1, ?2, ?3)");
            let mut insert = t.prepare(&sql)?;
            for (i, name) in names.iter().enumerate() {
                insert.execute(params![id, i as i64, name])?;
            }
        }
        let mut insert = t.prepare(
            "INSERT INTO model_tracks (model, biosample, assay, role, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for track in &record.tracks {
            insert.execute(params![
                id,
                track.biosample,
                track.assay,
                track.role.name(),
                track.checksum
            ])?;
        }
        let mut insert = t.prepare(
            "INSERT INTO model_regions (model, ordinal, name, chrom, first_bin, n_bins)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (i, region) in record.regions.iter().enumerate() {
            insert.execute(params![
                id,
                i as i64,
                region.name,
                region.chrom,
                region.first_bin as i64,
                region.n_bins as i64
            ])?;
        }
        Ok(id)
    })
}

/// A row of `models`, its JSON not yet parsed.
pub(crate) struct ModelRow {
    id: i64,
    name: String,
    kind: String,
    config: String,
    seed: i64,
    training: String,
    precision: String,
    created: String,
    is_default: bool,
    checksum: String,
}

pub(crate) fn row_of_model(row: &Row<'_>) -> rusqlite::Result<ModelRow> {
    Ok(ModelRow {
        id: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        config: row.get(3)?,
        seed: row.get(4)?,
        training: row.get(5)?,
        precision: row.get(6)?,
        created: row.get(7)?,
        is_default: row.get(8)?,
        checksum: row.get(9)?,
    })
}

impl ModelRow {
    pub(crate) fn read(self, t: &Transaction<'_>) -> Result<Model, StoreError> {
        let damaged = |column: &str, why: &str| {
            let what = format!("persea.sqlite, table models, {column} of {}", self.name);
            StoreError::damaged(what, why)
        };
        let parse = |column: &str, text: &str| {
            serde_json::from_str(text).map_err(|e| damaged(column, &e.to_string()))
        };
        let names = |table: &str| -> Result<Vec<String>, StoreError> {
            let sql = format!("SELECT name FROM {table} WHERE model = ?1 ORDER BY ordinal");
            let mut select = t.prepare(&sql)?;
            let names = select.query_map([self.id], |r| r.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        };
        let record = ModelRecord {
            kind: ModelKind::from_name(&self.kind).ok_or_else(|| damaged("kind", &self.kind))?,
            config: parse("config", &self.config)?,
            seed: self.seed as u64,
            training: parse("training", &self.training)?,
            precision: Precision::from_name(&self.precision)
                .ok_or_else(|| damaged("precision", &self.precision))?,
            biosamples: names("model_biosamples")?,
            assays: names("model_assays")?,
            tracks: read_tracks(t, self.id)?,
            regions: read_regions(t, self.id)?,
            name: self.name,
        };
        Ok(Model {
            id: self.id,
            tensors: tensors::list(t, self.id)?,
            record,
            created: self.created,
            is_default: self.is_default,
            checksum: self.checksum,
        })
    }
}

fn read_tracks(t: &Transaction<'_>, model: i64) -> Result<Vec<ModelTrack>, StoreError> {
    let mut select = t.prepare(
        "SELECT biosample, assay, role, checksum FROM model_tracks WHERE model = ?1
         ORDER BY biosample, assay",
    )?;
    let tracks = select.query_map([model], |row| {
        Ok(ModelTrack {
            biosample: row.get(0)?,
            assay: row.get(1)?,
            role: named(row, 2, TrackRole::from_name)?,
            checksum: row.get(3)?,
        })
    })?;
    Ok(tracks.collect::<Result<_, _>>()?)
}

fn read_regions(t: &Transaction<'_>, model: i64) -> Result<Vec<Region>, StoreError> {
    let mut select = t.prepare(
        "SELECT name, chrom, first_bin, n_bins FROM model_regions WHERE model = ?1
         ORDER BY ordinal",
    )?;
    let regions = select.query_map([model], region_of_row)?;
    Ok(regions.collect::<Result<_, _>>()?)
}
