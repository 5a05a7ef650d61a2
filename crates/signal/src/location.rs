//! Where a signal file is.

use std::path::{Path, PathBuf};

use super::FormatError;
use persea_files::open_regular;

/// Where a signal file is.
///
/// Shown (by `{}` and `{:?}`), a URL has neither its user's name and password nor a query that
/// carries a key: messages, logs and databases are handed on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// On this machine.
    Path(PathBuf),
    /// On an HTTP or HTTPS server; other schemes are refused when the file is opened.
    Url(String),
}

impl Location {
    /// A URL, or else a path, relative to `base_dir`; `file://` begins a path too.
    pub fn parse(text: &str, base_dir: &Path) -> Self {
        match scheme(text) {
            Some("file") => Location::Path(text["file://".len()..].into()),
            Some(_) => Location::Url(text.to_string()),
            None => Location::Path(base_dir.join(text)),
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

    /// Refuses a path where no file is, and a URL whose scheme is not read.
    pub(super) fn check(&self) -> Result<(), FormatError> {
        match self {
            Location::Path(path) => {
                open_regular(path)?;
            }
            Location::Url(url) => {
                let scheme = scheme(url).unwrap_or_default();
                if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                    return Err(FormatError::file(
                        self,
                        format!(
                            "{scheme}:// is not a scheme that is read; download the file, or give \
                             an https:// URL"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The scheme of a URL.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some(scheme)
}

/// A URL without the user's name and password, and without a query that carries a key.
pub(super) fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_string();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (tail, None),
    };
    let query = match query {
        Some(query) if has_key(query) => "?…".to_string(),
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    format!("{scheme}://{host}{path}{query}")
}

/// Whether a query names a signature, a token, a password or the like.
fn has_key(query: &str) -> bool {
    const WORDS: [&str; 10] = [
        "sig",
        "token",
        "key",
        "secret",
        "pass",
        "pwd",
        "auth",
        "credential",
        "policy",
        "session",
    ];
    let parameters = query.split(['&', ';', '#']);
    let mut names = parameters.map(|p| p.split('=').next().unwrap_or(p).to_ascii_lowercase());
    names.any(|name| WORDS.iter().any(|word| name.contains(word)))
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => path.display().fmt(f),
            Location::Url(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Location::Url(url) => f.debug_tuple("Url").field(&without_secrets(url)).finish(),
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
        assert_eq!(
            Location::parse("file:///b/a.bw", base),
            Location::Path("/b/a.bw".into())
        );
        assert_eq!(
            Location::parse("a:b/c.bw", base),
            Location::Path("/data/tracks/a:b/c.bw".into())
        );
    }

    #[test]
    fn schemes_that_are_not_read_are_named() {
        for scheme in ["s3", "gs", "ftp"] {
            let location = Location::parse(&format!("{scheme}://bucket/x.bw"), Path::new("/data"));
            let message = location.check().unwrap_err().to_string();
            let why = format!("{scheme}://bucket/x.bw: {scheme}:// is not a scheme");
            assert!(message.contains(&why), "{message}");
        }
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        for (url, shown) in [
            ("http://me:s3cret@host:81/a.bw", "http://host:81/a.bw"),
            ("https://t0ken@host/a@b.bw?x=1", "https://host/a@b.bw?x=1"),
            (
                "https://host/a.bw?X-Amz-Credential=AK&X-Amz-Signature=5ecret",
                "https://host/a.bw?…",
            ),
            (
                "https://host/a.bw?access_token=5ecret#x",
                "https://host/a.bw?…",
            ),
            ("https://host/a.bw?sv=1&sig=5ecret", "https://host/a.bw?…"),
            ("https://host?download=1", "https://host?download=1"),
        ] {
            let location = Location::Url(url.into());
            assert_eq!(location.to_string(), shown);
            let debugged = format!("{location:?}");
            assert!(
                !debugged.contains("ecret") && !debugged.contains("t0ken"),
                "{debugged}"
            );
        }
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
