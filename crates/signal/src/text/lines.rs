//! Lines of intervals, checked against an assembly.

use crate::source::open_whole;
use crate::{FormatError, Location};
use persea_files::{Lines, is_header};
use persea_genome::Assembly;

/// Reads intervals line by line; header lines (`track`, `browser`, `#`) and blank ones are passed
/// over.
pub(super) struct IntervalLines<'a> {
    assembly: &'a Assembly,
    lines: Lines<'static>,
    line: Vec<u8>,
    /// Where each field of the line starts and ends.
    fields: Vec<(usize, usize)>,
    /// The chromosome of the last line, which is mostly the next one's too.
    chrom: Vec<u8>,
    rank: usize,
    length: u64,
}

/// The chromosome and bases of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineInterval {
    /// The chromosome's place in the assembly.
    pub rank: usize,
    pub start: u64,
    pub end: u64,
}

impl<'a> IntervalLines<'a> {
    pub fn open(location: &Location, assembly: &'a Assembly) -> Result<Self, FormatError> {
        Ok(IntervalLines {
            assembly,
            lines: Lines::new(location, open_whole(location)?)?,
            line: Vec::new(),
            fields: Vec::new(),
            chrom: Vec::new(),
            rank: 0,
            length: 0,
        })
    }

    /// Goes to the next line of an interval and says where it lies; `None` at the file's end.
    pub fn next_place(&mut self) -> Result<Option<LineInterval>, FormatError> {
        loop {
            let Some(line) = self.lines.next_line()? else {
                return Ok(None);
            };
            if !is_header(line) {
                self.line.clear();
                self.line.extend_from_slice(line.trim_ascii_end());
                break;
            }
        }
        self.split();
        if self.fields.len() < 3 {
            return Err(self.error("expected at least chromosome, start and end"));
        }
        self.find_chromosome()?;
        let (start, end) = (self.position(1)?, self.position(2)?);
        if start >= end {
            let place = self.describe();
            return Err(self.error(format!("{place} is empty: end must be beyond start")));
        }
        if end > self.length {
            return Err(self.error(format!(
                "{} ends beyond the chromosome's {} bp of {}",
                self.describe(),
                self.length,
                self.assembly.name()
            )));
        }
        Ok(Some(LineInterval {
            rank: self.rank,
            start,
            end,
        }))
    }

    /// How many fields the line has.
    pub fn n_fields(&self) -> usize {
        self.fields.len()
    }

    /// The signal in a field (counted from 0) of the line; NaN is let through.
    pub fn signal(&self, field: usize, name: &str) -> Result<f32, FormatError> {
        let Some(range) = self.fields.get(field) else {
            return Err(self.error(format!(
                "it has {} columns and no column {} ({name})",
                self.fields.len(),
                field + 1
            )));
        };
        let text = String::from_utf8_lossy(&self.line[range.0..range.1]);
        let value: f32 = text.parse().map_err(|_| {
            self.error(format!(
                "`{}` in column {} is not a number ({name})",
                short(&text),
                field + 1
            ))
        })?;
        if value.is_infinite() {
            return Err(self.error(format!(
                "the value at {} is infinite, or beyond float32 (`{}`): signal must be finite",
                self.describe(),
                short(&text)
            )));
        }
        Ok(value)
    }

    /// An error about the line.
    pub fn error(&self, message: impl Into<String>) -> FormatError {
        self.lines.error(message).into()
    }

    /// An error about the file.
    pub fn file_error(&self, message: impl Into<String>) -> FormatError {
        self.lines.file_error(message).into()
    }

    fn split(&mut self) {
        let tabs = self.line.contains(&b'\t');
        let separates = |byte: u8| byte == b'\t' || (!tabs && byte.is_ascii_whitespace());
        self.fields.clear();
        let mut from = 0;
        for i in 0..=self.line.len() {
            if i == self.line.len() || separates(self.line[i]) {
                // Tabs each separate; runs of spaces do so together.
                if tabs || i > from {
                    self.fields.push((from, i));
                }
                from = i + 1;
            }
        }
    }

    fn find_chromosome(&mut self) -> Result<(), FormatError> {
        let (from, to) = self.fields[0];
        if self.line[from..to] == self.chrom[..] && !self.chrom.is_empty() {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&self.line[from..to]).into_owned();
        let Some(rank) = self.assembly.rank(&name) else {
            let unknown = self.assembly.chromosome(short(&name));
            return Err(self.error(unknown.map_or_else(
                |e| e.to_string(),
                |_| format!("chromosome `{}…` is not known", short(&name)),
            )));
        };
        self.rank = rank;
        self.length = self.assembly.chromosomes()[rank].length;
        self.chrom = name.into_bytes();
        Ok(())
    }

    fn position(&self, field: usize) -> Result<u64, FormatError> {
        let (from, to) = self.fields[field];
        let digits = &self.line[from..to];
        // Eighteen digits cannot overflow.
        if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.error(format!(
                "`{}` is not a position (0-based, whole)",
                short(&String::from_utf8_lossy(digits))
            )));
        }
        Ok(digits
            .iter()
            .fold(0, |n, digit| 10 * n + u64::from(digit - b'0')))
    }

    fn describe(&self) -> String {
        let parts: Vec<_> = self.fields[..3]
            .iter()
            .map(|(from, to)| String::from_utf8_lossy(&self.line[*from..*to]))
            .collect();
        parts.join(" ")
    }
}

/// The beginning of a text that may be anything.
fn short(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
