//! Storing a model: its row as `writing`, its numbers in short transactions, then one update that
//! makes it the model of its name.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rusqlite::params;

use super::bulk::Bulk;
use super::locks::{Lock, join_writers};
use super::model_rows::insert_record;
use super::models::{PATIENCE, make_ready, remove_once_read, remove_rows};
use super::tensors::{checksum, encode, rows_per_chunk};
use super::{Database, Model, ModelLock, ModelRecord, Precision, StoreError};

/// How many bytes of pieces go into one transaction: enough that its sync costs little.
const BATCH_BYTES: usize = 64 << 20;

/// A model being stored. Dropped without [`ModelWriter::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct ModelWriter<'a> {
    pub(super) database: &'a Database,
    id: i64,
    pub(super) name: String,
    precision: Precision,
    n_regions: usize,
    pub(super) tensors: BTreeMap<Key, Begun>,
    pub(super) batch: Vec<Chunk>,
    pub(super) batch_bytes: usize,
    committed: bool,
    _bulk: Bulk<'a>,
    _writer: Lock,
}

/// A tensor's name and region.
pub(super) type Key = (String, Option<u32>);

/// A tensor of which rows have come.
#[derive(Debug)]
pub(super) struct Begun {
    /// The number of its row, once the first batch with a piece of it has been stored.
    id: Option<i64>,
    rows: u64,
    cols: u64,
    precision: Precision,
    /// Rows in pieces already.
    pub(super) n_stored: u64,
    pub(super) n_chunks: i64,
    /// Numbers that do not fill a piece yet.
    pending: Vec<f32>,
    pub(super) hasher: blake3::Hasher,
}

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) tensor: Key,
    pub(super) ordinal: i64,
    pub(super) first_row: u64,
    pub(super) n_rows: u64,
    /// Computed, of many at once, before they are stored.
    pub(super) checksum: Option<[u8; 16]>,
    pub(super) data: Vec<u8>,
}

impl Database {
    /// Begins to store the model whose name has been claimed. `replace` lets it take the place of
    /// one of that name, at [`ModelWriter::commit`] and not before.
    ///
    /// # Errors
    /// When there is a model of that name and `replace` is false, the record is another model's
    /// or names something twice, or the database cannot be written.
    pub fn begin_model(
        &self,
        lock: &ModelLock,
        record: &ModelRecord,
        replace: bool,
    ) -> Result<ModelWriter<'_>, StoreError> {
        if lock.name() != record.name {
            return Err(StoreError::Invalid(format!(
                "model {} cannot be written under the lock of {}",
                record.name,
                lock.name()
            )));
        }
        self.prepare_writing()?;
        let writer = join_writers(&self.locks_folder())?;
        if !replace
            && self
                .list_models()?
                .iter()
                .any(|m| m.record.name == record.name)
        {
            return Err(StoreError::Taken {
                kind: "model",
                name: record.name.clone(),
                advice: "choose another name, replace it, or delete it with `persea model delete`",
            });
        }
        let bulk = Bulk::begin(self);
        Ok(ModelWriter {
            database: self,
            id: insert_record(self, record)?,
            name: record.name.clone(),
            precision: record.precision,
            n_regions: record.regions.len(),
            tensors: BTreeMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            committed: false,
            _bulk: bulk,
            _writer: writer,
        })
    }
}

impl ModelWriter<'_> {
    /// Takes the next rows of a tensor of `rows` × `cols` numbers, row-major; calls for the same
    /// name and region append. With a region (a place in the record's), it is stored in the
    /// record's precision, without in f32.
    ///
    /// # Errors
    /// When the shape differs from the call before, `data` is not a whole number of rows or more
    /// than is left, the region is not in the record, a number is not finite (or too large for
    /// f16), or the disk is full.
    pub fn tensor(
        &mut self,
        name: &str,
        rows: u64,
        cols: u64,
        region: Option<u32>,
        data: &[f32],
    ) -> Result<(), StoreError> {
        let precision = match region {
            Some(_) => self.precision,
            None => Precision::F32,
        };
        let key = self.begin_tensor(name, rows, cols, region, precision)?;
        let Some(begun) = self.tensors.get(&key) else {
            return Ok(());
        };
        let stored = begun.n_stored * cols + begun.pending.len() as u64;
        let whole_rows = (data.len() as u64).is_multiple_of(cols);
        if !whole_rows || stored + data.len() as u64 > rows * cols {
            return Err(StoreError::Invalid(format!(
                "tensor {name} of model {}: {} numbers are no rows of {rows} × {cols} after {stored}",
                self.name,
                data.len()
            )));
        }
        // In pieces, so that memory holds one batch however much comes at once.
        for piece in data.chunks(BATCH_BYTES / 4) {
            self.append(&key, piece)?;
            self.store_full_batch()?;
        }
        Ok(())
    }

    fn append(&mut self, key: &Key, data: &[f32]) -> Result<(), StoreError> {
        let Some(begun) = self.tensors.get_mut(key) else {
            return Ok(());
        };
        let per_chunk = (rows_per_chunk(begun.cols, begun.precision) * begun.cols) as usize;
        let mut rest = data;
        while !rest.is_empty() {
            let n = (per_chunk - begun.pending.len()).min(rest.len());
            let (now, later) = rest.split_at(n);
            begun.pending.extend_from_slice(now);
            rest = later;
            let n_come = begun.n_stored * begun.cols + begun.pending.len() as u64;
            if begun.pending.len() == per_chunk || n_come == begun.rows * begun.cols {
                let chunk = begun.take_chunk(key).map_err(|row| {
                    let precision = begun.precision.name();
                    StoreError::Number {
                        what: format!("tensor {} of model {}: row {row}", key.0, self.name),
                        why: format!("has a number that {precision} cannot hold"),
                    }
                })?;
                self.batch_bytes += chunk.data.len();
                self.batch.push(chunk);
            }
        }
        Ok(())
    }

    /// Makes the model real, now that all numbers have come. The first model of a database
    /// becomes the default one.
    ///
    /// # Errors
    /// When rows of a tensor are missing or the disk is full; the database then is as it was.
    pub fn commit(mut self) -> Result<Model, StoreError> {
        for ((name, region), begun) in &self.tensors {
            if begun.n_stored < begun.rows && begun.cols > 0 {
                let of_region = region.map_or(String::new(), |r| format!(" of region {r}"));
                return Err(StoreError::Incomplete {
                    what: format!("tensor {name}{of_region} of model {}", self.name),
                    missing: format!("only {} of {} rows have come", begun.n_stored, begun.rows),
                });
            }
        }
        self.store_batch()?;
        let checksum = self.checksum();
        let (id, name) = (self.id, self.name.clone());
        let replaced = self
            .database
            .write(|t| make_ready(t, id, &name, &checksum))?;
        self.committed = true;
        if let Some(old) = replaced
            && let Err(e) = remove_once_read(self.database, old, PATIENCE)
        {
            tracing::warn!("the model that {name} replaces has not been removed yet: {e}");
        }
        self.database.read_model(Some(&self.name))
    }

    pub(super) fn begin_tensor(
        &mut self,
        name: &str,
        rows: u64,
        cols: u64,
        region: Option<u32>,
        precision: Precision,
    ) -> Result<Key, StoreError> {
        let key = (name.to_string(), region);
        if let Some(begun) = self.tensors.get(&key) {
            if (begun.rows, begun.cols) == (rows, cols) {
                return Ok(key);
            }
            return Err(StoreError::Invalid(format!(
                "tensor {name} of model {} is {} × {}, not {rows} × {cols}",
                self.name, begun.rows, begun.cols
            )));
        }
        if region.is_some_and(|r| r as usize >= self.n_regions) {
            return Err(StoreError::Invalid(format!(
                "tensor {name} of model {}: it has {} regions",
                self.name, self.n_regions
            )));
        }
        let begun = Begun {
            id: None,
            rows,
            cols,
            precision,
            n_stored: 0,
            n_chunks: 0,
            pending: Vec::new(),
            hasher: blake3::Hasher::new(),
        };
        self.tensors.insert(key.clone(), begun);
        Ok(key)
    }

    pub(super) fn store_full_batch(&mut self) -> Result<(), StoreError> {
        match self.batch_bytes >= BATCH_BYTES {
            true => self.store_batch(),
            false => Ok(()),
        }
    }

    /// Stores what has come, in one transaction: new tensors, then pieces.
    fn store_batch(&mut self) -> Result<(), StoreError> {
        self.batch.par_iter_mut().for_each(|chunk| {
            chunk.checksum.get_or_insert_with(|| checksum(&chunk.data));
        });
        for chunk in &self.batch {
            if let (Some(begun), Some(checksum)) =
                (self.tensors.get_mut(&chunk.tensor), &chunk.checksum)
            {
                begun.hasher.update(checksum);
            }
        }
        let new_ids = self.database.write_in(&["model_tensors"], |t| {
            let mut insert = t.prepare_cached(
                "INSERT INTO model_tensors (model, name, region, rows, cols, dtype)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut new_ids = BTreeMap::new();
            for (key, begun) in self.tensors.iter().filter(|(_, b)| b.id.is_none()) {
                insert.execute(params![
                    self.id,
                    key.0,
                    key.1,
                    begun.rows as i64,
                    begun.cols as i64,
                    begun.precision.name()
                ])?;
                new_ids.insert(key.clone(), t.last_insert_rowid());
            }
            let mut insert = t.prepare_cached(
                "INSERT INTO model_chunks (tensor, ordinal, first_row, n_rows, checksum, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for chunk in &self.batch {
                let known = self.tensors.get(&chunk.tensor).and_then(|b| b.id);
                insert.execute(params![
                    known.or_else(|| new_ids.get(&chunk.tensor).copied()),
                    chunk.ordinal,
                    chunk.first_row as i64,
                    chunk.n_rows as i64,
                    chunk.checksum,
                    chunk.data
                ])?;
            }
            Ok(new_ids)
        })?;
        for (key, id) in new_ids {
            if let Some(begun) = self.tensors.get_mut(&key) {
                begun.id = Some(id);
            }
        }
        self.batch.clear();
        self.batch_bytes = 0;
        Ok(())
    }

    /// Over names, shapes and the pieces' checksums, whatever order the tensors came in.
    fn checksum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for ((name, region), begun) in &self.tensors {
            let shape = format!(
                "{name}\n{region:?}\n{}\n{}\n{}\n",
                begun.rows,
                begun.cols,
                begun.precision.name()
            );
            hasher.update(shape.as_bytes());
            hasher.update(begun.hasher.finalize().as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Begun {
    /// The pending rows as a piece; or the row that cannot be stored.
    fn take_chunk(&mut self, key: &Key) -> Result<Chunk, u64> {
        let n_rows = self.pending.len() as u64 / self.cols.max(1);
        let data = encode(&self.pending, self.precision)
            .map_err(|i| self.n_stored + i as u64 / self.cols.max(1))?;
        self.pending.clear();
        let chunk = Chunk {
            tensor: key.clone(),
            ordinal: self.n_chunks,
            first_row: self.n_stored,
            n_rows,
            checksum: None,
            data,
        };
        self.n_chunks += 1;
        self.n_stored += n_rows;
        Ok(chunk)
    }
}

impl Drop for ModelWriter<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now is swept by the next writer.
            let _ = remove_rows(self.database, self.id);
        }
    }
}
