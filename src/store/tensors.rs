//! A model's numbers: rows of a tensor in checked pieces.

use std::ops::Range;

use half::f16;
use rusqlite::{OptionalExtension, Transaction, params};

use super::connection::{named, whole};
use super::{Database, Model, Precision, StoreError, TensorInfo};

/// The most bytes in a piece, unless one row alone has more.
const CHUNK_BYTES: usize = 450_000;

impl Database {
    /// Reads rows of a tensor, row-major, into `out`, `[rows.len(), cols]`.
    ///
    /// # Errors
    /// When the model has no such tensor, the rows or the length of `out` do not fit it, or a
    /// piece is missing or damaged; the error names the table, the tensor and the piece.
    pub fn read_tensor(
        &self,
        model: &Model,
        name: &str,
        region: Option<u32>,
        rows: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), StoreError> {
        let tensor = model.tensor(name, region)?;
        let n_rows = rows.end.checked_sub(rows.start);
        let fits = n_rows.and_then(|n| n.checked_mul(tensor.cols)) == Some(out.len() as u64);
        if rows.end > tensor.rows || !fits {
            return Err(StoreError::Invalid(format!(
                "rows {}-{} of {name} ({} × {}) cannot be read into {} numbers",
                rows.start,
                rows.end,
                tensor.rows,
                tensor.cols,
                out.len()
            )));
        }
        if out.is_empty() {
            return Ok(());
        }
        self.read(|t| {
            let mut select = t.prepare_cached(
                "SELECT ordinal, first_row, n_rows, checksum, data FROM model_chunks
                 WHERE tensor = ?1 AND first_row < ?3 AND first_row + n_rows > ?2
                 ORDER BY ordinal",
            )?;
            let mut chunks =
                select.query(params![tensor.id, rows.start as i64, rows.end as i64])?;
            let mut at = rows.start;
            while let Some(row) = chunks.next()? {
                let ordinal: i64 = row.get(0)?;
                let (first, n) = (whole(row, 1)?, whole(row, 2)?);
                let data = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
                let checksum = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                let damaged = |why: &str| damaged_chunk(model, tensor, ordinal, why);
                verify(data, checksum, n, tensor).map_err(damaged)?;
                if first > at || first + n <= at {
                    return Err(damaged("its rows do not follow those of the piece before"));
                }
                let end = (first + n).min(rows.end);
                let (from, to) = ((at - first) * tensor.cols, (end - first) * tensor.cols);
                let start = ((at - rows.start) * tensor.cols) as usize;
                let target = &mut out[start..start + (to - from) as usize];
                decode(data, from as usize, target, tensor.precision);
                at = end;
            }
            if at < rows.end {
                return Err(self.incomplete(t, model, tensor)?);
            }
            Ok(())
        })
    }

    /// Reads a whole tensor, row-major.
    ///
    /// # Errors
    /// As [`Database::read_tensor`].
    pub fn read_whole_tensor(
        &self,
        model: &Model,
        name: &str,
        region: Option<u32>,
    ) -> Result<Vec<f32>, StoreError> {
        let tensor = model.tensor(name, region)?;
        let mut out = vec![0.0; (tensor.rows * tensor.cols) as usize];
        self.read_tensor(model, name, region, 0..tensor.rows, &mut out)?;
        Ok(out)
    }

    fn incomplete(
        &self,
        t: &Transaction<'_>,
        model: &Model,
        tensor: &TensorInfo,
    ) -> Result<StoreError, StoreError> {
        let sql = "SELECT 1 FROM models WHERE id = ?1 AND status = 'ready'";
        let there = t.query_row(sql, [model.id], |_| Ok(())).optional()?;
        Ok(match there {
            Some(()) => damaged_tensor(model, tensor, "pieces of it are missing"),
            None => StoreError::Replaced {
                what: format!("model {}", model.record.name),
            },
        })
    }
}

/// The tensors of a model, by name and region.
pub(crate) fn list(t: &Transaction<'_>, model: i64) -> Result<Vec<TensorInfo>, StoreError> {
    let mut select = t.prepare(
        "SELECT id, name, region, rows, cols, dtype FROM model_tensors WHERE model = ?1
         ORDER BY name, region",
    )?;
    let tensors = select.query_map([model], |row| {
        Ok(TensorInfo {
            id: row.get(0)?,
            name: row.get(1)?,
            region: row.get(2)?,
            rows: whole(row, 3)?,
            cols: whole(row, 4)?,
            precision: named(row, 5, Precision::from_name)?,
        })
    })?;
    let tensors: Vec<TensorInfo> = tensors.collect::<Result<_, _>>()?;
    // Readers make room for what a row says: it must not say more than the database can hold.
    let pages: i64 = t.pragma_query_value(None, "page_count", |r| r.get(0))?;
    let page_bytes: i64 = t.pragma_query_value(None, "page_size", |r| r.get(0))?;
    let most = (pages * page_bytes) as u64;
    for tensor in &tensors {
        if tensor.bytes_of_rows(tensor.rows).is_none_or(|n| n > most) {
            return Err(StoreError::damaged(
                format!("persea.sqlite, table model_tensors, {}", tensor.name),
                format!("{} × {} numbers cannot be in it", tensor.rows, tensor.cols),
            ));
        }
    }
    Ok(tensors)
}

/// How many rows of a tensor make a piece: a power of two, so that pieces end with coarse bins
/// more often than not, of at most [`CHUNK_BYTES`].
pub(crate) fn rows_per_chunk(cols: u64, precision: Precision) -> u64 {
    let row_bytes = (cols as usize * precision.bytes()).max(1);
    let most = (CHUNK_BYTES / row_bytes).max(1);
    1 << most.ilog2()
}

/// The numbers as they are stored, little-endian. `Err` gives the place of one that cannot be.
pub(crate) fn encode(values: &[f32], precision: Precision) -> Result<Vec<u8>, usize> {
    let fits = |v: &f32| match precision {
        Precision::F32 => v.is_finite(),
        Precision::F16 => f16::from_f32(*v).is_finite(),
    };
    if let Some(i) = values.iter().position(|v| !fits(v)) {
        return Err(i);
    }
    let mut bytes = vec![0; values.len() * precision.bytes()];
    match precision {
        Precision::F32 => {
            for (four, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                *four = value.to_le_bytes();
            }
        }
        Precision::F16 => {
            for (two, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                *two = f16::from_f32(*value).to_le_bytes();
            }
        }
    }
    Ok(bytes)
}

/// Numbers of a piece, from the `first`-th on, as many as `out` holds.
fn decode(data: &[u8], first: usize, out: &mut [f32], precision: Precision) {
    match precision {
        Precision::F32 => {
            let numbers = data.as_chunks::<4>().0.iter().skip(first);
            for (value, bytes) in out.iter_mut().zip(numbers) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        Precision::F16 => {
            let numbers = data.as_chunks::<2>().0.iter().skip(first);
            for (value, bytes) in out.iter_mut().zip(numbers) {
                *value = f16::from_le_bytes(*bytes).to_f32();
            }
        }
    }
}

/// The first 16 bytes of the BLAKE3.
pub(crate) fn checksum(data: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&blake3::hash(data).as_bytes()[..16]);
    first
}

/// Whether a piece of so many rows is what was written.
pub(crate) fn verify(
    data: &[u8],
    expected: &[u8],
    n_rows: u64,
    tensor: &TensorInfo,
) -> Result<(), &'static str> {
    if tensor.bytes_of_rows(n_rows) != Some(data.len() as u64) {
        return Err("it has not the length that its rows take");
    }
    match checksum(data) == expected {
        true => Ok(()),
        false => Err("its checksum does not match"),
    }
}

pub(crate) fn damaged_chunk(
    model: &Model,
    tensor: &TensorInfo,
    ordinal: i64,
    why: &str,
) -> StoreError {
    let why = format!("piece {ordinal}: {why}");
    damaged_tensor(model, tensor, &why)
}

fn damaged_tensor(model: &Model, tensor: &TensorInfo, why: &str) -> StoreError {
    let region = tensor
        .region
        .map_or(String::new(), |r| format!(" of region {r}"));
    StoreError::damaged(
        format!(
            "model {}, table model_chunks, tensor {}{region}",
            model.record.name, tensor.name
        ),
        format!("{why}; restore a backup or train the model again"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_real_factor_sizes_have_100_to_450_kb() {
        for precision in [Precision::F32, Precision::F16] {
            for cols in [5, 20, 25, 30, 32, 40, 45, 256, 2048] {
                let bytes =
                    rows_per_chunk(cols, precision) as usize * cols as usize * precision.bytes();
                assert!((100_000..=450_000).contains(&bytes), "{cols}: {bytes}");
            }
        }
        assert_eq!(rows_per_chunk(1_000_000, Precision::F32), 1);
    }

    #[test]
    fn numbers_that_a_precision_cannot_hold_are_refused() {
        assert_eq!(encode(&[1.0, f32::NAN], Precision::F32), Err(1));
        assert_eq!(encode(&[70_000.0], Precision::F16), Err(0));
        assert_eq!(encode(&[70_000.0], Precision::F32).unwrap().len(), 4);
    }
}
