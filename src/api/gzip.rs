//! Decodes request bodies in gzip.
//!
//! A body may have several members (RFC 1952), as from `cat a.gz b.gz`. The general decompression of tower-http reads only the
//! first.

use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::middleware::Next;
use axum::response::Response;
use futures::TryStreamExt as _;
use tokio_util::io::{ReaderStream, StreamReader};

/// Passes a request on with its body decoded, if that is gzip.
pub async fn layer(mut request: Request, next: Next) -> Response {
    let encoding = request.headers().get(CONTENT_ENCODING);
    let is_gzip = encoding.is_some_and(|value| {
        [&b"gzip"[..], b"x-gzip"].iter().any(|name| value.as_bytes().eq_ignore_ascii_case(name))
    });
    if is_gzip {
        request.headers_mut().remove(CONTENT_ENCODING);
        request.headers_mut().remove(CONTENT_LENGTH);
        request = request.map(decoded);
    }
    next.run(request).await
}

fn decoded(body: Body) -> Body {
    let bytes = body.into_data_stream().map_err(io::Error::other);
    let mut decoder = GzipDecoder::new(StreamReader::new(bytes));
    decoder.multiple_members(true);
    Body::from_stream(ReaderStream::new(decoder))
}
