//! Results as a table for people, or JSON, TSV and CSV for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::ValueEnum;
use persea::files::no_formula;
use serde_json::{Map, Value};

/// Output format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    Table,
    /// One JSON value
    Json,
    /// Tab-separated, with a header
    Tsv,
    /// Comma-separated, with a header
    Csv,
}

/// Rows under named columns. Cells keep their type until they are printed.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Table {
            columns: columns.iter().map(|c| c.to_string()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. A missing cell is printed empty.
    pub fn row(&mut self, cells: Vec<Value>) {
        self.rows.push(cells);
    }

    /// Adds a column `label` behind that of biosamples, with the words that describe them, where one has such.
    pub fn label_biosamples(&mut self, labels: &BTreeMap<String, String>) {
        let Some(at) = self.columns.iter().position(|name| name == "biosample") else {
            return;
        };
        let label = |row: &Vec<Value>| {
            let name = row.get(at).and_then(Value::as_str);
            let label = name.and_then(|name| labels.get(name));
            label.map_or(Value::Null, |label| Value::from(label.as_str()))
        };
        let labels: Vec<Value> = self.rows.iter().map(label).collect();
        if labels.iter().all(Value::is_null) {
            return;
        }
        self.columns.insert(at + 1, "label".into());
        for (row, label) in self.rows.iter_mut().zip(labels) {
            row.insert((at + 1).min(row.len()), label);
        }
    }

    /// Prints to stdout in the requested format; in JSON a list of objects.
    pub fn print(&self, format: Format) -> io::Result<()> {
        let out = super::host::output;
        match format {
            Format::Json => {
                let rows: Vec<Value> = self.rows.iter().map(|row| self.object(row)).collect();
                print_json(&rows)
            }
            Format::Table => self.write_aligned(&mut out()),
            Format::Tsv => self.write_separated(&mut out(), b'\t'),
            Format::Csv => self.write_separated(&mut out(), b','),
        }
    }

    /// The table as it is written to a TSV file.
    pub fn to_tsv(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.write_separated(&mut text, b'\t')?;
        Ok(text)
    }

    fn object(&self, row: &[Value]) -> Value {
        let pairs = self.columns.iter().cloned().zip(row.iter().cloned());
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    fn write_separated(&self, out: &mut dyn Write, delimiter: u8) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(out);
        // A closed stdout must stay what it is: csv wraps it otherwise.
        let as_io = |e: csv::Error| match e.into_kind() {
            csv::ErrorKind::Io(e) => e,
            other => io::Error::other(format!("{other:?}")),
        };
        writer.write_record(&self.columns).map_err(as_io)?;
        for row in &self.rows {
            writer
                .write_record(row.iter().map(separated))
                .map_err(as_io)?;
        }
        writer.flush()
    }

    fn write_aligned(&self, out: &mut dyn Write) -> io::Result<()> {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|c| printable(&text(c, Some(4)))).collect())
            .collect();
        let width = |i: usize| {
            let widest = cells
                .iter()
                .filter_map(|row| row.get(i))
                .map(|c| c.chars().count())
                .max();
            widest.unwrap_or(0).max(self.columns[i].chars().count())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        // Numbers are read by their last digit.
        let right: Vec<bool> = (0..self.columns.len())
            .map(|i| {
                self.rows
                    .iter()
                    .all(|r| r.get(i).is_none_or(|c| c.is_number() || c.is_null()))
            })
            .collect();
        let mut line = |row: &[String]| {
            let padded: Vec<String> = (row.iter().enumerate())
                .map(|(i, cell)| match right[i] {
                    true => format!("{cell:>width$}", width = widths[i]),
                    false => format!("{cell:<width$}", width = widths[i]),
                })
                .collect();
            writeln!(out, "{}", padded.join("  ").trim_end())
        };
        line(&self.columns)?;
        for row in &cells {
            line(row)?;
        }
        Ok(())
    }
}

/// Prints a value as JSON to stdout.
///
/// # Errors
/// When stdout is closed; `println!` would panic.
pub fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    // JSON itself escapes the first 32; a terminal obeys some of the others.
    if text.contains(is_late_control) {
        let escaped = |c: char| match is_late_control(c) {
            true => format!("\\u{:04x}", u32::from(c)),
            false => c.to_string(),
        };
        text = text.chars().map(escaped).collect();
    }
    writeln!(super::host::output(), "{text}")
}

fn is_late_control(c: char) -> bool {
    c.is_control() && c >= '\u{7f}'
}

/// Prints a line to stdout.
///
/// # Errors
/// As [`print_json`].
pub fn print_line(line: impl std::fmt::Display) -> io::Result<()> {
    writeln!(super::host::output(), "{}", printable(&line.to_string()))
}

/// Text in which control characters, such as those that steer a terminal, are shown and not obeyed.
pub fn printable(text: &str) -> String {
    let shown = |c: char| match c.is_control() && c != '\n' && c != '\t' {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    match text.contains(char::is_control) {
        true => text.chars().map(shown).collect(),
        false => text.to_string(),
    }
}

/// A cell for TSV or CSV: control characters are shown, and no text is a formula to a spreadsheet.
pub fn separated(cell: &Value) -> String {
    match cell {
        Value::String(s) => no_formula(&printable(s)).into_owned(),
        other => text(other, None),
    }
}

/// A cell as text: numbers in full, or with the given number of decimals. A small number that these would
/// make 0 has two significant digits: `3.2e-6`.
fn text(cell: &Value, decimals: Option<usize>) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        Value::Number(n) => match (decimals, n.as_f64()) {
            (Some(d), Some(v)) if n.is_f64() => {
                let text = format!("{v:.d$}");
                match v != 0.0 && !text.contains(|c: char| ('1'..='9').contains(&c)) {
                    true => format!("{v:.1e}"),
                    false => text,
                }
            }
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}

/// A measure as a cell: empty (JSON null) when undefined.
pub fn measure(value: Option<f64>) -> Value {
    value
        .and_then(serde_json::Number::from_f64)
        .map_or(Value::Null, Value::Number)
}

/// 12,345,678.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_is_not_printed_as_zero() {
        let shown = |v: f64| text(&measure(Some(v)), Some(4));
        assert_eq!(shown(0.25), "0.2500");
        assert_eq!(shown(0.0), "0.0000");
        assert_eq!(shown(0.000_06), "0.0001");
        assert_eq!(shown(0.000_003_21), "3.2e-6");
        assert_eq!(shown(-0.000_01), "-1.0e-5");
        assert_eq!(text(&measure(Some(0.000_003_21)), None), "3.21e-6");
    }

    #[test]
    fn a_text_is_no_command_to_a_terminal_or_a_spreadsheet() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\n");
        assert_eq!(printable("é, ü"), "é, ü");
        for (cell, shown) in [
            (Value::from("=1+1"), "'=1+1"),
            (Value::from("a\u{9b}b"), "a\\u{9b}b"),
            (Value::from("-1.5"), "-1.5"),
            (Value::from(-1.5), "-1.5"),
            (Value::from("H3K4me3"), "H3K4me3"),
        ] {
            assert_eq!(separated(&cell), shown);
        }
    }
}
