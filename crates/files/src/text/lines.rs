//! Lines of text, one at a time and bounded.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufRead, Read};
use std::path::Path;

use super::open_file;
use super::stream::{open_stream, unreadable};
use crate::FileError;

/// The longest line in bytes. Half a million genotypes of a VCF fit; a longer line is none.
const LONGEST_LINE: usize = 16 << 20;
/// The largest file that is read whole, in bytes.
const LARGEST_TEXT: usize = 64 << 20;
/// How much memory the lines that a reader keeps may take, in bytes: 20 million intervals of a BED fit.
const LARGEST_KEPT: usize = 2 << 30;
/// What a text in memory takes beside its bytes: its address, its length, and the allocator's share.
pub const TEXT_BYTES: usize = 56;

/// Reads a text line by line, with the line's number for messages.
///
/// ```
/// use persea_files::Lines;
///
/// let mut lines = Lines::new("sizes", &b"\xef\xbb\xbfchr1\t10000\r\nchr2\t5000"[..])?;
/// assert_eq!(lines.next_line()?, Some(&b"chr1\t10000"[..]));
/// assert_eq!(lines.next_line()?, Some(&b"chr2\t5000"[..]));
/// assert_eq!((lines.number(), lines.next_line()?), (2, None));
/// # Ok::<(), persea_files::FileError>(())
/// ```
pub struct Lines<'a> {
    file: String,
    reader: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
    number: u64,
    /// Whether the last line ended with CR, to which LF may belong.
    after_cr: bool,
    /// Whether the next line is the last one again.
    again: bool,
    /// Lines whose bytes that are no UTF-8 were replaced.
    n_replaced: u64,
    /// Bytes that [`Lines::keep`] has counted.
    n_kept: usize,
}

impl Lines<'static> {
    /// Opens a file, which is read once.
    ///
    /// # Errors
    /// When it cannot be read, or is not text.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Lines::new(path.display(), open_file(path)?)
    }
}

impl<'a> Lines<'a> {
    /// Lines of anything that reads; errors call it `file`.
    ///
    /// # Errors
    /// When it cannot be read, or is not text.
    pub fn new(file: impl Display, reader: impl Read + 'a) -> Result<Self, FileError> {
        let file = file.to_string();
        Ok(Lines {
            reader: open_stream(&file, reader)?,
            file,
            line: Vec::new(),
            number: 0,
            after_cr: false,
            again: false,
            n_replaced: 0,
            n_kept: 0,
        })
    }

    /// The next line without its end; `None` at the end of the text.
    ///
    /// # Errors
    /// When the text cannot be read or is cut, or the line holds NUL or is longer than 16 MiB.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, FileError> {
        if std::mem::take(&mut self.again) {
            return Ok(Some(&self.line));
        }
        self.line.clear();
        self.number += 1;
        if !self.read_line()? {
            self.number -= 1;
            return Ok(None);
        }
        if memchr::memchr(0, &self.line).is_some() {
            return Err(self.error("holds a NUL byte: is this UTF-8 text?"));
        }
        Ok(Some(&self.line))
    }

    /// The next line as text; bytes that are no UTF-8 are replaced by U+FFFD, and counted.
    ///
    /// # Errors
    /// As [`Lines::next_line`].
    pub fn next_text(&mut self) -> Result<Option<Cow<'_, str>>, FileError> {
        if self.next_line()?.is_none() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&self.line);
        if matches!(text, Cow::Owned(_)) {
            self.n_replaced += 1;
        }
        Ok(Some(text))
    }

    /// Counts memory in which the caller keeps what it has read, so that no file, however long, takes all
    /// of the machine's.
    ///
    /// # Errors
    /// When the file has taken more than 2 GiB.
    pub fn keep(&mut self, n_bytes: usize) -> Result<(), FileError> {
        self.n_kept = self.n_kept.saturating_add(n_bytes);
        match self.n_kept > LARGEST_KEPT {
            true => Err(self.error(
                "the lines up to this one take 2 GiB of memory, the most that a file may: is it \
                 the right one?",
            )),
            false => Ok(()),
        }
    }

    /// Makes the next line the last one again.
    pub fn push_back(&mut self) {
        self.again = true;
    }

    /// The number of the last line, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What the text is called.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// How many lines of [`Lines::next_text`] held bytes that are no UTF-8.
    pub fn n_replaced(&self) -> u64 {
        self.n_replaced
    }

    /// Warns of lines that held bytes that are no UTF-8.
    pub fn warn_of_replaced(&self) {
        if self.n_replaced > 0 {
            tracing::warn!(
                "{}: {} lines hold bytes that are no UTF-8, which were replaced",
                self.file,
                self.n_replaced
            );
        }
    }

    /// An error about the last line.
    pub fn error(&self, message: impl Into<String>) -> FileError {
        FileError::line(&self.file, self.number, message)
    }

    /// An error about the whole text.
    pub fn file_error(&self, message: impl Into<String>) -> FileError {
        FileError::file(&self.file, message)
    }

    /// Reads a line; whether there was one.
    fn read_line(&mut self) -> Result<bool, FileError> {
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(unreadable(&self.file, self.number, e)),
            };
            if chunk.is_empty() {
                return Ok(any);
            }
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                self.reader.consume(1);
                continue;
            }
            any = true;
            let end = memchr::memchr2(b'\n', b'\r', chunk);
            let n = end.unwrap_or(chunk.len());
            if self.line.len() + n > LONGEST_LINE {
                return Err(self.error(
                    "is endless: more than 16 MiB without an end of line; is this a text file?",
                ));
            }
            self.line.extend_from_slice(&chunk[..n]);
            match end {
                Some(at) => {
                    self.after_cr = chunk[at] == b'\r';
                    self.reader.consume(at + 1);
                    return Ok(true);
                }
                None => self.reader.consume(n),
            }
        }
    }
}

/// Reads a small file of text whole (TOML, JSON, a list), its lines ended by LF.
///
/// # Errors
/// When the file cannot be read, is not UTF-8 text, or is larger than 64 MiB.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let mut lines = Lines::open(path)?;
    let mut text = String::new();
    while let Some(line) = lines.next_line()? {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => return Err(lines.error("holds bytes that are no UTF-8; save it as UTF-8")),
        }
        text.push('\n');
        if text.len() > LARGEST_TEXT {
            return Err(lines.file_error("is larger than 64 MiB"));
        }
    }
    Ok(text)
}

/// Whether a line of BED and its kin holds no interval: blank, a comment, `track` or `browser`.
///
/// ```
/// use persea_files::is_header;
/// assert!(is_header(b"track type=bedGraph") && is_header(b"#chrom\tstart") && is_header(b" "));
/// assert!(!is_header(b"tracked_1\t0\t10"));
/// ```
pub fn is_header(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_word = |word: &[u8]| {
        let rest = line.strip_prefix(word);
        rest.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
    };
    line.is_empty() || line[0] == b'#' || is_word(b"track") || is_word(b"browser")
}

/// Refuses a name in which [`Lines::next_text`] replaced bytes that are no UTF-8.
///
/// # Errors
/// A message without the file and line.
pub fn check_name(name: &str) -> Result<(), String> {
    match name.contains(char::REPLACEMENT_CHARACTER) {
        true => Err(format!(
            "the name `{name}` holds bytes that are no UTF-8; save the file as UTF-8"
        )),
        false => Ok(()),
    }
}

/// The fields of a line: between tabs where it has any, else between runs of blanks.
///
/// ```
/// use persea_files::fields;
/// assert_eq!(fields("chr1 \t0\t\t"), ["chr1 ", "0", "", ""]);
/// assert_eq!(fields("chr1  0 5"), ["chr1", "0", "5"]);
/// ```
pub fn fields(line: &str) -> Vec<&str> {
    match line.contains('\t') {
        true => line.split('\t').collect(),
        false => line.split_whitespace().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Result<Vec<String>, String> {
        let reader = io::BufReader::with_capacity(3, text);
        let mut lines = Lines::new("a.txt", reader).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        while let Some(line) = lines.next_text().map_err(|e| e.to_string())? {
            all.push(line.into_owned());
        }
        Ok(all)
    }

    #[test]
    fn what_readers_keep_is_counted_and_bounded() {
        let mut lines = Lines::new("a.bed", &b"x\ny\n"[..]).unwrap();
        assert!(lines.next_line().unwrap().is_some());
        lines.keep(LARGEST_KEPT).unwrap();
        let message = lines.keep(1).unwrap_err().to_string();
        assert!(
            message.contains("a.bed, line 1") && message.contains("2 GiB"),
            "{message}"
        );
    }

    #[test]
    fn lines_end_with_lf_cr_lf_or_cr_and_the_last_with_nothing() {
        for text in [
            "a\n\nb\n",
            "a\r\n\r\nb\r\n",
            "a\r\rb\r",
            "a\n\nb",
            "a\r\n\rb",
        ] {
            assert_eq!(lines(text.as_bytes()).unwrap(), ["a", "", "b"], "{text:?}");
        }
        assert!(lines(b"").unwrap().is_empty());
        assert_eq!(lines(b"\n").unwrap(), [""]);
    }

    #[test]
    fn an_endless_line_is_refused_before_it_fills_the_memory() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                buffer.fill(b'x');
                Ok(buffer.len())
            }
        }
        let mut lines = Lines::new("a.txt", Endless).unwrap();
        let message = lines.next_line().unwrap_err().to_string();
        assert!(message.contains("a.txt, line 1: is endless"), "{message}");
        assert!(lines.line.capacity() <= 2 * LONGEST_LINE);
    }

    #[test]
    fn nul_is_no_text_and_other_bytes_are_replaced_and_counted() {
        let message = lines(b"chr1\t1\nch\0r1\t1\n").unwrap_err();
        assert!(message.contains("line 2: holds a NUL byte"), "{message}");
        let mut read = Lines::new("a.txt", &b"Gr\xfc\xdfe\nplain\n"[..]).unwrap();
        assert_eq!(read.next_text().unwrap().unwrap(), "Gr\u{fffd}\u{fffd}e");
        assert_eq!(read.next_text().unwrap().unwrap(), "plain");
        assert_eq!(read.n_replaced(), 1);
        assert!(check_name("Gr\u{fffd}").unwrap_err().contains("no UTF-8"));
        assert_eq!(check_name("Gr\u{fc}n"), Ok(()));
    }

    #[test]
    fn a_line_that_is_pushed_back_comes_again() {
        let mut read = Lines::new("a.txt", &b"one\ntwo\n"[..]).unwrap();
        read.next_line().unwrap();
        read.push_back();
        assert_eq!(read.next_line().unwrap(), Some(&b"one"[..]));
        assert_eq!(read.number(), 1);
        assert_eq!(read.next_line().unwrap(), Some(&b"two"[..]));
    }

    #[test]
    fn small_texts_end_their_lines_alike_and_hold_nothing_but_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, b"\xef\xbb\xbfa = 1\r\nb = 2\rc = 3").unwrap();
        assert_eq!(read_text(&path).unwrap(), "a = 1\nb = 2\nc = 3\n");
        std::fs::write(&path, b"a = 1\nb = \"\xe9\"\n").unwrap();
        let message = read_text(&path).unwrap_err().to_string();
        assert!(message.contains("line 2: holds bytes"), "{message}");
    }
}
