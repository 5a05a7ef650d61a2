//! One range of a remote file: asked for, checked, and asked for again.

use std::io::{self, Read};
use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{ACCEPT_ENCODING, CONTENT_RANGE, ETAG, LAST_MODIFIED, RANGE};
use ureq::http::{HeaderMap, Uri};

/// How patient a reader is, and how much it asks for.
#[derive(Debug, Clone)]
pub(crate) struct HttpOptions {
    /// For the connection to stand.
    pub connect: Duration,
    /// For the answer's head to come.
    pub response: Duration,
    /// For each read of the answer's body.
    pub body: Duration,
    /// How often a request is repeated.
    pub retries: u32,
    /// The pause before the first repetition; it doubles each time.
    pub pause: Duration,
    /// The unit of what is fetched and cached.
    pub block_bytes: u64,
    /// How many blocks one request may fetch when it is known that they will be needed.
    pub read_ahead: u64,
    /// How many blocks are kept.
    pub cached_blocks: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            connect: Duration::from_secs(15),
            response: Duration::from_secs(30),
            body: Duration::from_secs(30),
            retries: 5,
            pause: Duration::from_millis(500),
            block_bytes: 1 << 16,
            read_ahead: 64,
            cached_blocks: 128,
        }
    }
}

/// Which version of the file the server speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub n_bytes: u64,
    pub etag: Option<String>,
}

/// Why a request failed, and whether it is worth repeating.
struct Failure {
    message: String,
    transient: bool,
}

impl Failure {
    fn transient(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            transient: true,
        }
    }

    fn lasting(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            transient: false,
        }
    }
}

/// Fetches ranges of one URL.
pub(super) struct RangeClient {
    agent: Agent,
    url: String,
    options: HttpOptions,
}

impl RangeClient {
    pub fn new(url: &str, options: &HttpOptions) -> Self {
        let mut config = Agent::config_builder();
        if is_this_machine(url) {
            config = config.proxy(None);
        }
        let agent = config
            .http_status_as_error(false)
            .timeout_connect(Some(options.connect))
            .timeout_recv_response(Some(options.response))
            .timeout_per_read(Some(options.body))
            // A server that sends a little now and then must not hold us for ever.
            .timeout_per_call(Some(options.body * 20))
            .user_agent(concat!("persea/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        RangeClient {
            agent,
            url: url.to_string(),
            options: options.clone(),
        }
    }

    /// Fetches `n_bytes` bytes from `start`, or up to the file's end, and says which version of
    /// the file they are of.
    pub fn fetch(&self, start: u64, n_bytes: u64) -> io::Result<(Version, Vec<u8>)> {
        let mut pause = self.options.pause;
        let mut attempt = 0;
        loop {
            match self.try_fetch(start, n_bytes) {
                Ok(answer) => return Ok(answer),
                Err(failure) if failure.transient && attempt < self.options.retries => {
                    attempt += 1;
                    tracing::debug!(
                        "{}: {}; trying again ({attempt} of {})",
                        crate::Location::Url(self.url.clone()),
                        failure.message,
                        self.options.retries
                    );
                    sleep(pause);
                    pause *= 2;
                }
                Err(failure) if attempt > 0 => {
                    let tries = attempt + 1;
                    return Err(io::Error::other(format!(
                        "{} ({tries} attempts)",
                        failure.message
                    )));
                }
                Err(failure) => return Err(io::Error::other(failure.message)),
            }
        }
    }

    fn try_fetch(&self, start: u64, n_bytes: u64) -> Result<(Version, Vec<u8>), Failure> {
        let last = start + n_bytes.max(1) - 1;
        let response = self
            .agent
            .get(&self.url)
            .header(RANGE, format!("bytes={start}-{last}"))
            .header(ACCEPT_ENCODING, "identity")
            .call()
            .map_err(failed_call)?;
        let status = response.status().as_u16();
        let headers = response.headers();
        match status {
            206 => {}
            200 => {
                return Err(Failure::lasting(
                    "the server ignores byte ranges (it answered 200, not 206): \
                     download the file and give its path",
                ));
            }
            416 if total_of_416(headers) == Some(0) => {
                let etag = validator(headers);
                return Ok((Version { n_bytes: 0, etag }, Vec::new()));
            }
            404 | 410 => {
                return Err(Failure::lasting(format!(
                    "the server has no such file ({status})"
                )));
            }
            401 | 403 => {
                return Err(Failure::lasting(format!(
                    "the server denies access ({status})"
                )));
            }
            408 | 425 | 429 | 500..=599 => {
                return Err(Failure::transient(format!("the server answered {status}")));
            }
            _ => return Err(Failure::lasting(format!("the server answered {status}"))),
        }
        let Some((from, to, total)) = content_range(headers) else {
            return Err(Failure::lasting(
                "the server's Content-Range is missing or does not give the file's length: \
                 download the file and give its path",
            ));
        };
        if from != start || to != last.min(total.saturating_sub(1)) || to < from {
            return Err(Failure::lasting(format!(
                "the server answered with bytes {from}-{to} of {total} where {start}-{last} \
                 were asked for"
            )));
        }
        let version = Version {
            n_bytes: total,
            etag: validator(headers),
        };
        let wanted = to - from + 1;
        let mut body = Vec::with_capacity(wanted as usize);
        response
            .into_body()
            .into_reader()
            .take(wanted)
            .read_to_end(&mut body)
            .map_err(|e| Failure::transient(format!("the answer broke off: {e}")))?;
        if body.len() as u64 != wanted {
            return Err(Failure::transient(format!(
                "the answer broke off after {} of {wanted} bytes",
                body.len()
            )));
        }
        Ok((version, body))
    }
}

/// Whether no proxy that the environment names can be meant.
fn is_this_machine(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| {
        let host = uri.host()?;
        Some(host.trim_matches(['[', ']']).to_ascii_lowercase())
    });
    host.is_some_and(|host| {
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

fn failed_call(error: ureq::Error) -> Failure {
    let message = match &error {
        ureq::Error::HostNotFound => "the host is not found".to_string(),
        // It repeats the URL, with its password.
        ureq::Error::BadUri(_) => "it is no URL".to_string(),
        other => other.to_string(),
    };
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => Failure::transient(message),
        _ => Failure::lasting(message),
    }
}

fn text(headers: &HeaderMap, name: ureq::http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The ETag, or what dates the file where there is none.
fn validator(headers: &HeaderMap) -> Option<String> {
    text(headers, ETAG)
        .or_else(|| text(headers, LAST_MODIFIED))
        .map(str::to_string)
}

/// First byte, last byte and total of `bytes 0-99/1000`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64, u64)> {
    let (range, total) = text(headers, CONTENT_RANGE)?
        .trim()
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (from, to) = range.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?, total.parse().ok()?))
}

/// The length in `bytes */1000`.
fn total_of_416(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, CONTENT_RANGE)?.trim();
    range.strip_prefix("bytes */")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_not_asked_for_files_of_this_machine() {
        for url in [
            "http://127.0.0.1:80/a",
            "http://LOCALHOST/a",
            "http://[::1]:8/a",
        ] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in ["http://127.example.org/a", "https://10.0.0.1/a", "no url"] {
            assert!(!is_this_machine(url), "{url}");
        }
    }
}
