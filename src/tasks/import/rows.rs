//! Labels as a NumPy array: one a row of somebody's matrix, with no place on the genome.

use std::path::Path;

use super::builder::Builder;
use super::{ImportOptions, Notes, biosample_of_file};
use crate::formats::read_matrix;
use crate::store::Example;
use crate::tasks::TaskError;

/// Reads an array of one dimension; its file's checksum.
pub(super) fn read(
    path: &Path,
    options: &ImportOptions,
    builder: &mut Builder,
    notes: &mut Notes,
) -> crate::Result<String> {
    let matrix = read_matrix(path, &|_, n_columns| match n_columns {
        1 => Ok(()),
        n => Err(format!(
            "it has {n} columns; labels are an array of one dimension"
        )),
    })?;
    let n = options.rows.unwrap_or(matrix.n_rows);
    if n == 0 || n > matrix.n_rows {
        return Err(TaskError::file(
            path,
            format!(
                "it has {} rows, of which option `rows` asks for {n}",
                matrix.n_rows
            ),
        )
        .into());
    }
    let biosample = match &options.biosample {
        Some(biosample) => biosample.clone(),
        None => biosample_of_file(path, options, notes)?,
    };
    let unit = options.unit.clone().unwrap_or_else(|| "label".into());
    let column = builder.column(&biosample, &unit)?;
    for (i, value) in matrix.values[..n].iter().enumerate() {
        let example = builder.example(Example {
            name: format!("row {}", i + 1),
            ..Example::default()
        });
        builder.label(column, example, *value, path, i as u64 + 1)?;
    }
    Ok(matrix.checksum)
}
