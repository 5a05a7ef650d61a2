//! Matrices that a user brings, row by row: `.npy`, `.npz`, Parquet, or a table of text.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Column, Features};
use crate::files::Table;
use crate::formats::read_matrix;
use crate::tasks::TaskError;
use crate::tasks::import::is_role;

/// A matrix by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixSource {
    /// What feature sets call it (`published:NAME`); empty: `published`.
    #[serde(default)]
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Columns to leave out, of a file that names its columns.
    #[serde(default)]
    pub drop: Vec<String>,
}

/// A matrix that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct UserMatrix {
    /// What feature sets call it.
    pub name: String,
    /// Rows.
    pub n_rows: usize,
    /// The columns' names.
    pub columns: Vec<String>,
    /// `[n_rows, columns.len()]`, NaN where missing.
    pub values: Vec<f32>,
    /// BLAKE3 of the file, in hexadecimal.
    pub checksum: String,
}

impl UserMatrix {
    /// Reads a matrix. Of a table of text (CSV or TSV with a header), the columns that hold
    /// numbers and are neither coordinates, names nor labels.
    ///
    /// # Errors
    /// When the file cannot be read, or no column is left.
    pub fn read(source: &MatrixSource) -> crate::Result<Self> {
        let path = &source.path;
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let mut matrix = match extension.as_deref() {
            Some("npy" | "npz" | "parquet") => array(path)?,
            _ => text(path)?,
        };
        matrix.name = source.name.clone();
        for name in &source.drop {
            let near =
                || crate::store::nearest_names(name, matrix.columns.iter().map(String::as_str), 3);
            let Some(place) = matrix.columns.iter().position(|c| c == name) else {
                return Err(TaskError::file(
                    path,
                    format!(
                        "it has no column `{name}` to drop; nearest: {}",
                        near().join(", ")
                    ),
                )
                .into());
            };
            let width = matrix.columns.len();
            let mut at = 0;
            matrix.values.retain(|_| {
                at += 1;
                (at - 1) % width != place
            });
            matrix.columns.remove(place);
        }
        if matrix.columns.is_empty() {
            return Err(TaskError::file(path, "no column of numbers is left").into());
        }
        Ok(matrix)
    }

    /// The rows of some examples (their places in the task).
    pub(crate) fn features(&self, examples: &[u32]) -> Features {
        let group = match self.name.is_empty() {
            true => "published".to_string(),
            false => format!("published:{}", self.name),
        };
        let width = self.columns.len();
        let columns = self.columns.iter().map(|name| Column {
            name: name.clone(),
            group: format!("{group} {name}"),
        });
        let rows = examples.iter().flat_map(|e| {
            let at = *e as usize * width;
            &self.values[at..at + width]
        });
        Features {
            columns: columns.collect(),
            values: rows.copied().collect(),
            reduce_to: None,
            counted: None,
        }
    }
}

fn array(path: &Path) -> crate::Result<UserMatrix> {
    let matrix = read_matrix(path, &|_, _| Ok(()))?;
    let numbered = || {
        (0..matrix.n_columns)
            .map(|i| format!("column {}", i + 1))
            .collect()
    };
    Ok(UserMatrix {
        name: String::new(),
        n_rows: matrix.n_rows,
        columns: matrix.names.clone().unwrap_or_else(numbered),
        values: matrix.values.iter().map(|v| *v as f32).collect(),
        checksum: matrix.checksum,
    })
}

fn text(path: &Path) -> crate::Result<UserMatrix> {
    let table = Table::read_or_bed(path)?;
    let Some(header) = table.columns() else {
        return Err(TaskError::file(path, "a matrix of text needs a header").into());
    };
    table.check_header()?;
    let parse = |text: &str| match text {
        "" | "NA" | "nan" | "NaN" => Some(f32::NAN),
        // What is not a number makes its column one of text, which is left out below.
        text => text.parse::<f32>().ok(),
    };
    let field = |row: &[String], i: usize| parse(row.get(i).map_or("", String::as_str));
    let places: Vec<usize> = (0..header.len())
        .filter(|i| !is_role(&header[*i]) && !header[*i].is_empty())
        .filter(|i| table.rows.iter().all(|(_, row)| field(row, *i).is_some()))
        .collect();
    let rows = table.rows.iter();
    let values =
        rows.flat_map(|(_, row)| places.iter().map(|i| field(row, *i).unwrap_or(f32::NAN)));
    Ok(UserMatrix {
        name: String::new(),
        n_rows: table.rows.len(),
        values: values.collect(),
        columns: places.iter().map(|i| header[*i].clone()).collect(),
        checksum: table.checksum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_text_gives_its_numbers_without_names_places_and_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let text =
            "enhancer_name,label,CTCF (enhancer),note,distance\nE1,1,0.5,x,10\nE2,0,NA,y,20\n";
        std::fs::write(&path, text).unwrap();
        let mut source = MatrixSource {
            name: "own".into(),
            path,
            drop: vec![],
        };
        let matrix = UserMatrix::read(&source).unwrap();
        assert_eq!(matrix.columns, ["CTCF (enhancer)", "distance"]);
        assert_eq!(
            (matrix.n_rows, matrix.values[0], matrix.values[3]),
            (2, 0.5, 20.0)
        );
        assert!(matrix.values[2].is_nan());
        let features = matrix.features(&[1]);
        assert_eq!((features.n_rows(), features.row(0)[1]), (1, 20.0));
        source.drop = vec!["distance".into()];
        let dropped = UserMatrix::read(&source).unwrap();
        assert_eq!((dropped.columns.len(), dropped.values[0]), (1, 0.5));
        source.drop = vec!["distanse".into()];
        let message = UserMatrix::read(&source).unwrap_err().to_string();
        assert!(message.contains("nearest: distance"), "{message}");
    }
}
