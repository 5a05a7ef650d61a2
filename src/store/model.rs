//! A model as it is stored: its record and its tensors' names and shapes. The numbers are in
//! `tensors`.

use super::{ModelRecord, Precision, StoreError};

/// A stored model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// What is recorded of it.
    pub record: ModelRecord,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
    /// Whether it is the one used when none is named.
    pub is_default: bool,
    /// BLAKE3 over all tensors, in hexadecimal: equal for models with equal numbers.
    pub checksum: String,
    /// Its tensors, by name and region.
    pub tensors: Vec<TensorInfo>,
}

/// A tensor of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name (`dense_0.weight`, `genome_25bp`).
    pub name: String,
    /// The model's region that it belongs to (a place in
    /// [`ModelRecord::regions`](super::ModelRecord::regions)), if it is of one.
    pub region: Option<u32>,
    /// Rows.
    pub rows: u64,
    /// Numbers in a row.
    pub cols: u64,
    /// How the numbers are stored.
    pub precision: Precision,
    pub(crate) id: i64,
}

impl TensorInfo {
    /// What some rows take on the disk, if that is a number.
    pub(crate) fn bytes_of_rows(&self, n_rows: u64) -> Option<u64> {
        let row = self.cols.checked_mul(self.precision.bytes() as u64)?;
        n_rows.checked_mul(row)
    }
}

impl Model {
    /// The tensor of that name and region.
    ///
    /// # Errors
    /// When the model has none; the names it has are given.
    pub fn tensor(&self, name: &str, region: Option<u32>) -> Result<&TensorInfo, StoreError> {
        self.tensors
            .iter()
            .find(|tensor| tensor.name == name && tensor.region == region)
            .ok_or_else(|| {
                let mut names: Vec<&str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
                names.sort_unstable();
                names.dedup();
                let of_region = region.map_or(String::new(), |r| format!(" of region {r}"));
                StoreError::Unknown {
                    kind: "tensor",
                    name: format!("{name}{of_region} of model {}", self.record.name),
                    hint: format!("; it has {}", names.join(", ")),
                }
            })
    }
}
