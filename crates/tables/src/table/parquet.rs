//! Apache Parquet: a column a label and a column a factor, row group by row group.

use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use super::{LabelKind, Labels, TableSource, each_block};
use persea_files::FileError;
use persea_files::OutputFile;

pub(super) fn write<E: From<FileError>>(
    path: &Path,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    let failed = |e: ParquetError| FileError::write(path.display(), io::Error::other(e));
    let shape = source.shape();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(
            shape
                .facts
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .chain(
                    (shape.columns_json())
                        .map(|columns| KeyValue::new("columns".to_string(), columns.to_string())),
                )
                .collect(),
        ));
    // No two factors are equal: a dictionary of them is only in the way.
    for name in &shape.numbers {
        let column = ColumnPath::from(name.as_str());
        properties = properties.set_column_dictionary_enabled(column, false);
    }
    let columns = shape
        .labels
        .iter()
        .map(|(name, kind)| match kind {
            LabelKind::Text(_) => (name, Physical::BYTE_ARRAY, ConvertedType::UTF8),
            LabelKind::Integer => (name, Physical::INT64, ConvertedType::NONE),
        })
        .chain(
            shape
                .numbers
                .iter()
                .map(|name| (name, Physical::FLOAT, ConvertedType::NONE)),
        );
    let fields = columns
        .map(|(name, physical, converted)| {
            Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::REQUIRED)
                .with_converted_type(converted)
                .build()
                .map(Arc::new)
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let schema = Type::group_type_builder("persea")
        .with_fields(fields)
        .build()
        .map_err(failed)?;
    let out = BufWriter::with_capacity(1 << 18, Sendable(OutputFile::stream(path)?));
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))
        .map_err(failed)?;
    let n_columns = shape.numbers.len();
    each_block(source, |rows, numbers| {
        let mut group = writer.next_row_group().map_err(failed)?;
        for column in 0..shape.labels.len() + n_columns {
            let Some(mut out) = group.next_column().map_err(failed)? else {
                break;
            };
            let wrote = match column.checked_sub(shape.labels.len()) {
                None => match source.labels(column, rows.clone())? {
                    Labels::Text(texts) => {
                        let texts: Vec<ByteArray> =
                            texts.iter().map(|t| ByteArray::from(t.as_str())).collect();
                        out.typed::<ByteArrayType>().write_batch(&texts, None, None)
                    }
                    Labels::Integer(numbers) => {
                        out.typed::<Int64Type>().write_batch(&numbers, None, None)
                    }
                },
                Some(place) => {
                    let of_column: Vec<f32> = numbers
                        .iter()
                        .skip(place)
                        .step_by(n_columns)
                        .copied()
                        .collect();
                    out.typed::<FloatType>().write_batch(&of_column, None, None)
                }
            };
            wrote.map_err(failed)?;
            out.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        progress(rows.end);
        Ok(())
    })?;
    let out = writer.into_inner().map_err(failed)?;
    let output = out
        .into_inner()
        .map_err(|e| FileError::write(path.display(), e.into_error()))?;
    output.0.finish()?;
    Ok(())
}

/// A temporary file, as the Parquet writer needs it.
struct Sendable(OutputFile);

impl io::Write for Sendable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
