//! Tables of labels as they stand in their files: CSV or TSV with a header, or BED without one;
//! gzipped or not.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::tasks::TaskError;

/// A table of text.
pub(crate) struct Table {
    /// The columns' names; none in a BED file.
    pub(crate) header: Option<Vec<String>>,
    /// Each row's line (from 1) and fields.
    pub(crate) rows: Vec<(u64, Vec<String>)>,
    /// BLAKE3 of the file, in hexadecimal.
    pub(crate) checksum: String,
}

/// Reads a file, unpacked if it is gzipped; its checksum is of the bytes on the disk.
pub(super) fn read_file(path: &Path) -> Result<(Vec<u8>, String), TaskError> {
    let bytes = std::fs::read(path).map_err(|e| TaskError::io(path, e))?;
    let checksum = blake3::hash(&bytes).to_hex().to_string();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok((bytes, checksum));
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .map_err(|e| TaskError::file(path, format!("cannot be unpacked: {e}")))?;
    Ok((unpacked, checksum))
}

impl Table {
    /// Reads a table. It has no header when its first line is a BED line: a second and a third
    /// field that are whole numbers.
    pub(super) fn read(path: &Path) -> Result<Self, TaskError> {
        let (bytes, checksum) = read_file(path)?;
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        // A comment above the table may have neither.
        let mut lines = text.split(|b| *b == b'\n').take(20);
        let with_tab = lines.any(|line| line.contains(&b'\t'));
        let delimiter = if with_tab { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(text);
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                let line = e.position().map_or(0, csv::Position::line);
                TaskError::line(path, line, e.to_string())
            })?;
            let line = record.position().map_or(0, |at| line_of(text, at));
            let mut fields: Vec<String> = record.iter().map(str::to_string).collect();
            // Roadmap's rows end with a tab that its header lacks.
            while fields.len() > 1 && fields.last().is_some_and(String::is_empty) {
                fields.pop();
            }
            if fields.iter().any(|f| !f.is_empty()) {
                rows.push((line, fields));
            }
        }
        let is_number = |f: Option<&String>| f.is_some_and(|f| f.parse::<u64>().is_ok());
        let skip = |f: &[String]| {
            let first = f.first().map_or("", String::as_str);
            first.starts_with("track") || first.starts_with("browser")
        };
        let comment = |f: &[String]| f.first().is_some_and(|f| f.starts_with('#'));
        let bed = rows
            .iter()
            .find(|(_, f)| !comment(f) && !skip(f))
            .is_some_and(|(_, f)| is_number(f.get(1)) && is_number(f.get(2)));
        let named = rows.first().filter(|(_, f)| comment(f) && f.len() > 1);
        let header = match (bed, named) {
            (true, None) => {
                rows.retain(|(_, f)| !comment(f) && !skip(f));
                None
            }
            _ if rows.is_empty() => {
                return Err(TaskError::file(path, "it is empty; expected labels"));
            }
            _ => {
                let mut header = rows.remove(0).1;
                if let Some(name) = header.first_mut() {
                    *name = name.trim_start_matches('#').trim().to_string();
                }
                Some(header)
            }
        };
        if rows.is_empty() {
            return Err(TaskError::file(path, "it has a header and no labels"));
        }
        Ok(Table {
            header,
            rows,
            checksum,
        })
    }
}

/// The line that a record begins in. The reader's own number is that of blank lines before it.
fn line_of(text: &[u8], at: &csv::Position) -> u64 {
    // A record after the last byte begins in no further line.
    let rest = text.get(at.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    at.line() + blank.filter(|b| **b == b'\n').count() as u64
}

/// A label: a number, or NaN for what stands for none.
pub(super) fn label(text: &str) -> Result<f64, String> {
    match text {
        "" | "." | "NA" | "N/A" | "nan" | "NaN" | "null" | "None" => return Ok(f64::NAN),
        "true" | "True" | "TRUE" => return Ok(1.0),
        "false" | "False" | "FALSE" => return Ok(0.0),
        _ => {}
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!(
            "`{text}` is no label; expected a number, or NA for none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, TaskError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, text).unwrap();
        Table::read(&path)
    }

    #[test]
    fn headers_are_told_from_bed_lines_and_trailing_tabs_are_nothing() {
        let table = read("gene_id\tE000\tE003\nG1\t1.5\t2\t\nG2\t0\tNA\t\n").unwrap();
        assert_eq!(table.header.unwrap(), ["gene_id", "E000", "E003"]);
        assert_eq!(
            table.rows[1],
            (3, vec!["G2".into(), "0".into(), "NA".into()])
        );
        let bed = read("#made by hand\nchr1\t0\t40000\t1\nchr1\t40000\t80000\t0\n").unwrap();
        assert!(bed.header.is_none());
        assert_eq!((bed.rows.len(), bed.rows[0].0), (2, 2));
        let commented = read("#chrom\tstart\tend\tlabel\nchr1\t0\t5\t1\n").unwrap();
        assert_eq!(commented.header.unwrap()[0], "chrom");
        let quoted = read("bin,label\n\"(1, 2]\",1\n").unwrap();
        assert_eq!(quoted.rows[0].1, ["(1, 2]", "1"]);
        assert!(read("").is_err());
        assert!(read("chrom\tstart\tend\n").is_err());
    }

    #[test]
    fn what_stands_for_no_label_is_none_and_other_text_is_refused() {
        assert!(label("NA").unwrap().is_nan());
        assert_eq!(label("-0.5"), Ok(-0.5));
        assert_eq!(label("True"), Ok(1.0));
        assert!(label("yes").is_err());
        assert!(label("inf").is_err());
    }
}
