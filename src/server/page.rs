//! The page: the files of `web/dist` as they were when the program was built.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

// `FILES`: each file's path below web/dist and its content; empty where the page was not built.
include!(concat!(env!("OUT_DIR"), "/page.rs"));

const WITHOUT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Persea</title></head>\
<body><h1>Persea</h1><p>This program was built without the page: its build found no <code>web/dist</code>. \
Build the page with <code>make web</code> (it needs Node.js) and the program again. The API is there: \
<a href=\"/api/v1/info\">/api/v1/info</a>, described by <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.\
</p></body></html>";

/// Whether the page was built in.
pub fn has_page() -> bool {
    !FILES.is_empty()
}

/// A file of the page.
pub(super) fn file(path: &str) -> Response<Body> {
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let found = FILES.iter().find(|(of, _)| *of == name);
    let (status, kind, bytes): (_, _, &'static [u8]) = match found {
        Some((_, bytes)) => (StatusCode::OK, kind(name), bytes),
        None if name == "index.html" => (StatusCode::OK, HTML, WITHOUT.as_bytes()),
        None => (
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            b"not found\n",
        ),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Names of assets contain a digest of what is in them.
    let cache = match name.starts_with("assets/") && status == StatusCode::OK {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

const HTML: &str = "text/html; charset=utf-8";

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => HTML,
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
