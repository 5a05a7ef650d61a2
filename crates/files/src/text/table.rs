//! Tables: CSV or TSV with a header, or BED without one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use super::cells::{Cell, cells};
use super::{Lines, TEXT_BYTES, open_file};
use crate::FileError;

/// The largest table in bytes of text, which is held in memory.
const LARGEST_TABLE: u64 = 1 << 30;

/// How many lines a row with quoted cells may reach over, and how many bytes.
const LONGEST_CELL: u64 = 1_000;
const LONGEST_ROW: usize = 16 << 20;

/// A table as it stands in its file.
///
/// - Blank rows are left out, and so are empty cells behind the header's last column.
/// - Tabs or commas separate the cells; the file's name decides for a row that has both (`.csv`).
/// - Comments: lines above the header that begin with `#`, and rows that begin with `# `, or with
///   `#` and have fewer cells than the header. Other rows may begin with a name such as `#1`.
/// - A header may begin with `#` itself (`#chrom`), which is dropped.
/// - Cells that are no UTF-8 are read as Latin-1: see [`Table::check_names`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("folds.csv");
/// std::fs::write(&path, "\nbiosample,assay\n\"T cell, CD4\",H3K4me3\n")?;
/// let table = persea_files::Table::read(&path)?;
/// assert_eq!(table.header, ["biosample", "assay"]);
/// assert_eq!(table.rows, [(3, vec!["T cell, CD4".to_string(), "H3K4me3".to_string()])]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Table {
    /// The file.
    pub file: String,
    /// The columns' names, without blanks around them; empty where a BED has none.
    pub header: Vec<String>,
    /// The header's line, counted from 1.
    pub header_line: u64,
    /// Each row's line (from 1) and cells, without blanks around them.
    pub rows: Vec<(u64, Vec<String>)>,
    /// BLAKE3 of the file as it lies on the disk, in hexadecimal.
    pub checksum: String,
    /// Line and column (from 0) of cells that are no UTF-8.
    foreign: BTreeSet<(u64, usize)>,
}

const NO_UTF8: &str = "a name holds bytes that are no UTF-8 text; save the table as UTF-8";

/// A row before it is known what it is.
struct Row {
    line: u64,
    /// Whether it begins with `#`, outside quotes, and whether a blank follows.
    hash: Option<Hash>,
    cells: Vec<String>,
}

impl Row {
    /// What it takes in memory.
    fn n_bytes(&self) -> usize {
        let cells = self.cells.iter().map(|cell| TEXT_BYTES + cell.len());
        size_of::<Row>() + cells.sum::<usize>()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Blank,
    Double,
    Other,
}

impl Table {
    /// Reads a table with a header, gzipped or not.
    ///
    /// # Errors
    /// When the file cannot be read, is not text or empty, a quote is not closed, or it is larger
    /// than 1 GiB or than 2 GiB in memory.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Self::read_any(path, false)
    }

    /// Reads a table with a header, or a BED without one: its first row has whole numbers in the
    /// second and third cell, and nothing names the columns.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_or_bed(path: &Path) -> Result<Self, FileError> {
        Self::read_any(path, true)
    }

    /// The columns' names; `None`: a BED.
    pub fn columns(&self) -> Option<&[String]> {
        (!self.header.is_empty()).then_some(self.header.as_slice())
    }

    /// The place of a column in the header.
    ///
    /// # Errors
    /// When there is no column of that name; those that there are are listed.
    pub fn column(&self, name: &str) -> Result<usize, FileError> {
        let place = self.header.iter().position(|h| h == name);
        place.ok_or_else(|| {
            let message = format!(
                "there is no column `{name}`; it has {}",
                self.header.join(", ")
            );
            FileError::line(&self.file, self.header_line, message)
        })
    }

    /// How many cells are no UTF-8 and were read as Latin-1.
    pub fn n_foreign(&self) -> usize {
        self.foreign.len()
    }

    /// Refuses cells that are no UTF-8 in columns that hold names, and warns of others.
    ///
    /// # Errors
    /// When such a cell is in one of these columns.
    pub fn check_names(&self, columns: &[usize]) -> Result<(), FileError> {
        if let Some((line, _)) = self.foreign.iter().find(|(_, c)| columns.contains(c)) {
            return Err(FileError::line(&self.file, *line, NO_UTF8));
        }
        if !self.foreign.is_empty() {
            tracing::warn!(
                "{}: {} cells are no UTF-8 and were read as Latin-1",
                self.file,
                self.foreign.len()
            );
        }
        Ok(())
    }

    /// Refuses columns whose names are no UTF-8, where they are names of something.
    ///
    /// # Errors
    /// When there is such a column.
    pub fn check_header(&self) -> Result<(), FileError> {
        match self
            .foreign
            .iter()
            .any(|(line, _)| *line == self.header_line)
        {
            true => Err(FileError::line(&self.file, self.header_line, NO_UTF8)),
            false => Ok(()),
        }
    }

    fn read_any(path: &Path, may_be_bed: bool) -> Result<Self, FileError> {
        let hasher = Rc::new(RefCell::new(blake3::Hasher::new()));
        let hashed = Hashed {
            file: open_file(path)?,
            hasher: hasher.clone(),
        };
        let mut table = Table {
            file: path.display().to_string(),
            header: Vec::new(),
            header_line: 1,
            rows: Vec::new(),
            checksum: String::new(),
            foreign: BTreeSet::new(),
        };
        let name = path.to_string_lossy().to_ascii_lowercase();
        let is_csv = [".csv", ".csv.gz", ".csv.bgz"]
            .iter()
            .any(|end| name.ends_with(end));
        let lines = Lines::new(&table.file, hashed)?;
        let rows = table.read_rows(lines, is_csv)?;
        table.checksum = hasher.borrow().finalize().to_hex().to_string();
        table.name_columns(rows, may_be_bed)?;
        Ok(table)
    }

    fn read_rows(&mut self, mut lines: Lines<'_>, is_csv: bool) -> Result<Vec<Row>, FileError> {
        let mut rows = Vec::new();
        // Lines are kept until one of them shows what separates cells.
        let mut waiting: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut delimiter = None;
        let mut n_bytes = 0u64;
        while let Some(line) = lines.next_line()? {
            n_bytes += line.len() as u64 + 1;
            if n_bytes > LARGEST_TABLE {
                return Err(lines.file_error(
                    "is larger than 1 GiB; give large matrices as .npy, .npz or Parquet",
                ));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line = line.to_vec();
            if delimiter.is_none() {
                delimiter = delimiter_of(&line, is_csv);
                if delimiter.is_none() && waiting.len() < 20 {
                    waiting.push((lines.number(), line));
                    continue;
                }
                let delimiter = *delimiter.get_or_insert(b'\t');
                for (number, line) in waiting.drain(..) {
                    self.single(&mut rows, number, line, delimiter)?;
                }
            }
            let n_before = rows.len();
            self.row(&mut rows, &mut lines, line, delimiter.unwrap_or(b'\t'))?;
            for row in &rows[n_before..] {
                lines.keep(row.n_bytes())?;
            }
        }
        for (number, line) in waiting {
            self.single(&mut rows, number, line, b'\t')?;
        }
        Ok(rows)
    }

    /// Adds a row that has no delimiter.
    fn single(
        &mut self,
        rows: &mut Vec<Row>,
        number: u64,
        line: Vec<u8>,
        delimiter: u8,
    ) -> Result<(), FileError> {
        match cells(&line, delimiter) {
            Ok(cells) => self.add(rows, number, &line, cells),
            Err(column) => return Err(self.open_quote(number, column)),
        }
        Ok(())
    }

    /// Adds the row that begins with a line, and reads on while a quote is open.
    fn row(
        &mut self,
        rows: &mut Vec<Row>,
        lines: &mut Lines<'_>,
        mut row: Vec<u8>,
        delimiter: u8,
    ) -> Result<(), FileError> {
        let number = lines.number();
        let mut open = match cells(&row, delimiter) {
            Ok(cells) => {
                self.add(rows, number, &row, cells);
                return Ok(());
            }
            Err(column) => column,
        };
        while lines.number() < number + LONGEST_CELL && row.len() <= LONGEST_ROW {
            let Some(line) = lines.next_line()? else {
                break;
            };
            row.push(b'\n');
            row.extend_from_slice(line);
            if !line.contains(&b'"') {
                continue;
            }
            match cells(&row, delimiter) {
                // A quote that did close, but not its cell, would have the line's end outside.
                Ok(cells) if cells.iter().take(open + 1).any(|c| c.starts_with(b"\"")) => break,
                Ok(cells) => {
                    self.add(rows, number, &row, cells);
                    return Ok(());
                }
                Err(column) => open = column,
            }
        }
        Err(self.open_quote(number, open))
    }

    fn open_quote(&self, line: u64, column: usize) -> FileError {
        let message = format!(
            "the quote that opens column {} is not closed; double a quote that is part of the text",
            column + 1
        );
        FileError::line(&self.file, line, message)
    }

    fn add(&mut self, rows: &mut Vec<Row>, line: u64, raw: &[u8], cells: Vec<Cell>) {
        let hash = match raw.trim_ascii_start() {
            [b'#', b'#', ..] => Some(Hash::Double),
            [b'#', next, ..] if next.is_ascii_whitespace() => Some(Hash::Blank),
            [b'#', ..] => Some(Hash::Other),
            _ => None,
        };
        let decode = |(column, cell): (usize, Cell)| match String::from_utf8(cell) {
            Ok(text) => text.trim().to_string(),
            Err(e) => {
                self.foreign.insert((line, column));
                e.as_bytes().iter().map(|b| char::from(*b)).collect()
            }
        };
        let cells: Vec<String> = cells.into_iter().enumerate().map(decode).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, hash, cells });
        }
    }

    /// Finds the header, and leaves out what is neither header nor row.
    fn name_columns(&mut self, mut rows: Vec<Row>, may_be_bed: bool) -> Result<(), FileError> {
        let n_comments = rows.iter().take_while(|row| row.hash.is_some()).count();
        let first = rows.get(n_comments);
        let is_number = |row: &Row, i: usize| {
            row.cells
                .get(i)
                .is_some_and(|cell| cell.parse::<u64>().is_ok())
        };
        // A comment names the columns where it has a name for each of the first row's cells: the
        // first `#chrom`, or else the last `# chrom`.
        let fits = |row: &Row| {
            let n_names = trimmed(&row.cells, 0);
            let n_cells = first.map_or(n_names, |row| trimmed(&row.cells, 0));
            let is_bare = row.hash == Some(Hash::Other);
            let is_interval = may_be_bed && is_number(row, 1) && is_number(row, 2);
            n_names > 1 && !is_interval && (n_names == n_cells || (may_be_bed && is_bare))
        };
        let comments = &rows[..n_comments];
        let bare = (comments.iter()).position(|row| row.hash == Some(Hash::Other) && fits(row));
        let named = bare.or_else(|| {
            (comments.iter()).rposition(|row| row.hash == Some(Hash::Blank) && fits(row))
        });
        let is_bed = may_be_bed
            && rows
                .iter()
                .find(|row| row.hash.is_none() && !is_track(row))
                .is_some_and(|row| is_number(row, 1) && is_number(row, 2));
        if is_bed && named.is_none() {
            rows.retain(|row| row.hash.is_none() && !is_track(row));
        } else {
            if rows.is_empty() {
                return Err(FileError::file(
                    &self.file,
                    "it is empty; expected a header and rows",
                ));
            }
            // Without any row but comments, the last of them is the header that it looks like.
            let at = named.unwrap_or(n_comments.min(rows.len() - 1));
            rows.drain(..at);
            let header = rows.remove(0);
            self.header_line = header.line;
            self.header = header.cells;
            if header.hash.is_some()
                && let Some(name) = self.header.first_mut()
            {
                *name = name.trim_start_matches('#').trim().to_string();
            }
            self.header.truncate(trimmed(&self.header, 1));
        }
        let n_columns = self.header.len();
        let mut n_full_comments = 0;
        for Row {
            line,
            hash,
            mut cells,
        } in rows
        {
            let is_full = cells.len() >= n_columns;
            if hash == Some(Hash::Blank) || (hash.is_some() && !is_full) {
                n_full_comments += u64::from(is_full);
                continue;
            }
            if hash.is_some() {
                tracing::warn!(
                    "{}, line {line}: `{}` is read as a name; a comment begins with `# `",
                    self.file,
                    cells[0]
                );
            }
            let n = trimmed(&cells, n_columns);
            cells.truncate(n);
            self.rows.push((line, cells));
        }
        if n_full_comments > 0 {
            tracing::warn!(
                "{}: {n_full_comments} rows that begin with `# ` are passed over",
                self.file
            );
        }
        Ok(())
    }
}

/// How many cells are left without empty ones at the end; at least `least`, and 1.
fn trimmed(cells: &[String], least: usize) -> usize {
    let last = cells.iter().rposition(|cell| !cell.is_empty());
    let n = last.map_or(0, |i| i + 1).max(least).max(1);
    n.min(cells.len())
}

fn is_track(row: &Row) -> bool {
    let first = row.cells.first().map_or("", String::as_str);
    !first.is_empty() && super::is_header(first.as_bytes())
}

/// What separates a line's cells; `None` where it shows nothing, or is a comment.
fn delimiter_of(line: &[u8], is_csv: bool) -> Option<u8> {
    match (line.contains(&b'\t'), line.contains(&b',')) {
        (false, _) if super::is_header(line) => None,
        (true, true) if is_csv => Some(b','),
        (true, _) => Some(b'\t'),
        (false, true) => Some(b','),
        (false, false) => None,
    }
}

/// Reads a file and hashes what it reads.
struct Hashed {
    file: std::fs::File,
    hasher: Rc<RefCell<blake3::Hasher>>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hasher.borrow_mut().update(&buffer[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
