//! Copying a tensor from a stored model into one that is being stored.

use rusqlite::{OptionalExtension, params};

use super::connection::whole;
use super::model_writer::{Begun, Chunk, Key};
use super::tensors::{damaged_chunk, verify};
use super::{Database, Model, ModelWriter, StoreError, TensorInfo};

impl ModelWriter<'_> {
    /// Copies a tensor of a stored model as it is, without decoding it: what an extension leaves
    /// frozen stays equal bit for bit.
    ///
    /// # Errors
    /// When that model has no such tensor, this one has it already or lacks the region, a piece is
    /// damaged, or the disk is full. `region` is the place in this model's record.
    pub fn copy_tensor(
        &mut self,
        from: &Model,
        name: &str,
        from_region: Option<u32>,
        region: Option<u32>,
    ) -> Result<(), StoreError> {
        let source = from.tensor(name, from_region)?;
        if self.tensors.contains_key(&(name.to_string(), region)) {
            return Err(StoreError::Invalid(format!(
                "tensor {name} of model {} is there already",
                self.name
            )));
        }
        let precision = source.precision;
        let key = self.begin_tensor(name, source.rows, source.cols, region, precision)?;
        while let Some(begun) = self.tensors.get_mut(&key)
            && begun.n_stored < source.rows
            && source.cols > 0
        {
            let chunk = read_chunk(self.database, from, source, begun, &key)?;
            begun.n_stored += chunk.n_rows;
            begun.n_chunks += 1;
            self.batch_bytes += chunk.data.len();
            self.batch.push(chunk);
            self.store_full_batch()?;
        }
        Ok(())
    }
}

/// The piece of a stored tensor that follows what a copy of it has, checked.
fn read_chunk(
    database: &Database,
    from: &Model,
    source: &TensorInfo,
    begun: &Begun,
    key: &Key,
) -> Result<Chunk, StoreError> {
    let damaged = |why: &str| damaged_chunk(from, source, begun.n_chunks, why);
    database.read(|t| {
        let mut select = t.prepare_cached(
            "SELECT n_rows, checksum, data FROM model_chunks
             WHERE tensor = ?1 AND ordinal = ?2 AND first_row = ?3",
        )?;
        let keys = params![source.id, begun.n_chunks, begun.n_stored as i64];
        let chunk = select
            .query_row(keys, |row| {
                Ok(Chunk {
                    tensor: key.clone(),
                    ordinal: begun.n_chunks,
                    first_row: begun.n_stored,
                    n_rows: whole(row, 0)?,
                    checksum: Some(row.get(1)?),
                    data: row.get(2)?,
                })
            })
            .optional()?
            .ok_or_else(|| damaged("it is missing"))?;
        verify(
            &chunk.data,
            chunk.checksum.as_ref().map_or(&[], |c| &c[..]),
            chunk.n_rows,
            source,
        )
        .map_err(damaged)?;
        Ok(chunk)
    })
}
