//! A whole file of a server, to the disk: in parts, resumed where an earlier call stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::HttpOptions;
use super::range::RangeClient;
use crate::{FormatError, Location, md5};

/// Bytes of one request.
const PART_BYTES: u64 = 8 << 20;

/// How fetching a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// The file is there, whole.
    Whole,
    /// The caller asked to stop; what has come is kept for the next call.
    Stopped,
}

/// Fetches a file of an HTTP server. It appears under its name when it is whole and its MD5 is the one
/// given; until then it grows as `NAME.part`. With an MD5, a part that an earlier call left is
/// continued; without one, nothing could tell whether it is of the same version, and it is fetched anew.
///
/// `progress` gets the bytes there are and the file's length after each part; `false` stops.
///
/// # Errors
/// When the server cannot be reached or does not answer byte ranges, the disk cannot be written, the file
/// changes meanwhile, or its MD5 is another one (the part is removed then).
pub fn fetch(
    url: &str,
    to: &Path,
    expected_md5: Option<&str>,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Fetched, FormatError> {
    fetch_with(
        url,
        to,
        expected_md5,
        progress,
        &HttpOptions::default(),
        PART_BYTES,
    )
}

/// The name under which a file grows.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn fetch_with(
    url: &str,
    to: &Path,
    expected_md5: Option<&str>,
    progress: &mut dyn FnMut(u64, u64) -> bool,
    options: &HttpOptions,
    part_bytes: u64,
) -> Result<Fetched, FormatError> {
    let location = Location::Url(url.to_string());
    location.check()?;
    let read = |e: io::Error| FormatError::read(&location, e);
    let part = part_of(to);
    let write = |e: io::Error| FormatError::write(part.display(), e);
    let client = RangeClient::new(url, options);
    let (version, _) = client.fetch(0, 1).map_err(read)?;
    let mut file = open_part(&part, expected_md5.is_some(), version.n_bytes).map_err(write)?;
    let mut n_there = file.metadata().map_err(write)?.len();
    while n_there < version.n_bytes {
        if !progress(n_there, version.n_bytes) {
            return Ok(Fetched::Stopped);
        }
        let n = part_bytes.min(version.n_bytes - n_there);
        let (of, bytes) = client.fetch(n_there, n).map_err(read)?;
        if of != version {
            return Err(FormatError::file(
                &location,
                "it changed on the server while it was being fetched; try again",
            ));
        }
        file.write_all(&bytes).map_err(write)?;
        n_there += bytes.len() as u64;
    }
    file.sync_all().map_err(write)?;
    drop(file);
    if let Some(expected) = expected_md5 {
        let found = md5(&part)?;
        if !found.eq_ignore_ascii_case(expected) {
            std::fs::remove_file(&part).map_err(write)?;
            return Err(FormatError::file(
                &location,
                format!(
                    "the MD5 of what was fetched is {found}, the table says {expected}; it is not kept. \
                     Fetch it again; if that does not help, the table is of another version"
                ),
            ));
        }
    }
    std::fs::rename(&part, to).map_err(|e| FormatError::write(to.display(), e))?;
    progress(version.n_bytes, version.n_bytes);
    Ok(Fetched::Whole)
}

/// The file's part, to be appended to; emptied where it cannot be continued.
fn open_part(part: &Path, may_continue: bool, n_bytes: u64) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(part)?;
    if !may_continue || file.metadata()?.len() > n_bytes {
        file.set_len(0)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::test_server::{Behaviour, TestServer};
    use super::*;

    fn quick() -> HttpOptions {
        HttpOptions {
            pause: Duration::from_millis(1),
            ..HttpOptions::default()
        }
    }

    /// 1,000 bytes; their MD5 by md5sum of coreutils.
    fn content() -> Vec<u8> {
        b"0123456789".repeat(100)
    }
    const MD5: &str = "427008b3fe192f663d665f56cd75716c";

    #[test]
    fn a_fetch_that_was_stopped_continues_where_it_was() {
        let server = TestServer::start(content(), Behaviour::Truncates { times: 0 });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a.bigWig");
        let mut n_calls = 0;
        let mut twice = |_, _| {
            n_calls += 1;
            n_calls <= 2
        };
        let sum = md5_of(&content());
        let stopped = fetch_with(&server.url(), &to, Some(&sum), &mut twice, &quick(), 300);
        assert_eq!(stopped.unwrap(), Fetched::Stopped);
        assert!(!to.exists());
        assert_eq!(part_of(&to).metadata().unwrap().len(), 600);
        let sent = server.n_sent();
        let whole = fetch_with(
            &server.url(),
            &to,
            Some(&sum),
            &mut |_, _| true,
            &quick(),
            300,
        );
        assert_eq!(whole.unwrap(), Fetched::Whole);
        assert_eq!(std::fs::read(&to).unwrap(), content());
        assert!(!part_of(&to).exists());
        // One byte tells the version; 400 bytes were left.
        assert_eq!(server.n_sent() - sent, 401);
    }

    #[test]
    fn a_file_of_another_md5_is_not_kept() {
        let server = TestServer::start(content(), Behaviour::Truncates { times: 0 });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a.bigWig");
        let other = "00000000000000000000000000000001";
        let failed = fetch_with(
            &server.url(),
            &to,
            Some(other),
            &mut |_, _| true,
            &quick(),
            300,
        );
        let message = failed.unwrap_err().to_string();
        assert!(message.contains(other), "{message}");
        assert!(!to.exists() && !part_of(&to).exists());
    }

    #[test]
    fn a_part_of_an_unknown_version_is_fetched_anew() {
        let server = TestServer::start(content(), Behaviour::Truncates { times: 0 });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a.bigWig");
        std::fs::write(part_of(&to), "another version's beginning").unwrap();
        let whole = fetch_with(&server.url(), &to, None, &mut |_, _| true, &quick(), 300);
        assert_eq!(whole.unwrap(), Fetched::Whole);
        assert_eq!(std::fs::read(&to).unwrap(), content());
    }

    #[test]
    fn the_md5_is_that_of_the_reference_program() {
        assert_eq!(md5_of(&content()), MD5);
        // RFC 1321, appendix A.5.
        assert_eq!(md5_of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    fn md5_of(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        md5(&path).unwrap()
    }
}
