//! Tables of numbers with named rows and columns: factors, as npz, Parquet, TSV and h5ad.
//!
//! A writer asks its source for rows as it needs them, so that memory holds a block of rows however
//! long the table is.

mod h5ad;
mod npz;
mod parquet;
mod tsv;
mod zarr;

use std::ops::Range;
use std::path::Path;

use persea_files::FileError;
use serde_json::{Map, Value, json};

/// A format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// NumPy arrays: `factors`, `columns`, and one array a label column.
    Npz,
    /// Apache Parquet, zstd.
    Parquet,
    /// Tab-separated text with a header.
    Tsv,
    /// AnnData's HDF5: rows are `obs`, columns are `var`.
    H5ad,
    /// A Zarr v3 group: the numbers as one array, and an array a label column.
    Zarr,
}

impl TableShape {
    /// What the columns are as JSON, `[{"column": …, NAME: TEXT, …}, …]`; nothing where nothing is known
    /// of them.
    fn columns_json(&self) -> Option<Value> {
        let columns = self.numbers.iter().enumerate().map(|(i, column)| {
            let about = self.about_columns.iter();
            let mut object: Map<String, Value> = about
                .map(|(name, texts)| (name.clone(), json!(texts.get(i))))
                .collect();
            object.insert("column".into(), json!(column));
            Value::Object(object)
        });
        (!self.about_columns.is_empty()).then(|| columns.collect())
    }
}

impl TableFormat {
    const ALL: [TableFormat; 5] = [
        TableFormat::Npz,
        TableFormat::Parquet,
        TableFormat::Tsv,
        TableFormat::H5ad,
        TableFormat::Zarr,
    ];

    /// Its name, which is also the ending of its files.
    pub const fn name(self) -> &'static str {
        match self {
            TableFormat::Npz => "npz",
            TableFormat::Parquet => "parquet",
            TableFormat::Tsv => "tsv",
            TableFormat::H5ad => "h5ad",
            TableFormat::Zarr => "zarr",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format that a file's name tells.
    pub fn guess(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_lowercase();
        Self::from_name(&ending)
    }
}

/// What a label column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// Text of at most so many bytes.
    Text(u32),
    /// Whole numbers.
    Integer,
}

/// Labels of some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// Of a text column.
    Text(Vec<String>),
    /// Of a column of whole numbers.
    Integer(Vec<i64>),
}

/// What a table consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// How many rows.
    pub n_rows: u64,
    /// The columns that say what a row is.
    pub labels: Vec<(String, LabelKind)>,
    /// The columns of numbers.
    pub numbers: Vec<String>,
    /// What the numbers are called as one array, in formats that have arrays: `factors`, `signal`.
    pub array: &'static str,
    /// What each column of numbers is: a name, and a text a column. For formats that have room for them.
    pub about_columns: Vec<(String, Vec<String>)>,
    /// Facts about the table as a whole (where it comes from), for formats that have room for them.
    pub facts: Vec<(String, String)>,
}

/// Where a table's rows come from.
pub trait TableSource<E> {
    /// What the table consists of.
    fn shape(&self) -> &TableShape;

    /// Labels of some rows, of the label column of that place.
    ///
    /// # Errors
    /// When they cannot be read.
    fn labels(&self, column: usize, rows: Range<u64>) -> Result<Labels, E>;

    /// One name a row, unique in the table.
    ///
    /// # Errors
    /// When they cannot be read.
    fn names(&self, rows: Range<u64>) -> Result<Vec<String>, E>;

    /// Bytes of the longest name.
    fn name_bytes(&self) -> u32;

    /// Numbers of some rows, row-major, `[rows, columns]`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> Result<(), E>;
}

/// Writes a table as a whole or not at all; `progress` receives how many rows have been written.
///
/// # Errors
/// When the source fails or the file cannot be written.
pub fn write_table<E: From<FileError>>(
    path: &Path,
    format: TableFormat,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    match format {
        TableFormat::Npz => npz::write(path, source, progress),
        TableFormat::Parquet => parquet::write(path, source, progress),
        TableFormat::Tsv => tsv::write(path, source, progress),
        TableFormat::H5ad => h5ad::write(path, source, progress),
        TableFormat::Zarr => zarr::write(path, source, progress),
    }
}

/// Numbers of a block of rows at most: 4 MB.
const BLOCK_NUMBERS: u64 = 1 << 20;

/// Rows of a block; the last may have fewer.
fn block_rows(shape: &TableShape) -> u64 {
    (BLOCK_NUMBERS / (shape.numbers.len() as u64).max(1)).clamp(1, 1 << 16)
}

/// The rows of a table in blocks.
fn blocks(shape: &TableShape) -> impl Iterator<Item = Range<u64>> + use<> {
    let n_rows = shape.n_rows;
    let step = block_rows(shape);
    (0..n_rows.div_ceil(step)).map(move |i| i * step..((i + 1) * step).min(n_rows))
}

/// Calls `work` with the numbers of each block.
fn each_block<E>(
    source: &dyn TableSource<E>,
    mut work: impl FnMut(Range<u64>, &[f32]) -> Result<(), E>,
) -> Result<(), E> {
    let n_columns = source.shape().numbers.len();
    let mut numbers = Vec::new();
    for rows in blocks(source.shape()) {
        numbers.resize((rows.end - rows.start) as usize * n_columns, 0f32);
        source.numbers(rows.clone(), &mut numbers)?;
        work(rows, &numbers)?;
    }
    Ok(())
}
