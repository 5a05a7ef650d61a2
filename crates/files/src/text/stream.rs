//! The bytes of a text: unpacked, without a byte order mark, and known not to be something else.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::gunzip::{Gunzip, MAGIC};
use crate::FileError;

const BUFFER_BYTES: usize = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What files that are no text begin with, and what they are.
const OTHERS: [(&[u8], &str); 14] = [
    (b"\xff\xfe", "is UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text; save it as UTF-8"),
    (b"\0\0\xfe\xff", "is UTF-32 text; save it as UTF-8"),
    (
        b"PK\x03\x04",
        "is a zip archive; unpack it, or save a spreadsheet as CSV or TSV",
    ),
    (
        b"BZh",
        "is packed with bzip2; unpack it (bunzip2) or use gzip",
    ),
    (
        b"\xfd7zXZ\0",
        "is packed with xz; unpack it (unxz) or use gzip",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "is packed with zstd; unpack it (unzstd) or use gzip",
    ),
    (b"\x1f\x8b", "is gzipped twice; unpack it once (gunzip)"),
    (b"\x26\xfc\x8f\x88", "is a bigWig, not text"),
    (b"\x88\x8f\xfc\x26", "is a bigWig, not text"),
    (b"\xeb\xf2\x89\x87", "is a bigBed, not text"),
    (b"\x89HDF", "is an HDF5 file, not text"),
    (b"\x93NUMPY", "is a NumPy array, not text"),
    (b"PAR1", "is a Parquet file, not text"),
];

/// The bytes of a text.
pub(super) fn open_stream<'a>(
    file: &dyn Display,
    reader: impl Read + 'a,
) -> Result<Box<dyn BufRead + 'a>, FileError> {
    let (head, reader) = with_head(file, reader)?;
    if head.starts_with(&MAGIC) {
        let (head, reader) = with_head(file, Gunzip::new(reader))?;
        return text(file, &head, reader, true);
    }
    text(file, &head, reader, false)
}

/// The first bytes, and a reader that begins with them.
fn with_head<'a>(
    file: &dyn Display,
    mut reader: impl Read + 'a,
) -> Result<(Vec<u8>, impl BufRead + 'a), FileError> {
    let mut head = Vec::new();
    (&mut reader)
        .take(8)
        .read_to_end(&mut head)
        .map_err(|e| unreadable(file, 1, e))?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, BufReader::with_capacity(BUFFER_BYTES, whole)))
}

fn text<'a>(
    file: &dyn Display,
    head: &[u8],
    mut reader: impl BufRead + 'a,
    is_packed: bool,
) -> Result<Box<dyn BufRead + 'a>, FileError> {
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        let advice = match is_packed && what.ends_with("not text") {
            true => "; unpack it first (gunzip)",
            false => "",
        };
        return Err(FileError::file(file, format!("{what}{advice}")));
    }
    if head.starts_with(BYTE_ORDER_MARK) {
        reader
            .read_exact(&mut [0; 3])
            .map_err(|e| unreadable(file, 1, e))?;
    }
    Ok(Box::new(reader))
}

/// Bytes that the system, or gzip, could not give.
pub(super) fn unreadable(file: &dyn Display, line: u64, e: io::Error) -> FileError {
    match e.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            FileError::line(
                file,
                line,
                format!("cannot be read ({e}): is the file complete, and of this format?"),
            )
        }
        _ => FileError::read(file, e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let mut stream = open_stream(&"a.txt", bytes).map_err(|e| e.to_string())?;
        stream.read_to_end(&mut text).map_err(|e| e.to_string())?;
        Ok(text)
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_other_encodings_and_archives_are_named() {
        assert_eq!(opened(b"\xef\xbb\xbfchr1\t5\n").unwrap(), b"chr1\t5\n");
        assert_eq!(opened(b"\xef\xbb\xbf").unwrap(), b"");
        assert_eq!(opened(b"").unwrap(), b"");
        assert_eq!(opened(b"c").unwrap(), b"c");
        for (bytes, what) in [
            (&b"\xff\xfec\0h\0"[..], "a.txt: is UTF-16"),
            (b"\xfe\xff\0c\0h", "is UTF-16"),
            (b"PK\x03\x04....", "zip archive"),
            (b"BZh91AY", "bzip2"),
            (b"\x28\xb5\x2f\xfd....", "zstd"),
            (b"\x93NUMPY\x01\0", "NumPy"),
        ] {
            let message = opened(bytes).unwrap_err();
            assert!(message.contains(what), "{message}");
        }
    }

    #[test]
    fn gzip_is_known_by_its_content_and_may_hold_a_mark_but_not_gzip() {
        use std::io::Write;
        let gzip = |bytes: &[u8]| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        };
        let once = gzip(b"\xef\xbb\xbfa\tb\n");
        assert_eq!(opened(&once).unwrap(), b"a\tb\n");
        let message = opened(&gzip(&once)).unwrap_err();
        assert!(message.contains("gzipped twice"), "{message}");
    }
}
