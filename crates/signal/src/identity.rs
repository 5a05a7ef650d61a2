//! What tells one version of a signal file from another.

use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use md5::{Digest, Md5};

use super::http::{HttpOptions, RangeReader};
use super::location::without_secrets;
use super::{FormatError, Location};
use persea_files::open_regular;

/// What tells, without reading a file, that it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its length.
    pub bytes: u64,
    /// When a local file was last changed, in nanoseconds of Unix time.
    pub modified: Option<i64>,
    /// A remote file's ETag, or its `Last-Modified` where the server gives none.
    pub etag: Option<String>,
}

/// The identity of a file.
///
/// # Errors
/// When the file is missing, or the server cannot be asked.
pub fn identity(location: &Location) -> Result<Identity, FormatError> {
    location.check()?;
    match location {
        Location::Path(path) => {
            let metadata = std::fs::metadata(path).map_err(|e| FormatError::read(location, e))?;
            let modified = metadata.modified().ok().and_then(|time| {
                let since = time.duration_since(UNIX_EPOCH).ok()?;
                i64::try_from(since.as_nanos()).ok()
            });
            Ok(Identity {
                bytes: metadata.len(),
                modified,
                etag: None,
            })
        }
        Location::Url(url) => {
            // One byte tells all.
            let options = HttpOptions {
                block_bytes: 1,
                ..HttpOptions::default()
            };
            let reader =
                RangeReader::open(url, options).map_err(|e| FormatError::read(location, e))?;
            let (bytes, etag) = reader.version();
            Ok(Identity {
                bytes,
                modified: None,
                etag,
            })
        }
    }
}

/// A checksum of a file: BLAKE3 of its content, in hex; of a remote one, of its URL as it is shown,
/// ETag and length.
///
/// # Errors
/// When the file cannot be read, or the server cannot be asked.
pub fn checksum(location: &Location) -> Result<String, FormatError> {
    let mut hasher = blake3::Hasher::new();
    match location {
        Location::Path(path) => {
            let file = open_regular(path)?;
            hasher
                .update_reader(file)
                .map_err(|e| FormatError::read(location, e))?;
        }
        Location::Url(url) => {
            let identity = identity(location)?;
            // Some servers give none; the length is then all that tells versions apart.
            let etag = identity.etag.unwrap_or_default();
            let url = without_secrets(url);
            for part in [url.as_str(), &etag, &identity.bytes.to_string()] {
                hasher.update(part.as_bytes());
                hasher.update(b"\n");
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The MD5 of a local file, in hex: what portals list beside their files.
///
/// # Errors
/// When the file cannot be read.
pub fn md5(path: &Path) -> Result<String, FormatError> {
    let read = |e| FormatError::read(path.display(), e);
    let mut file = open_regular(path)?;
    let mut hasher = Md5::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(read)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    Ok(format!("{:x}", hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_has_another_identity_and_another_checksum() {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::Path(dir.path().join("a.bedgraph"));
        let path = dir.path().join("a.bedgraph");
        std::fs::write(&path, "abc").unwrap();
        let first = (identity(&location).unwrap(), checksum(&location).unwrap());
        // BLAKE3's own published digest of "abc".
        assert!(first.1.starts_with("6437b3ac38465133ffb63b75273a8db5"));
        assert_eq!(first.0.bytes, 3);
        std::fs::write(&path, "abcd").unwrap();
        assert_ne!(identity(&location).unwrap(), first.0);
        assert_ne!(checksum(&location).unwrap(), first.1);
    }
}
