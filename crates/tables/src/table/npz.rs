//! NumPy arrays in an archive: `factors` or `signal`, `[rows, columns]`, as float32; `columns` (the names of
//! those) and what is known of each; and an array for each label column.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{LabelKind, Labels, TableSource, blocks, each_block};
use crate::keras::write_f32;
use persea_files::FileError;
use persea_files::{NpzWriter, OutputFile, Packing};
use persea_signal::npy_header;

pub(super) fn write<E: From<FileError>>(
    path: &Path,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let shape = source.shape();
    let out = BufWriter::with_capacity(1 << 18, OutputFile::create(path)?);
    let mut npz = NpzWriter::new(out);
    let n_columns = shape.numbers.len() as u64;
    let begin =
        |npz: &mut NpzWriter<BufWriter<OutputFile>>, name: &str, dtype: &str, sizes: &[u64]| {
            // Numbers hardly get smaller by what takes four times as long; `numpy.savez` stores them as
            // they are, too.
            let packing = match name {
                _ if name == shape.array => Packing::Stored,
                _ => Packing::Deflated,
            };
            npz.begin(name, packing)?;
            npz.write_all(&npy_header(dtype, sizes))
        };
    begin(&mut npz, shape.array, "<f4", &[shape.n_rows, n_columns]).map_err(failed)?;
    each_block(source, |rows, numbers| {
        write_f32(&mut npz, numbers).map_err(failed)?;
        progress(rows.end);
        Ok::<(), E>(())
    })?;
    let columns = std::iter::once(("columns", &shape.numbers));
    let about = shape.about_columns.iter();
    for (name, texts) in columns.chain(about.map(|(name, texts)| (name.as_str(), texts))) {
        let widest = texts.iter().map(|n| n.chars().count()).max();
        let width = widest.unwrap_or(0).max(1);
        begin(&mut npz, name, &format!("<U{width}"), &[n_columns]).map_err(failed)?;
        write_texts(&mut npz, texts, width).map_err(failed)?;
    }
    for (column, (name, kind)) in shape.labels.iter().enumerate() {
        // A text has no more characters than bytes.
        let (dtype, width) = match kind {
            LabelKind::Text(n) => (format!("<U{}", (*n).max(1)), (*n).max(1) as usize),
            LabelKind::Integer => ("<i8".to_string(), 0),
        };
        begin(&mut npz, name, &dtype, &[shape.n_rows]).map_err(failed)?;
        for rows in blocks(shape) {
            match source.labels(column, rows)? {
                Labels::Text(texts) => write_texts(&mut npz, &texts, width),
                Labels::Integer(numbers) => {
                    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
                    npz.write_all(&bytes)
                }
            }
            .map_err(failed)?;
        }
    }
    let out = npz.finish().map_err(failed)?;
    let output = out.into_inner().map_err(|e| failed(e.into_error()))?;
    output.finish()?;
    Ok(())
}

/// Texts as NumPy keeps them: UTF-32, padded with zeros.
fn write_texts(out: &mut dyn Write, texts: &[String], width: usize) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(texts.len() * width * 4);
    for text in texts {
        let mut n = 0;
        for c in text.chars().take(width) {
            bytes.extend(u32::from(c).to_le_bytes());
            n += 1;
        }
        bytes.resize(bytes.len() + (width - n) * 4, 0);
    }
    out.write_all(&bytes)
}
