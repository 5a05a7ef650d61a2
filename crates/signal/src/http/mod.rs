//! Files on HTTP servers, read by ranges so that a region costs only that region.
//!
//! The server must answer `206 Partial Content` with a `Content-Range` that is what was asked for.
//! What fails on the way (a dropped connection, a body cut short, 5xx, 429, a timeout) is tried
//! again with a growing pause; what cannot get better is an error at once. The file's length and
//! ETag must be the same in every answer: a file that is replaced while it is read is an error.

mod fetch;
mod range;
mod reader;
#[cfg(test)]
pub(super) mod test_server;

pub use fetch::{Fetched, fetch};
pub(super) use range::HttpOptions;
pub(super) use reader::RangeReader;
