//! bigWigs that no file holds: any range of their bytes, made from the bins that lie in it.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;

use super::app::App;
use super::error::Refusal;
use super::series::Series;
use super::state::Open;
use crate::formats::{BigWigLayout, Chunk};

/// Bytes of a response that are made at once, about.
const PIECE_BYTES: u64 = 1 << 20;
/// Bins that are read or imputed at once and kept: a chunk of a stored track.
const BLOCK_BINS: u64 = 1 << 14;
/// Sections of more bins take a while: what comes before one is sent first.
const LONG_SECTION: u64 = 1 << 17;

/// A bigWig that is asked for.
pub(super) struct File {
    series: Series,
    layout: Arc<BigWigLayout>,
}

impl File {
    pub fn new(series: Series, open: &Open) -> Self {
        let layout = series.layout(open);
        File { series, layout }
    }

    /// Bytes from an offset on: at least one, and at most up to `end`.
    fn piece(&self, open: &Open, offset: u64, end: u64) -> Result<Vec<u8>, Refusal> {
        let end = end.min(offset + PIECE_BYTES);
        let mut bytes = Vec::new();
        let mut at = offset;
        while at < end {
            let Some((begins, chunk)) = self.layout.at(at) else {
                break;
            };
            let skipped = (at - begins) as usize;
            let wanted = (end - at) as usize;
            let take = |whole: &[u8]| {
                // Nothing is refused below.
                let rest = whole.get(skipped..).unwrap_or_default();
                rest[..rest.len().min(wanted)].to_vec()
            };
            let taken = match chunk {
                Chunk::Frame(frame) => take(frame),
                Chunk::Section(section) => {
                    let bins = self.layout.bins(section);
                    if at > offset && bins.end - bins.start > LONG_SECTION {
                        break;
                    }
                    let values = self.values(open, bins)?;
                    take(&self.layout.encode(section, &values))
                }
            };
            if taken.is_empty() {
                let what = format!("byte {at} of a bigWig lies beyond its chunk");
                return Err(crate::Bug::new(what).into());
            }
            at += taken.len() as u64;
            bytes.extend(taken);
        }
        Ok(bytes)
    }

    /// Values of bins of one region, from blocks of the region that are kept for a while: summaries at
    /// any zoom are made of the same bins.
    fn values(&self, open: &Open, bins: Range<u64>) -> Result<Vec<f32>, Refusal> {
        let axis = self.series.axis(open);
        let region = axis.region_bins(axis.locate(bins.start).region);
        let mut values = Vec::with_capacity((bins.end - bins.start) as usize);
        let mut at = bins.start;
        while at < bins.end {
            let start = at - (at - region.start) % BLOCK_BINS;
            let block = start..(start + BLOCK_BINS).min(region.end);
            let kept = match open.recent.get(&self.series.key, start) {
                Some(kept) => kept,
                None => {
                    let made = Arc::new(self.series.signal(open, block.clone())?);
                    open.recent.put(&self.series.key, start, Arc::clone(&made));
                    made
                }
            };
            let end = bins.end.min(block.end);
            let of = (at - start) as usize..(end - start) as usize;
            let short = || crate::Bug::new("a block of a bigWig has fewer values than bins");
            values.extend_from_slice(kept.get(of).ok_or_else(short)?);
            at = end;
        }
        Ok(values)
    }
}

/// The range that a request asks for: all of the file without one.
fn range(headers: &HeaderMap, n_bytes: u64) -> Result<Option<Range<u64>>, Refusal> {
    let Some(text) = headers.get(header::RANGE).and_then(|v| v.to_str().ok()) else {
        return Ok(None);
    };
    let beyond = || {
        let message = format!("`{text}` asks for nothing of {n_bytes} bytes");
        Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, message)
    };
    // A unit or several ranges that are not understood: all of it, as HTTP allows.
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
        return Ok(None);
    };
    if last.contains(',') {
        return Ok(None);
    }
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| beyond());
    let range = match (first.trim(), last.trim()) {
        ("", last) => n_bytes.saturating_sub(number(last)?)..n_bytes,
        (first, "") => number(first)?..n_bytes,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(n_bytes),
    };
    match range.start < range.end {
        true => Ok(Some(range)),
        false => Err(beyond()),
    }
}

/// Answers a request for a bigWig or a range of it.
pub(super) async fn respond(
    app: App,
    file: Arc<File>,
    method: Method,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let n_bytes = file.layout.n_bytes();
    let etag = format!("\"{}\"", &file.series.key[..32]);
    let is_stale = (headers.get(header::IF_RANGE)).is_some_and(|v| v.as_bytes() != etag.as_bytes());
    let asked = match is_stale {
        true => None,
        false => range(headers, n_bytes)?,
    };
    let wanted = asked.clone().unwrap_or(0..n_bytes);
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::ETAG, etag)
        .header(header::CONTENT_LENGTH, wanted.end - wanted.start);
    if asked.is_some() {
        let Range { start, end } = wanted;
        let text = format!("bytes {start}-{}/{n_bytes}", end - 1);
        response =
            (response.status(StatusCode::PARTIAL_CONTENT)).header(header::CONTENT_RANGE, text);
    }
    let failed =
        |e: axum::http::Error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string());
    if method == Method::HEAD {
        return response.body(Body::empty()).map_err(failed);
    }
    // What fails at once is answered with a status.
    let first = next_piece(&app, &file, wanted.start, wanted.end).await?;
    let left = wanted.end - wanted.start;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut at = wanted.start + first.len() as u64;
        let mut piece = Ok(Bytes::from(first));
        loop {
            let failed = piece.is_err();
            // A client that has gone closes the channel; nothing is made for it any more.
            if sender.send(piece).await.is_err() || failed || at >= wanted.end {
                return;
            }
            piece = match next_piece(&app, &file, at, wanted.end).await {
                Ok(bytes) => {
                    at += bytes.len() as u64;
                    Ok(Bytes::from(bytes))
                }
                Err(refusal) => Err(std::io::Error::other(refusal.message)),
            };
        }
    });
    response
        .body(Body::new(Pieces { receiver, left }))
        .map_err(failed)
}

async fn next_piece(app: &App, file: &Arc<File>, at: u64, end: u64) -> Result<Vec<u8>, Refusal> {
    let file = Arc::clone(file);
    app.work(move |open| file.piece(open, at, end)).await
}

/// A body of pieces as they come.
struct Pieces {
    receiver: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    left: u64,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.receiver.poll_recv(context).map(|piece| {
            piece.map(|piece| {
                piece.map(|bytes| {
                    self.left = self.left.saturating_sub(bytes.len() as u64);
                    Frame::data(bytes)
                })
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_writes_them() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, text.parse().unwrap());
            range(&headers, 100).map_err(|r| r.status.as_u16())
        };
        assert_eq!(of("bytes=0-9"), Ok(Some(0..10)));
        assert_eq!(of("bytes=90-"), Ok(Some(90..100)));
        assert_eq!(of("bytes=-5"), Ok(Some(95..100)));
        assert_eq!(of("bytes=90-1000"), Ok(Some(90..100)));
        assert_eq!(of("bytes=100-"), Err(416));
        assert_eq!(of("bytes=9-3"), Err(416));
        assert_eq!(of("bytes=x-3"), Err(416));
        assert_eq!(of("bytes=0-1,3-4"), Ok(None));
        assert_eq!(of("lines=1-2"), Ok(None));
        assert!(matches!(range(&HeaderMap::new(), 100), Ok(None)));
    }
}
