//! What a user brings: a matrix of similarities, a table of expression, costs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::SelectionError;
use super::references::reference;
use super::similarity::SimilarityMatrix;
use crate::files::Table;
use crate::formats::read_matrix;

/// A matrix of similarities with the names of its items.
pub struct NamedMatrix {
    /// The items.
    pub names: Vec<String>,
    /// How alike they are.
    pub matrix: SimilarityMatrix,
    /// BLAKE3 of the file, in hexadecimal.
    pub checksum: String,
}

/// Numbers of named items: a row an item.
pub struct NamedProfiles {
    /// The items.
    pub names: Vec<String>,
    /// How many numbers an item has.
    pub width: usize,
    /// `[items, width]`.
    pub values: Vec<f32>,
    /// BLAKE3 of the file, in hexadecimal.
    pub checksum: String,
    /// What the file has beside items, and what it is: references that are no biosamples.
    pub left_out: Vec<(String, &'static str)>,
}

/// A table whose header and first column are names.
fn text(path: &Path) -> crate::Result<Table> {
    let table = Table::read_or_bed(path)?;
    if table.columns().is_none() {
        return Err(SelectionError::line(path, 1, "it has no header with names").into());
    }
    table.check_header()?;
    table.check_names(&[0])?;
    Ok(table)
}

fn number(path: &Path, line: u64, text: &str) -> Result<f64, SelectionError> {
    let parsed = text.parse::<f64>();
    parsed.map_err(|_| SelectionError::line(path, line, format!("`{text}` is not a number")))
}

/// Names must not stand twice.
fn unique(path: &Path, names: &[String]) -> Result<(), SelectionError> {
    let mut seen = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if seen.insert(name, i).is_some() {
            return Err(SelectionError::file(path, format!("it has {name} twice")));
        }
    }
    Ok(())
}

/// Reads a symmetric matrix of similarities: CSV or TSV with the items' names as header and as first
/// column, in one order; or `.npy`, `.npz`, Parquet with a row and a column for each of `items`, in
/// their order.
///
/// # Errors
/// When the file is of another shape, a name stands twice, or the numbers are no similarities
/// ([`SimilarityMatrix::new`]).
pub fn read_similarities(path: &Path, items: &[String]) -> crate::Result<NamedMatrix> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if matches!(extension.as_deref(), Some("npy" | "npz" | "parquet")) {
        let numbers = read_matrix(path, &|n_rows, n_columns| {
            if (n_rows, n_columns) == (items.len(), items.len()) {
                return Ok(());
            }
            Err(format!(
                "it has {n_rows} rows and {n_columns} columns, and there are {} items: it needs \
                 one of each for each of {}",
                items.len(),
                items.join(", ")
            ))
        })?;
        let values = numbers.values.iter().map(|v| *v as f32).collect();
        let matrix = checked(path, items.to_vec(), values)?;
        return Ok(NamedMatrix {
            names: items.to_vec(),
            matrix,
            checksum: numbers.checksum,
        });
    }
    let table = text(path)?;
    let names: Vec<String> = match table.header.len() {
        // With or without something above the column of names.
        n if n == table.rows.len() => table.header.clone(),
        _ => table.header.iter().skip(1).cloned().collect(),
    };
    unique(path, &names)?;
    if names.len() != table.rows.len() {
        let why = format!(
            "it has {} columns and {} rows; a matrix of similarities has as many of each",
            names.len(),
            table.rows.len()
        );
        return Err(SelectionError::file(path, why).into());
    }
    let mut values = Vec::with_capacity(names.len() * names.len());
    for ((line, fields), name) in table.rows.iter().zip(&names) {
        if fields.first() != Some(name) {
            let found = fields.first().map_or("", String::as_str);
            let why = format!("the row is called `{found}`, and the column in its place {name}");
            return Err(SelectionError::line(path, *line, why).into());
        }
        if fields.len() != names.len() + 1 {
            let why = format!(
                "it has {} numbers instead of {}",
                fields.len() - 1,
                names.len()
            );
            return Err(SelectionError::line(path, *line, why).into());
        }
        for field in &fields[1..] {
            values.push(number(path, *line, field)? as f32);
        }
    }
    let matrix = checked(path, names.clone(), values)?;
    Ok(NamedMatrix {
        names,
        matrix,
        checksum: table.checksum,
    })
}

fn checked(
    path: &Path,
    names: Vec<String>,
    values: Vec<f32>,
) -> Result<SimilarityMatrix, SelectionError> {
    let matrix = SimilarityMatrix::new(names.len(), values, &|i| names[i].clone());
    matrix.map_err(|e| SelectionError::file(path, e.to_string()))
}

/// Reads a table of expression, genes × biosamples (a header with the biosamples' names after the
/// column of genes), as log2(1 + x): a row a biosample. References that are no biosamples (E000 of
/// Roadmap's tables) are left out.
///
/// # Errors
/// When a field is not a number, negative, or a row is short.
pub fn read_expression(path: &Path) -> crate::Result<NamedProfiles> {
    let table = text(path)?;
    let names: Vec<String> = table.header.iter().skip(1).cloned().collect();
    unique(path, &names)?;
    if names.is_empty() {
        let why = "it has no column after that of the genes";
        return Err(SelectionError::line(path, table.header_line, why).into());
    }
    let width = table.rows.len();
    let mut values = vec![0f32; names.len() * width];
    for (gene, (line, fields)) in table.rows.iter().enumerate() {
        if fields.len() != names.len() + 1 {
            let why = format!(
                "it has {} numbers instead of {}",
                fields.len().saturating_sub(1),
                names.len()
            );
            return Err(SelectionError::line(path, *line, why).into());
        }
        for (i, field) in fields[1..].iter().enumerate() {
            let x = number(path, *line, field)?;
            if !x.is_finite() || x < 0.0 {
                let why = format!("`{field}` is not an expression: it must be 0 or more");
                return Err(SelectionError::line(path, *line, why).into());
            }
            values[i * width + gene] = (1.0 + x).log2() as f32;
        }
    }
    let is_kept: Vec<bool> = names.iter().map(|n| reference(n).is_none()).collect();
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for name in names {
        match reference(&name) {
            Some(what) => left_out.push((name, what)),
            None => kept.push(name),
        }
    }
    let rows = values.chunks_exact(width.max(1)).zip(&is_kept);
    let values = (rows.filter(|(_, kept)| **kept))
        .flat_map(|(row, _)| row.to_vec())
        .collect();
    Ok(NamedProfiles {
        names: kept,
        width,
        values,
        checksum: table.checksum,
        left_out,
    })
}

/// Reads costs: a table with the column `cost` and the item's name in the column before it all, or of experiments in
/// the columns `biosample` and `assay` (an item is `BIOSAMPLE:ASSAY` then).
///
/// # Errors
/// When there is no such column, a cost is negative or not a number, or a name stands twice.
pub fn read_costs(path: &Path) -> crate::Result<BTreeMap<String, f64>> {
    let table = text(path)?;
    let column = |name: &str| table.header.iter().position(|h| h == name);
    let Some(cost) = column("cost") else {
        let why = format!(
            "there is no column `cost`; it has {}",
            table.header.join(", ")
        );
        return Err(SelectionError::line(path, table.header_line, why).into());
    };
    let pair = column("biosample").zip(column("assay"));
    table.check_names(&pair.map_or(vec![0], |(b, a)| vec![b, a]))?;
    let mut costs = BTreeMap::new();
    for (line, fields) in &table.rows {
        let field = |i: usize| fields.get(i).map_or("", String::as_str);
        let name = match pair {
            Some((b, a)) => format!("{}:{}", field(b), field(a)),
            None => field(0).to_string(),
        };
        let value = number(path, *line, field(cost))?;
        if !value.is_finite() || value < 0.0 {
            let why = format!("the cost of {name} is {value}; it must be 0 or more");
            return Err(SelectionError::line(path, *line, why).into());
        }
        if costs.insert(name.clone(), value).is_some() {
            return Err(SelectionError::line(path, *line, format!("{name} stands twice")).into());
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tsv");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_matrix_is_read_by_its_names_and_what_is_none_is_refused_with_the_place() {
        let (_folder, path) = file("name\ta\tb\na\t1\t0.5\nb\t0.5\t1\n");
        let read = read_similarities(&path, &[]).unwrap();
        assert_eq!(read.names, ["a", "b"]);
        assert_eq!(read.matrix.get(0, 1), 0.5);
        for (text, why) in [
            (
                "name\ta\tb\na\t1\t0.5\nb\t0.25\t1\n",
                "not symmetric: b and a",
            ),
            ("name\ta\tb\na\t1\tnan\nb\tnan\t1\n", "not a finite number"),
            (
                "name\ta\tb\na\t1\t-0.5\nb\t-0.5\t1\n",
                "must not be negative",
            ),
            (
                "name\ta\tb\na\t1\tx\nb\t0.5\t1\n",
                "line 2: `x` is not a number",
            ),
            (
                "name\ta\tb\nb\t1\t0.5\na\t0.5\t1\n",
                "line 2: the row is called `b`",
            ),
            ("name\ta\tb\na\t1\t0.5\n", "2 columns and 1 rows"),
            ("name\ta\ta\na\t1\t0.5\na\t0.5\t1\n", "it has a twice"),
            (
                "name\ta\tb\na\t1\nb\t0.5\t1\n",
                "line 2: it has 1 numbers instead of 2",
            ),
        ] {
            let (_folder, path) = file(text);
            let message = read_similarities(&path, &[]).err().unwrap().to_string();
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn expression_is_read_as_logarithms_a_row_a_biosample() {
        let (_folder, path) = file("gene_id\tE1\tE2\nG1\t1\t3\nG2\t0\t7\t\n");
        let read = read_expression(&path).unwrap();
        assert_eq!((read.names.len(), read.width), (2, 2));
        assert_eq!(read.values, [1.0, 0.0, 2.0, 3.0]);
        let (_folder, path) = file("gene_id\tE1\tE2\nG1\t1\t-3\n");
        let message = read_expression(&path).err().unwrap().to_string();
        assert!(
            message.contains("line 2") && message.contains("0 or more"),
            "{message}"
        );
    }

    #[test]
    fn a_reference_among_biosamples_is_left_out_with_its_numbers() {
        let (_folder, path) = file("gene_id\tE1\tE000\tE2\nG1\t1\t15\t3\nG2\t0\t31\t7\n");
        let read = read_expression(&path).unwrap();
        assert_eq!(read.names, ["E1", "E2"]);
        assert_eq!(read.values, [1.0, 0.0, 2.0, 3.0]);
        assert_eq!(read.left_out[0].0, "E000");
    }

    #[test]
    fn costs_that_are_negative_missing_or_twice_are_refused_with_the_line() {
        let (_folder, path) = file("biosample\tassay\tcost\nb\ta\t2.5\n");
        assert_eq!(read_costs(&path).unwrap()["b:a"], 2.5);
        for (text, why) in [
            ("name\tcost\na\t-1\n", "line 2: the cost of a is -1"),
            ("name\tcost\na\t\n", "line 2: `` is not a number"),
            ("name\tprice\na\t1\n", "no column `cost`"),
            ("name\tcost\na\t1\na\t2\n", "line 3: a stands twice"),
        ] {
            let (_folder, path) = file(text);
            let message = read_costs(&path).err().unwrap().to_string();
            assert!(message.contains(why), "{message}");
        }
    }
}
