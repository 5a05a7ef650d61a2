//! Gzip to its end: all members, and nothing that is not one.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What a gzip member begins with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks gzip and bgzip.
///
/// `flate2::bufread::MultiGzDecoder` reads concatenated members too, but takes bgzip (the SAM
/// specification, section 4.1) without its empty end block for whole, although its writer was
/// killed or its copy cut; and it refuses the NUL bytes that tapes and preallocated files leave
/// behind the last member, which gzip ignores.
pub(super) struct Gunzip<R> {
    state: State<R>,
    /// Whether the last member was a block of bgzip with bytes in it.
    in_blocks: bool,
    /// Whether the member being read has given bytes.
    has_bytes: bool,
}

enum State<R> {
    Member(GzDecoder<R>),
    Between(R),
    /// While one state becomes the next, and behind the end.
    Over,
}

impl<R: BufRead> Gunzip<R> {
    pub fn new(reader: R) -> Self {
        Gunzip {
            state: State::Member(GzDecoder::new(reader)),
            in_blocks: false,
            has_bytes: false,
        }
    }

    /// Goes on to the next member, or to the end.
    fn next_member(&mut self, mut reader: R) -> io::Result<State<R>> {
        match first_byte(&mut reader)? {
            Some(byte) if byte == MAGIC[0] => Ok(State::Member(GzDecoder::new(reader))),
            Some(0) => {
                while let Some(byte) = first_byte(&mut reader)? {
                    if byte != 0 {
                        return Err(invalid("bytes behind its end that are no gzip"));
                    }
                    let n_zeros = reader.fill_buf()?.iter().take_while(|b| **b == 0).count();
                    reader.consume(n_zeros);
                }
                self.end()
            }
            Some(_) => Err(invalid("bytes behind its end that are no gzip")),
            None => self.end(),
        }
    }

    fn end(&self) -> io::Result<State<R>> {
        if self.in_blocks {
            return Err(invalid(
                "bgzip without its end block: its writer was stopped, or its copy cut",
            ));
        }
        Ok(State::Over)
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Member(mut member) => {
                    let n = member.read(buffer).map_err(named)?;
                    if n > 0 {
                        self.has_bytes = true;
                        self.state = State::Member(member);
                        return Ok(n);
                    }
                    let extra = member.header().and_then(|header| header.extra());
                    let is_block = extra.is_some_and(|e| e.starts_with(b"BC\x02\0"));
                    self.in_blocks = is_block && self.has_bytes;
                    self.has_bytes = false;
                    self.state = State::Between(member.into_inner());
                }
                State::Between(reader) => self.state = self.next_member(reader)?,
                State::Over => return Ok(0),
            }
        }
    }
}

/// The next byte, which stays there; `None` at the end.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(bytes.first().copied()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn named(e: io::Error) -> io::Error {
    match e.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(e.kind(), "its gzip is cut"),
        _ => e,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The end block of the SAM specification, section 4.1.2.
    const END: [u8; 28] = [
        0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0,
        0, 0, 0, 0,
    ];

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    /// A block of bgzip; its size, which gzip does not look at, is left 0.
    fn block(text: &[u8]) -> Vec<u8> {
        let header = flate2::GzBuilder::new().extra(&b"BC\x02\0\0\0"[..]);
        let mut out = header.write(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        // A small buffer, so that members end at its border too.
        let reader = io::BufReader::with_capacity(7, bytes);
        let read = Gunzip::new(reader).read_to_end(&mut text);
        read.map(|_| text).map_err(|e| e.to_string())
    }

    #[test]
    fn members_follow_each_other_and_zeros_behind_them_are_nothing() {
        let mut bytes = gzip(b"one\n");
        bytes.extend(gzip(b""));
        bytes.extend(gzip(b"two\n"));
        assert_eq!(unpack(&bytes).unwrap(), b"one\ntwo\n");
        bytes.extend([0; 1_000]);
        assert_eq!(unpack(&bytes).unwrap(), b"one\ntwo\n");
        bytes.push(b'x');
        assert!(unpack(&bytes).unwrap_err().contains("behind its end"));
        let mut text_behind = gzip(b"one\n");
        text_behind.extend(b"chr1\t0\t5\n");
        assert!(unpack(&text_behind).unwrap_err().contains("behind its end"));
    }

    #[test]
    fn a_member_that_is_cut_anywhere_is_refused() {
        let bytes = gzip(b"chr1\t0\t25\t1\n");
        for n in 2..bytes.len() {
            assert!(unpack(&bytes[..n]).is_err(), "{n} bytes");
        }
        let mut flipped = bytes.clone();
        let crc = bytes.len() - 8;
        flipped[crc] ^= 1;
        assert!(unpack(&flipped).is_err());
    }

    #[test]
    fn bgzip_is_whole_with_its_end_block_and_cut_without() {
        let mut bytes = block(b"one\n");
        bytes.extend(block(b"two\n"));
        assert!(unpack(&bytes).unwrap_err().contains("end block"));
        let mut padded = bytes.clone();
        padded.extend([0; 64]);
        assert!(unpack(&padded).unwrap_err().contains("end block"));
        bytes.extend(END);
        assert_eq!(unpack(&bytes).unwrap(), b"one\ntwo\n");
        // Files that were concatenated have an end block in the middle.
        let twice = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(unpack(&twice).unwrap(), b"one\ntwo\none\ntwo\n");
        assert!(unpack(&twice[..twice.len() - END.len()]).is_err());
        assert_eq!(unpack(&END).unwrap(), b"");
    }
}
