//! Labels as they stand in tables.

use std::path::Path;

use super::{LabelColumns, is_role};
use crate::files::Table;
use crate::tasks::TaskError;

/// Reads a table of labels: CSV or TSV with a header, or BED without one.
pub(super) fn read(path: &Path, columns: &LabelColumns) -> Result<Table, TaskError> {
    let table = Table::read_or_bed(path)?;
    if table.rows.is_empty() {
        return Err(TaskError::file(path, "it has a header and no labels"));
    }
    table.check_header()?;
    let is_name = |i: &usize| is_role(&table.header[*i]) || columns.maps(&table.header[*i]);
    let names: Vec<usize> = (0..table.header.len()).filter(is_name).collect();
    table.check_names(&names)?;
    Ok(table)
}

/// A label: a number, or NaN for what stands for none.
pub(crate) fn label(text: &str) -> Result<f64, String> {
    match text {
        "" | "." | "NA" | "N/A" | "nan" | "NaN" | "null" | "None" => return Ok(f64::NAN),
        "true" | "True" | "TRUE" => return Ok(1.0),
        "false" | "False" | "FALSE" => return Ok(0.0),
        _ => {}
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!(
            "`{text}` is not a label; expected a number, or NA for none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_no_label_is_none_and_other_text_is_refused() {
        assert!(label("NA").unwrap().is_nan());
        assert_eq!(label("-0.5"), Ok(-0.5));
        assert_eq!(label("True"), Ok(1.0));
        assert!(label("yes").is_err());
        assert!(label("inf").is_err());
    }
}
