//! A Zarr v3 group, for Python's zarr and xarray: the numbers as one array, `[row, column]`, an array for
//! each label column, `[row]`, and what is known of the columns, `[column]`. Facts are the group's
//! attributes. A chunk holds a block of rows with all of their columns.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use zarrs::array::codec::{Crc32cCodec, ZstdCodec};
use zarrs::array::{Array, ArrayBuilder, DataType, FillValue, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

use super::{LabelKind, Labels, TableShape, TableSource, block_rows, blocks, each_block};
use crate::cube::sync_below;
use persea_files::{FileError, UnfinishedFolder};

pub(super) fn write<E: From<FileError>>(
    path: &Path,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let other = |e: &dyn std::fmt::Display| failed(io::Error::other(e.to_string()));
    if path.exists() {
        let why = "is there already; remove it or choose another name";
        return Err(FileError::file(path.display(), why).into());
    }
    let shape = source.shape();
    let output = UnfinishedFolder::begin_in(persea_files::folder(path)).map_err(failed)?;
    let group = Group::create(output.path(), shape).map_err(|e| other(&e))?;
    let step = block_rows(shape);
    let n_columns = shape.numbers.len() as u64;
    let numbers = group
        .array(
            shape.array,
            &[shape.n_rows, n_columns],
            &[step, n_columns.max(1)],
            data_type::float32(),
            f32::NAN.into(),
            &[group.row, group.column],
        )
        .map_err(|e| other(&e))?;
    each_block(source, |rows, values| {
        // The last chunk is as large as the others.
        let mut block = values.to_vec();
        block.resize((step * n_columns) as usize, f32::NAN);
        numbers
            .store_chunk(&[rows.start / step, 0], block.as_slice())
            .map_err(|e| other(&e))?;
        progress(rows.end);
        Ok::<(), E>(())
    })?;
    let columns = std::iter::once((group.column, &shape.numbers));
    let about = shape.about_columns.iter();
    for (name, texts) in columns.chain(about.map(|(name, texts)| (name.as_str(), texts))) {
        let sizes = [n_columns.max(1)];
        let array = group
            .texts(name, &[n_columns], &sizes, group.column)
            .map_err(|e| other(&e))?;
        array
            .store_chunk(&[0], texts.as_slice())
            .map_err(|e| other(&e))?;
    }
    for (column, (name, kind)) in shape.labels.iter().enumerate() {
        let (sizes, chunk) = ([shape.n_rows], [step]);
        let array = match kind {
            LabelKind::Text(_) => group.texts(name, &sizes, &chunk, group.row),
            LabelKind::Integer => group.array(
                name,
                &sizes,
                &chunk,
                data_type::int64(),
                0i64.into(),
                &[group.row],
            ),
        };
        let array = array.map_err(|e| other(&e))?;
        for rows in blocks(shape) {
            let place = [rows.start / step];
            match source.labels(column, rows)? {
                Labels::Text(mut texts) => {
                    texts.resize(step as usize, String::new());
                    array.store_chunk(&place, texts.as_slice())
                }
                Labels::Integer(mut numbers) => {
                    numbers.resize(step as usize, 0);
                    array.store_chunk(&place, numbers.as_slice())
                }
            }
            .map_err(|e| other(&e))?;
        }
    }
    sync_below(output.path()).map_err(failed)?;
    output.rename(path).map_err(failed)?;
    Ok(())
}

/// The group, and what its dimensions are called.
struct Group {
    store: Arc<FilesystemStore>,
    row: &'static str,
    column: &'static str,
}

type Failure = Box<dyn std::error::Error>;

impl Group {
    fn create(folder: &Path, shape: &TableShape) -> Result<Self, Failure> {
        let store = Arc::new(FilesystemStore::new(folder)?);
        let facts = shape.facts.iter();
        let mut attributes: Map<String, Value> = facts
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        if let Some(columns) = shape.columns_json() {
            attributes.insert("columns".into(), columns);
        }
        GroupBuilder::new()
            .attributes(attributes)
            .build(store.clone(), "/")?
            .store_metadata()?;
        let (row, column) = match shape.array {
            "signal" => ("bin", "experiment"),
            _ => ("row", "column"),
        };
        Ok(Group { store, row, column })
    }

    fn array(
        &self,
        name: &str,
        sizes: &[u64],
        chunk: &[u64],
        kind: DataType,
        fill: FillValue,
        dimensions: &[&str],
    ) -> Result<Array<FilesystemStore>, Failure> {
        let array = ArrayBuilder::new(sizes.to_vec(), chunk.to_vec(), kind, fill)
            .bytes_to_bytes_codecs(vec![
                Arc::new(ZstdCodec::new(2, false)),
                Arc::new(Crc32cCodec::new()),
            ])
            .dimension_names(Some(dimensions.iter().copied()))
            .build(self.store.clone(), &format!("/{name}"))?;
        array.store_metadata()?;
        Ok(array)
    }

    fn texts(
        &self,
        name: &str,
        sizes: &[u64],
        chunk: &[u64],
        dimension: &str,
    ) -> Result<Array<FilesystemStore>, Failure> {
        let kind = data_type::string();
        self.array(name, sizes, chunk, kind, "".into(), &[dimension])
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::{TableFormat, write_table};
    use super::*;

    struct Numbered(TableShape);

    impl TableSource<FileError> for Numbered {
        fn shape(&self) -> &TableShape {
            &self.0
        }

        fn labels(&self, column: usize, rows: Range<u64>) -> Result<Labels, FileError> {
            Ok(match column {
                0 => Labels::Text(rows.map(|row| format!("r{row}")).collect()),
                _ => Labels::Integer(rows.map(|row| row as i64 * 25).collect()),
            })
        }

        fn names(&self, rows: Range<u64>) -> Result<Vec<String>, FileError> {
            Ok(rows.map(|row| row.to_string()).collect())
        }

        fn name_bytes(&self) -> u32 {
            8
        }

        fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> Result<(), FileError> {
            for (row, out) in rows.zip(out.chunks_exact_mut(2)) {
                out.copy_from_slice(&[row as f32, -(row as f32)]);
            }
            Ok(())
        }
    }

    fn table(n_rows: u64) -> Numbered {
        Numbered(TableShape {
            n_rows,
            labels: vec![
                ("chrom".into(), LabelKind::Text(9)),
                ("start".into(), LabelKind::Integer),
            ],
            numbers: vec!["X1.a".into(), "b".into()],
            array: "signal",
            about_columns: vec![("biosample".into(), vec!["1".into(), "é".into()])],
            facts: vec![("assembly".into(), "toy".into())],
        })
    }

    fn part(rows: Range<u64>) -> [Range<u64>; 1] {
        [rows]
    }

    #[test]
    fn a_table_of_several_blocks_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zarr");
        let n_rows = (1 << 16) + 3;
        let write = |n| write_table::<FileError>(&path, TableFormat::Zarr, &table(n), &mut |_| {});
        write(n_rows).unwrap();
        let store = Arc::new(FilesystemStore::new(&path).unwrap());
        let open = |name: &str| Array::open(store.clone(), name).unwrap();
        let signal = open("/signal");
        assert_eq!(signal.shape(), [n_rows, 2]);
        let last: Vec<f32> = (signal)
            .retrieve_array_subset(&[n_rows - 4..n_rows, 0..2])
            .unwrap();
        let expected = [65535.0, 65536.0, 65537.0, 65538.0].map(|row: f32| [row, -row]);
        assert_eq!(last, expected.concat());
        let chrom: Vec<String> = (open("/chrom"))
            .retrieve_array_subset(&part(n_rows - 1..n_rows))
            .unwrap();
        assert_eq!(chrom, ["r65538"]);
        let start: Vec<i64> = open("/start").retrieve_array_subset(&part(1..3)).unwrap();
        assert_eq!(start, [25, 50]);
        let columns: Vec<String> = open("/experiment")
            .retrieve_array_subset(&part(0..2))
            .unwrap();
        assert_eq!(columns, ["X1.a", "b"]);
        let biosamples: Vec<String> = open("/biosample")
            .retrieve_array_subset(&part(0..2))
            .unwrap();
        assert_eq!(biosamples, ["1", "é"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let message = write(1).unwrap_err().to_string();
        assert!(message.contains("is there already"), "{message}");
    }
}
