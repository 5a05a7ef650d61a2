//! Lines of intervals, checked against an assembly.

use std::borrow::Cow;

use crate::source::open_whole;
use crate::{FormatError, Location};
use persea_files::{Lines, is_header};
use persea_genome::{Assembly, SequenceNames, SequenceReport};

/// Reads intervals line by line; header lines (`track`, `browser`, `#`) and blank ones are passed
/// over.
pub(super) struct IntervalLines<'a> {
    assembly: &'a Assembly,
    sequences: SequenceNames<'a>,
    lines: Lines<'static>,
    line: Vec<u8>,
    /// Where each field of the line starts and ends.
    fields: Vec<(usize, usize)>,
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
            sequences: SequenceNames::new(assembly),
            lines: Lines::new(location, open_whole(location)?)?,
            line: Vec::new(),
            fields: Vec::new(),
        })
    }

    /// Goes to the next line of an interval on a chromosome of the assembly, and says where it lies;
    /// `None` at the file's end. Lines on other sequences are passed over and counted.
    pub fn next_place(&mut self) -> Result<Option<LineInterval>, FormatError> {
        loop {
            let Some(line) = self.lines.next_line()? else {
                return Ok(None);
            };
            if is_header(line) {
                continue;
            }
            self.line.clear();
            self.line.extend_from_slice(line.trim_ascii_end());
            self.split();
            if let Some(place) = self.place()? {
                return Ok(Some(place));
            }
        }
    }

    /// Counts memory in which the caller keeps what it has read: see [`Lines::keep`].
    pub fn keep(&mut self, n_bytes: usize) -> Result<(), FormatError> {
        Ok(self.lines.keep(n_bytes)?)
    }

    /// Where the line lies; `None` on a sequence that the assembly lacks.
    fn place(&mut self) -> Result<Option<LineInterval>, FormatError> {
        if is_wiggle(&self.line) {
            return Err(self.error(WIGGLE));
        }
        if self.fields.len() < 3 {
            return Err(self.error("expected at least chromosome, start and end"));
        }
        let (start, end) = (self.position(1)?, self.position(2)?);
        if start >= end {
            let place = self.describe();
            return Err(self.error(format!("{place} is empty: end must be beyond start")));
        }
        let (from, to) = self.fields[0];
        let name = String::from_utf8_lossy(self.line[from..to].trim_ascii());
        let Some(rank) = self.sequences.find(&name, self.lines.number()) else {
            return Ok(None);
        };
        let length = self.assembly.chromosomes()[rank].length;
        if end > length {
            return Err(self.error(format!(
                "{} ends beyond the chromosome's {length} bp of {}: is the file of another assembly?",
                self.describe(),
                self.assembly.name()
            )));
        }
        Ok(Some(LineInterval { rank, start, end }))
    }

    /// What became of the file's sequences, at its end.
    pub fn finish(self) -> Result<SequenceReport, FormatError> {
        Ok(self.sequences.finish(self.lines.file())?)
    }

    /// The line's fields as text.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        (self.fields.iter())
            .map(|(from, to)| String::from_utf8_lossy(&self.line[*from..*to]))
            .collect()
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

/// Whether a line declares a stretch of a wiggle.
pub(super) fn is_wiggle(line: &[u8]) -> bool {
    let is = |word: &[u8]| {
        let rest = line.strip_prefix(word);
        rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
    };
    is(b"fixedStep") || is(b"variableStep")
}

pub(super) const WIGGLE: &str = "this is a wiggle, which is not read: make a bigWig of it by UCSC's \
                                 wigToBigWig";

/// The beginning of a text that may be anything.
fn short(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
