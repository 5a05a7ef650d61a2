//! Where a signal file is, and what tells one version of it from another.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::FormatError;
use super::http::{HttpOptions, RangeReader};
use persea_files::open_regular;

/// Where a signal file is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// On this machine.
    Path(PathBuf),
    /// On an HTTP or HTTPS server.
    Url(String),
}

impl Location {
    /// An `http://` or `https://` URL, or else a path, relative to `base_dir`.
    pub fn parse(text: &str, base_dir: &Path) -> Self {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            Location::Url(text.to_string())
        } else {
            Location::Path(base_dir.join(text))
        }
    }

    /// The last part of its name, without a URL's query.
    pub(super) fn file_name(&self) -> String {
        match self {
            Location::Path(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            Location::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or(url);
                let (_, path) = path.split_once("://").unwrap_or(("", path));
                path.split_once('/')
                    .and_then(|(_, path)| path.rsplit('/').next())
                    .unwrap_or_default()
                    .to_string()
            }
        }
    }

    /// Refuses a path where no file is.
    pub(super) fn check(&self) -> Result<(), FormatError> {
        if let Location::Path(path) = self {
            open_regular(path)?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => path.display().fmt(f),
            Location::Url(url) => f.write_str(url),
        }
    }
}

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
            Ok(reader.identity())
        }
    }
}

/// A checksum of a file: BLAKE3 of its content, in hex; of a remote one, of URL, ETag and length.
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
            let etag = identity.etag.unwrap_or_default();
            for part in [url.as_str(), &etag, &identity.bytes.to_string()] {
                hasher.update(part.as_bytes());
                hasher.update(b"\n");
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_manifest_and_urls_to_nothing() {
        let base = Path::new("/data/tracks");
        assert_eq!(
            Location::parse("a.bw", base),
            Location::Path("/data/tracks/a.bw".into())
        );
        assert_eq!(
            Location::parse("/b/a.bw", base),
            Location::Path("/b/a.bw".into())
        );
        let url = "HTTPS://host/a.bw";
        assert_eq!(Location::parse(url, base), Location::Url(url.into()));
    }

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

    #[test]
    fn a_missing_file_and_a_folder_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Location::Path(dir.path().join("none.bw"));
        let message = missing.check().unwrap_err().to_string();
        assert!(
            message.contains("cannot read") && message.contains("none.bw"),
            "{message}"
        );
        let folder = Location::Path(dir.path().to_path_buf());
        assert!(folder.check().unwrap_err().to_string().contains("folder"));
    }
}
