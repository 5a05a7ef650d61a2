//! AnnData's HDF5 (its on-disk format, version 0.1.0): `X` holds the factors, `obs` says what the rows
//! are and `var` names the columns.
//!
//! Texts are of fixed length, which AnnData and h5py read as they do those of variable length, so that
//! a table of any length can be written as a stream.

use std::io::{self, Write};
use std::path::Path;

use super::{LabelKind, Labels, TableShape, TableSource, blocks, each_block};
use crate::hdf5::{Array, Attribute, Group, Kind, write_hdf5};
use crate::keras::write_f32;
use persea_files::FileError;

/// The column that names the rows of a data frame.
const INDEX: &str = "_index";

pub(super) fn write<E: From<FileError>>(
    path: &Path,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let shape = source.shape();
    let root = layout(shape, source.name_bytes());
    let columns: Vec<&str> = shape.labels.iter().map(|(name, _)| name.as_str()).collect();
    let unknown = |name: &str| {
        let why = format!("the layout has {name}, which the table lacks: a bug in Persea");
        FileError::file(path.display(), why)
    };
    write_hdf5(path, &root, &mut |name, array, out| {
        let width = array.kind.n_bytes() as usize;
        let texts =
            |out: &mut dyn Write, texts: &[String]| write_texts(out, texts, width).map_err(failed);
        match name.split_once('/') {
            None => each_block(source, |rows, numbers| {
                write_f32(out, numbers).map_err(failed)?;
                progress(rows.end);
                Ok(())
            })?,
            Some(("var", _)) => texts(out, &shape.numbers)?,
            Some(("uns", fact)) => {
                let value = shape.facts.iter().find(|(key, _)| key == fact);
                let (_, value) = value.ok_or_else(|| unknown(name))?;
                texts(out, std::slice::from_ref(value))?;
            }
            Some((_, INDEX)) => {
                for rows in blocks(shape) {
                    texts(out, &source.names(rows)?)?;
                }
            }
            Some((_, column)) => {
                let place = columns.iter().position(|c| safe(c) == column);
                let place = place.ok_or_else(|| unknown(name))?;
                for rows in blocks(shape) {
                    match source.labels(place, rows)? {
                        Labels::Text(labels) => texts(out, &labels)?,
                        Labels::Integer(numbers) => {
                            let bytes: Vec<u8> =
                                numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
                            out.write_all(&bytes).map_err(failed)?;
                        }
                    }
                }
            }
        }
        Ok(())
    })
}

/// The file without its numbers.
fn layout(shape: &TableShape, name_bytes: u32) -> Group {
    let widest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0).max(1) as u32;
    let array = |kind, sizes: Vec<u64>, encoding: &str, version: &str| Array {
        kind,
        shape: sizes,
        attributes: encoded(encoding, version),
    };
    let n_rows = shape.n_rows;
    let mut root = Group {
        attributes: encoded("anndata", "0.1.0"),
        ..Group::default()
    };
    let sizes = vec![n_rows, shape.numbers.len() as u64];
    root.put("X", array(Kind::F32, sizes, "array", "0.2.0"));
    let obs = root.group("obs");
    frame(
        obs,
        shape.labels.iter().map(|(name, _)| safe(name)).collect(),
    );
    let names = Kind::Text(name_bytes.max(1));
    obs.put(INDEX, array(names, vec![n_rows], "string-array", "0.2.0"));
    for (name, kind) in &shape.labels {
        let (kind, encoding) = match kind {
            LabelKind::Text(n) => (Kind::Text((*n).max(1)), "string-array"),
            LabelKind::Integer => (Kind::I64, "array"),
        };
        obs.put(&safe(name), array(kind, vec![n_rows], encoding, "0.2.0"));
    }
    let var = root.group("var");
    frame(var, Vec::new());
    let names = Kind::Text(widest(&shape.numbers));
    let n_columns = shape.numbers.len() as u64;
    var.put(
        INDEX,
        array(names, vec![n_columns], "string-array", "0.2.0"),
    );
    for empty in ["obsm", "varm", "obsp", "varp", "layers"] {
        root.group(empty).attributes = encoded("dict", "0.1.0");
    }
    let uns = root.group("uns");
    uns.attributes = encoded("dict", "0.1.0");
    for (key, value) in &shape.facts {
        let kind = Kind::Text((value.len() as u32).max(1));
        uns.put(key, array(kind, vec![], "string", "0.2.0"));
    }
    root
}

fn frame(group: &mut Group, columns: Vec<String>) {
    group.attributes = encoded("dataframe", "0.2.0");
    group
        .attributes
        .push((INDEX, Attribute::Text(INDEX.to_string())));
    group
        .attributes
        .push(("column-order", Attribute::Texts(columns)));
}

/// A name as HDF5 allows one: a slash would be a path.
fn safe(name: &str) -> String {
    name.replace('/', "|")
}

fn encoded(encoding: &str, version: &str) -> Vec<(&'static str, Attribute)> {
    vec![
        ("encoding-type", Attribute::Text(encoding.to_string())),
        ("encoding-version", Attribute::Text(version.to_string())),
    ]
}

fn write_texts(out: &mut dyn Write, texts: &[String], width: usize) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(texts.len() * width);
    for text in texts {
        bytes.extend(&text.as_bytes()[..text.len().min(width)]);
        bytes.resize(bytes.len() + width - text.len().min(width), 0);
    }
    out.write_all(&bytes)
}
