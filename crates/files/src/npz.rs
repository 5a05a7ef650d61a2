//! Archives of NumPy arrays (`.npz`): zip files with a member `NAME.npy` for each array.

use std::io::{self, Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// An archive that is read.
pub struct NpzReader<R> {
    zip: ZipArchive<R>,
}

impl<R: Read + Seek> NpzReader<R> {
    /// Reads the archive's directory.
    ///
    /// # Errors
    /// If the reader fails, or what it reads is not a whole archive.
    pub fn new(reader: R) -> io::Result<Self> {
        Ok(NpzReader {
            zip: ZipArchive::new(reader)?,
        })
    }

    /// The arrays' names, in the order of the archive's directory.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names();
        names
            .filter_map(|name| name.strip_suffix(".npy"))
            .map(str::to_string)
            .collect()
    }

    /// An array's bytes, its header included.
    ///
    /// # Errors
    /// If there is no such array, or it is packed in an unknown way. A wrong checksum is an error at the
    /// array's end.
    pub fn array<'a>(&'a mut self, name: &str) -> io::Result<NpzArray<impl Read + use<'a, R>>> {
        let member = self.zip.by_name(&format!("{name}.npy"))?;
        Ok(NpzArray {
            n_bytes: member.size(),
            reader: member,
        })
    }
}

/// An array of an archive: a reader of a `.npy` file.
pub struct NpzArray<R> {
    reader: R,
    n_bytes: u64,
}

impl<R> NpzArray<R> {
    /// The unpacked length that the archive states.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

impl<R: Read> Read for NpzArray<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// How an array lies in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is: quick, and right for numbers that hardly get smaller.
    Stored,
    /// Deflated.
    Deflated,
}

/// An archive that is written. The same arrays are the same bytes, whenever they are written.
pub struct NpzWriter<W: Write + Seek> {
    zip: ZipWriter<W>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// Begins an archive.
    pub fn new(writer: W) -> Self {
        NpzWriter {
            zip: ZipWriter::new(writer),
        }
    }

    /// Begins an array; what is written next is its `.npy` file. It may have more than 4 GB.
    ///
    /// # Errors
    /// If the writer fails, or the archive has an array of this name.
    pub fn begin(&mut self, name: &str, packing: Packing) -> io::Result<()> {
        let method = match packing {
            Packing::Stored => CompressionMethod::Stored,
            Packing::Deflated => CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default()
            .large_file(true)
            .compression_method(method)
            .last_modified_time(DateTime::default());
        Ok(self.zip.start_file(format!("{name}.npy"), options)?)
    }

    /// Ends the archive and returns what it was written to.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.zip.finish()?)
    }
}

impl<W: Write + Seek> Write for NpzWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.zip.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn archive() -> Vec<u8> {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        npz.begin("factors", Packing::Stored).unwrap();
        npz.write_all(b"not packed").unwrap();
        npz.begin("a/b", Packing::Deflated).unwrap();
        npz.write_all(&[7; 10_000]).unwrap();
        npz.finish().unwrap().into_inner()
    }

    #[test]
    fn arrays_are_read_as_they_were_written_and_at_any_time_in_the_same_bytes() {
        let bytes = archive();
        assert!(bytes.len() < 1_000, "the second array is packed");
        assert_eq!(bytes, archive());
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(npz.names(), ["factors", "a/b"]);
        let mut array = npz.array("a/b").unwrap();
        assert_eq!(array.n_bytes(), 10_000);
        let mut found = Vec::new();
        array.read_to_end(&mut found).unwrap();
        assert_eq!(found, [7; 10_000]);
        drop(array);
        assert!(npz.array("other").is_err());
    }

    #[test]
    fn a_flipped_bit_and_a_cut_are_noticed() {
        let mut bytes = archive();
        let at = bytes.windows(10).position(|w| w == b"not packed").unwrap();
        bytes[at] ^= 1;
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let mut found = Vec::new();
        let read = npz.array("factors").unwrap().read_to_end(&mut found);
        assert!(read.is_err());
        assert!(NpzReader::new(Cursor::new(&bytes[..bytes.len() - 30])).is_err());
    }
}
