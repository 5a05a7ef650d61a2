//! Tables of text with a header: CSV or TSV.

use std::path::Path;

use super::CompendiumError;

/// A table as it stands in its file.
#[derive(Debug)]
pub(crate) struct Table {
    /// The columns' names, without blanks around them.
    pub(crate) header: Vec<String>,
    /// Each row's line (from 1) and fields, without blanks around them. Blank rows are left out.
    pub(crate) rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Reads a table; tab or comma is told by the header and, where that has both, by the file's
    /// name.
    pub(crate) fn read(path: &Path) -> Result<Self, CompendiumError> {
        let bytes = std::fs::read(path).map_err(|source| CompendiumError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(path, bytes))
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                let line = e.position().map_or(0, csv::Position::line);
                let message = match e.kind() {
                    csv::ErrorKind::Utf8 { .. } => {
                        "it holds bytes that are no UTF-8 text; save the table as UTF-8".into()
                    }
                    _ => e.to_string(),
                };
                CompendiumError::line(path, line, message)
            })?;
            let line = record.position().map_or(0, |at| line_of(bytes, at));
            if record.iter().any(|field| !field.is_empty()) {
                lines.push((line, record.iter().map(str::to_string).collect()));
            }
        }
        let mut lines = lines.into_iter();
        let Some((_, header)) = lines.next() else {
            return Err(CompendiumError::file(
                path,
                "it is empty; expected a header and rows",
            ));
        };
        Ok(Table {
            header,
            rows: lines.collect(),
        })
    }
}

fn delimiter(path: &Path, bytes: &[u8]) -> u8 {
    let header = bytes.split(|b| *b == b'\n').next().unwrap_or(bytes);
    let is_csv = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    match (header.contains(&b'\t'), header.contains(&b',')) {
        (true, true) if is_csv => b',',
        (true, _) => b'\t',
        (false, true) => b',',
        (false, false) => b'\t',
    }
}

/// The line that a record begins in. The reader's own number is that of blank lines before it.
fn line_of(bytes: &[u8], at: &csv::Position) -> u64 {
    // A record after the last byte begins in no further line.
    let rest = bytes.get(at.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    at.line() + blank.filter(|b| **b == b'\n').count() as u64
}
