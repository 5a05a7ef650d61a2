//! Bytes of a local or remote file: at random for bigWig, as a whole for everything else.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::ops::Range;

use super::http::{HttpOptions, RangeReader};
use super::{FormatError, Location};
use persea_files::open_regular;

/// Bytes that can be read at any place.
pub(super) trait ByteSource: Read + Seek + Send {
    /// The file's length.
    fn n_bytes(&self) -> u64;

    /// Says that these bytes will be read next, in order; a remote source then asks for more of
    /// them at once.
    fn will_need(&mut self, _bytes: Range<u64>) {}
}

struct LocalFile {
    file: File,
    n_bytes: u64,
}

impl Read for LocalFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for LocalFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl ByteSource for LocalFile {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

impl ByteSource for RangeReader {
    fn n_bytes(&self) -> u64 {
        RangeReader::n_bytes(self)
    }

    fn will_need(&mut self, bytes: Range<u64>) {
        RangeReader::will_need(self, bytes);
    }
}

/// Opens a file for reading at any place.
pub(super) fn open_bytes(location: &Location) -> Result<Box<dyn ByteSource>, FormatError> {
    match location {
        Location::Path(path) => {
            let file = open_regular(path)?;
            let metadata = file
                .metadata()
                .map_err(|e| FormatError::read(location, e))?;
            let n_bytes = metadata.len();
            Ok(Box::new(LocalFile { file, n_bytes }))
        }
        Location::Url(url) => {
            let reader = RangeReader::open(url, HttpOptions::default())
                .map_err(|e| FormatError::read(location, e))?;
            Ok(Box::new(reader))
        }
    }
}

/// Opens a file for reading from its start; a remote one is first copied to a temporary file,
/// which the system removes when it is closed.
pub(super) fn open_whole(location: &Location) -> Result<BufReader<File>, FormatError> {
    let file = match location {
        Location::Path(path) => return Ok(buffered(open_regular(path)?)),
        Location::Url(url) => {
            RangeReader::open(url, HttpOptions::default()).and_then(|mut remote| {
                let n_bytes = remote.n_bytes();
                remote.will_need(0..n_bytes);
                let mut copy = tempfile::tempfile()?;
                io::copy(&mut remote, &mut copy)?;
                copy.rewind()?;
                Ok(copy)
            })
        }
    }
    .map_err(|e| FormatError::read(location, e))?;
    Ok(buffered(file))
}

fn buffered(file: File) -> BufReader<File> {
    BufReader::with_capacity(1 << 16, file)
}
