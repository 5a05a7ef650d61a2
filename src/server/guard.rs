//! Who may ask, and what stands on every response.
//!
//! A page of another site can make a browser ask a server of this machine. Its Origin gives it away where
//! the browser sends one, and its Host where it reaches the server by a name of its own; both are checked.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::error::Refusal;

/// The name of the cookie that holds the token.
pub(super) const COOKIE: &str = "persea_token";

/// `unsafe-eval` is for regl, which compiles its own drawing commands for the map; scripts still come from
/// this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// By what names the server may be reached, and with what token.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub token: Option<String>,
    /// Names beside this machine's own.
    pub hosts: Vec<String>,
    /// Whether any address of this machine will do, as when others may ask.
    pub any_address: bool,
}

impl Guard {
    /// Checks Host and Origin.
    pub fn check_site(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        if !self.allows(host) {
            let message = format!("`{host}` is no name of this server (option `allow-host`)");
            return Err(Refusal::new(StatusCode::FORBIDDEN, message));
        }
        let foreign = text(header::ORIGIN).is_some_and(|origin| origin != format!("http://{host}"));
        // Without an Origin, some browsers still say that another site's page asks.
        let fetched = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
        let navigates = headers
            .get("sec-fetch-mode")
            .is_some_and(|v| v == "navigate");
        if foreign || (fetched == Some("cross-site") && !navigates) {
            let message = "a page of another site asks: its requests are refused";
            return Err(Refusal::new(StatusCode::FORBIDDEN, message));
        }
        Ok(())
    }

    fn allows(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => name,
            _ => host,
        };
        let name = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        let address = name.parse::<IpAddr>().ok();
        name == "localhost"
            || address.is_some_and(|a| a.is_loopback() || self.any_address)
            || self.hosts.iter().any(|h| h.eq_ignore_ascii_case(&name))
    }

    /// Checks the token: of the address, of a cookie, or of the header Authorization.
    pub fn check_token(
        &self,
        headers: &HeaderMap,
        of_address: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
        let cookies = text(header::COOKIE).unwrap_or_default().split(';');
        let cookie = cookies
            .filter_map(|c| c.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .map(|(_, value)| value);
        let given = [of_address, bearer, cookie];
        match given.into_iter().flatten().any(|g| is_same(g, token)) {
            true => Ok(()),
            false => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "this server wants its token: open the address that it printed",
            )),
        }
    }
}

/// Compares digests, so that the time it takes says nothing of the token.
pub(super) fn is_same(given: &str, token: &str) -> bool {
    blake3::hash(given.as_bytes()) == blake3::hash(token.as_bytes())
}

/// Puts the policy of every response on one.
pub(super) fn seal(headers: &mut HeaderMap) {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(guard: &Guard, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        guard.check_site(&headers).is_ok()
    }

    #[test]
    fn only_this_machine_s_names_are_answered_and_no_page_of_another_site() {
        let guard = Guard {
            token: None,
            hosts: vec!["lab.example".into()],
            any_address: false,
        };
        for host in [
            "localhost:80",
            "127.0.0.1:7",
            "[::1]:7",
            "LAB.example:7",
            "localhost",
        ] {
            assert!(asked(&guard, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "10.0.0.1:7",
            "",
            "127.0.0.1.evil.example:7",
            "localhost.:7",
        ] {
            assert!(!asked(&guard, &[("host", host)]), "{host}");
        }
        let host = ("host", "localhost:7");
        assert!(asked(&guard, &[host, ("origin", "http://localhost:7")]));
        assert!(!asked(&guard, &[host, ("origin", "http://localhost:8")]));
        assert!(!asked(&guard, &[host, ("origin", "null")]));
        assert!(!asked(&guard, &[host, ("sec-fetch-site", "cross-site")]));
        let open = Guard {
            any_address: true,
            ..guard
        };
        assert!(asked(&open, &[("host", "10.0.0.1:7")]));
        assert!(!asked(&open, &[("host", "evil.example:7")]));
    }

    #[test]
    fn a_token_comes_with_the_address_a_header_or_a_cookie() {
        let guard = Guard {
            token: Some("abc".into()),
            hosts: Vec::new(),
            any_address: true,
        };
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            guard.check_token(&headers, None).is_ok()
        };
        assert!(with("authorization", "Bearer abc"));
        assert!(with("cookie", "x=1; persea_token=abc"));
        assert!(!with("authorization", "Bearer abcd"));
        assert!(!with("cookie", "token=abc"));
        assert!(guard.check_token(&HeaderMap::new(), Some("abc")).is_ok());
        assert!(guard.check_token(&HeaderMap::new(), None).is_err());
    }
}
