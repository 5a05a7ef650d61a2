//! Blocked gzip (the SAM specification, section 4.1): any gzip reads it, and tabix can index it.

use std::io::{self, Write};

use libdeflater::{CompressionLvl, Compressor, Crc};

/// The bytes of a block before they are packed; htslib's choice, which always fits when packed.
const BLOCK_BYTES: usize = 0xff00;

/// The empty block that ends a file.
const END: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// Packs what is written to it.
pub(super) struct BgzipWriter<W: Write> {
    out: W,
    compressor: Compressor,
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl<W: Write> BgzipWriter<W> {
    pub fn new(out: W) -> Self {
        BgzipWriter {
            out,
            compressor: Compressor::new(CompressionLvl::default()),
            block: Vec::with_capacity(BLOCK_BYTES),
            packed: Vec::new(),
        }
    }

    /// Writes what is left and the end, and gives back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.put_block()?;
        self.out.write_all(&END)?;
        Ok(self.out)
    }

    fn put_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let bound = self.compressor.deflate_compress_bound(self.block.len());
        self.packed.resize(bound, 0);
        let n = self
            .compressor
            .deflate_compress(&self.block, &mut self.packed)
            .map_err(|e| io::Error::other(e.to_string()))?;
        let n_bytes = (END.len() - 2 + n) as u16;
        let mut crc = Crc::new();
        crc.update(&self.block);
        self.out.write_all(&END[..16])?;
        self.out.write_all(&(n_bytes - 1).to_le_bytes())?;
        self.out.write_all(&self.packed[..n])?;
        self.out.write_all(&crc.sum().to_le_bytes())?;
        self.out
            .write_all(&(self.block.len() as u32).to_le_bytes())?;
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for BgzipWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK_BYTES {
            self.put_block()?;
        }
        let n = buffer.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend(&buffer[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn gzip_reads_it_whatever_it_holds_and_blocks_say_their_size() {
        let mut state = 1u32;
        let noise: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        for content in [vec![], vec![b'a'; 70_000], noise] {
            let mut out = BgzipWriter::new(Vec::new());
            for part in content.chunks(999) {
                out.write_all(part).unwrap();
            }
            let bytes = out.finish().unwrap();
            let mut back = Vec::new();
            let mut gzip = flate2::read::MultiGzDecoder::new(&bytes[..]);
            gzip.read_to_end(&mut back).unwrap();
            assert!(back == content);
            let (mut at, mut n_blocks) = (0, 0);
            while at < bytes.len() {
                assert_eq!(bytes[at..at + 4], END[..4]);
                at += usize::from(u16::from_le_bytes([bytes[at + 16], bytes[at + 17]])) + 1;
                n_blocks += 1;
            }
            assert_eq!(at, bytes.len());
            assert_eq!(n_blocks, content.len().div_ceil(BLOCK_BYTES) + 1);
        }
    }
}
