//! A remote file as bytes that can be read at any place.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::range::{HttpOptions, RangeClient, Version};

/// Reads a remote file by ranges, keeping the blocks that were read last.
pub(crate) struct RangeReader {
    client: RangeClient,
    options: HttpOptions,
    version: Version,
    position: u64,
    /// What has been announced as needed next.
    needed: Range<u64>,
    blocks: HashMap<u64, Block>,
    clock: u64,
    n_fetched: u64,
}

struct Block {
    bytes: Vec<u8>,
    used: u64,
}

impl RangeReader {
    /// Opens a URL by asking for its first block.
    pub fn open(url: &str, options: HttpOptions) -> io::Result<Self> {
        let client = RangeClient::new(url, &options);
        let (version, bytes) = client.fetch(0, options.block_bytes)?;
        let mut reader = RangeReader {
            client,
            options,
            version,
            position: 0,
            needed: 0..0,
            blocks: HashMap::new(),
            clock: 0,
            n_fetched: 0,
        };
        reader.keep(0, bytes);
        Ok(reader)
    }

    /// The file's length.
    pub fn n_bytes(&self) -> u64 {
        self.version.n_bytes
    }

    /// Says that these bytes will be read next, in order: more of them are then fetched at once.
    pub fn will_need(&mut self, bytes: Range<u64>) {
        self.needed = bytes.start..bytes.end.min(self.version.n_bytes);
    }

    /// What tells this version of the file from another: its length and its ETag.
    pub fn version(&self) -> (u64, Option<String>) {
        (self.version.n_bytes, self.version.etag.clone())
    }

    /// How many bytes have come over the network.
    #[cfg(test)]
    pub fn n_fetched(&self) -> u64 {
        self.n_fetched
    }

    /// Fetches the block, and those after it that will be needed too.
    fn fetch(&mut self, block: u64) -> io::Result<()> {
        let size = self.options.block_bytes;
        let mut n_blocks = 1;
        if self.needed.contains(&(block * size)) || self.needed.contains(&self.position) {
            let end = self.needed.end.div_ceil(size);
            let most = self.options.read_ahead.max(1);
            n_blocks = (end.saturating_sub(block)).clamp(1, most);
            let cached = (1..n_blocks).find(|i| self.blocks.contains_key(&(block + i)));
            n_blocks = cached.unwrap_or(n_blocks);
        }
        let (version, bytes) = self.client.fetch(block * size, n_blocks * size)?;
        if version != self.version {
            return Err(io::Error::other(format!(
                "the file changed while it was being read ({} bytes, ETag {} before; {} bytes, \
                 ETag {} now): start again",
                self.version.n_bytes,
                self.version.etag.as_deref().unwrap_or("none"),
                version.n_bytes,
                version.etag.as_deref().unwrap_or("none"),
            )));
        }
        self.keep(block, bytes);
        Ok(())
    }

    fn keep(&mut self, first: u64, bytes: Vec<u8>) {
        self.n_fetched += bytes.len() as u64;
        for (i, chunk) in bytes.chunks(self.options.block_bytes as usize).enumerate() {
            self.clock += 1;
            let block = Block {
                bytes: chunk.to_vec(),
                used: self.clock,
            };
            self.blocks.insert(first + i as u64, block);
        }
        let most = self
            .options
            .cached_blocks
            .max(self.options.read_ahead as usize);
        if self.blocks.len() > most {
            let mut ages: Vec<(u64, u64)> = self.blocks.iter().map(|(i, b)| (b.used, *i)).collect();
            ages.sort_unstable();
            for (_, block) in &ages[..ages.len() - most] {
                self.blocks.remove(block);
            }
        }
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.version.n_bytes || buffer.is_empty() {
            return Ok(0);
        }
        let size = self.options.block_bytes;
        let block = self.position / size;
        if !self.blocks.contains_key(&block) {
            self.fetch(block)?;
        }
        self.clock += 1;
        let Some(kept) = self.blocks.get_mut(&block) else {
            return Err(io::Error::other("a block that was fetched is not there"));
        };
        kept.used = self.clock;
        let from = (self.position % size) as usize;
        let bytes = match kept.bytes.get(from..) {
            Some(bytes) if !bytes.is_empty() => bytes,
            // An end of the file here would hide that bytes are missing.
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server sent fewer bytes than it announced",
                ));
            }
        };
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for RangeReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.version.n_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a position before the file's start",
            )
        })?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::test_server::{Behaviour, TestServer};
    use super::*;

    fn impatient() -> HttpOptions {
        HttpOptions {
            connect: Duration::from_secs(2),
            response: Duration::from_millis(200),
            body: Duration::from_millis(200),
            retries: 2,
            pause: Duration::from_millis(1),
            block_bytes: 1_000,
            read_ahead: 8,
            cached_blocks: 8,
        }
    }

    fn content(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i * 7 % 251) as u8).collect()
    }

    fn failure(behaviour: Behaviour) -> (String, usize) {
        let server = TestServer::start(content(5_000), behaviour);
        let result = RangeReader::open(&server.url(), impatient()).and_then(|mut reader| {
            let mut all = Vec::new();
            reader.read_to_end(&mut all)
        });
        (result.unwrap_err().to_string(), server.n_requests())
    }

    #[test]
    fn bytes_at_any_place_are_the_file_s_and_come_once() {
        let content = content(12_345);
        let server = TestServer::start(content.clone(), Behaviour::Good);
        let mut reader = RangeReader::open(&server.url(), impatient()).unwrap();
        assert_eq!(reader.n_bytes(), 12_345);
        let mut part = vec![0; 2_500];
        for start in [7_000, 7_400, 12_345 - 2_500] {
            reader.seek(SeekFrom::Start(start)).unwrap();
            reader.read_exact(&mut part).unwrap();
            assert_eq!(part, content[start as usize..start as usize + 2_500]);
        }
        // Blocks 0, 7 to 9 and 10 to 12, of which the last is partial.
        assert_eq!(reader.n_fetched(), 6 * 1_000 + 345);
        reader.seek(SeekFrom::Start(12_000)).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, content[12_000..]);
    }

    #[test]
    fn bytes_that_will_be_needed_come_in_few_requests_and_the_cache_stays_bounded() {
        let content = content(50_000);
        let server = TestServer::start(content.clone(), Behaviour::Good);
        let mut reader = RangeReader::open(&server.url(), impatient()).unwrap();
        reader.will_need(0..50_000);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, content);
        assert_eq!(reader.n_fetched(), 50_000);
        // The first block, then 49 more, 8 at once.
        assert_eq!(server.n_requests(), 8);
        assert!(reader.blocks.len() <= 8);
    }

    #[test]
    fn read_ahead_ends_with_what_will_be_needed() {
        let server = TestServer::start(content(50_000), Behaviour::Good);
        let mut reader = RangeReader::open(&server.url(), impatient()).unwrap();
        reader.will_need(20_100..22_900);
        reader.seek(SeekFrom::Start(20_100)).unwrap();
        reader.read_exact(&mut [0; 2_800]).unwrap();
        assert_eq!(reader.n_fetched(), 4_000);
    }

    #[test]
    fn a_server_that_ignores_ranges_is_refused_at_once() {
        let (message, n) = failure(Behaviour::IgnoresRange);
        assert!(message.contains("ignores byte ranges"), "{message}");
        assert_eq!(n, 1);
    }

    #[test]
    fn a_content_range_that_was_not_asked_for_or_is_missing_is_refused() {
        let (message, _) = failure(Behaviour::WrongRange);
        assert!(
            message.contains("bytes 1-1000 of 5000 where 0-999 were asked for"),
            "{message}"
        );
        let (message, _) = failure(Behaviour::NoContentRange);
        assert!(message.contains("Content-Range is missing"), "{message}");
    }

    #[test]
    fn a_body_that_breaks_off_is_asked_for_again_and_then_given_up() {
        let (message, n) = failure(Behaviour::Truncates { times: usize::MAX });
        assert!(message.contains("broke off"), "{message}");
        assert!(message.contains("3 attempts"), "{message}");
        assert_eq!(n, 3);
        let content = content(5_000);
        let server = TestServer::start(content.clone(), Behaviour::Truncates { times: 2 });
        let mut reader = RangeReader::open(&server.url(), impatient()).unwrap();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, content);
    }

    #[test]
    fn a_server_error_is_waited_out_and_a_lasting_one_reported() {
        let server = TestServer::start(
            content(500),
            Behaviour::Fails {
                status: 500,
                times: 2,
            },
        );
        assert!(RangeReader::open(&server.url(), impatient()).is_ok());
        let (message, n) = failure(Behaviour::Fails {
            status: 503,
            times: usize::MAX,
        });
        assert!(message.contains("answered 503 (3 attempts)"), "{message}");
        assert_eq!(n, 3);
    }

    #[test]
    fn a_file_that_is_not_there_or_closed_to_us_is_reported_at_once() {
        for (status, why) in [(404, "no such file (404)"), (403, "denies access (403)")] {
            let (message, n) = failure(Behaviour::Fails {
                status,
                times: usize::MAX,
            });
            assert!(message.contains(why), "{message}");
            assert_eq!(n, 1);
        }
    }

    #[test]
    fn a_server_that_hangs_is_given_up_after_its_time() {
        let (message, n) = failure(Behaviour::Hangs);
        assert!(message.contains("timeout"), "{message}");
        assert_eq!(n, 3);
    }

    #[test]
    fn a_connection_that_nobody_accepts_is_an_error() {
        let url = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}/a.bw", listener.local_addr().unwrap())
        };
        assert!(RangeReader::open(&url, impatient()).is_err());
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error() {
        let (message, _) = failure(Behaviour::ChangesEtag { after: 2 });
        assert!(
            message.contains("changed while it was being read"),
            "{message}"
        );
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        let server = TestServer::start(Vec::new(), Behaviour::Good);
        let mut reader = RangeReader::open(&server.url(), impatient()).unwrap();
        assert_eq!(reader.n_bytes(), 0);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    }
}
