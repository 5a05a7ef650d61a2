//! Where a signal file is.

use std::path::{Path, PathBuf};

use super::FormatError;
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
