//! Forwards requests from a standby to the leader.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

/// Marks forwarded requests: they are not forwarded again.
const FORWARDED: HeaderName = HeaderName::from_static("x-surgecast-forwarded");
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Headers that concern a single connection. They are not forwarded.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::TE,
];

/// Forwards requests to the leader.
#[derive(Clone, Debug)]
pub struct Forwarder(reqwest::Client);

impl Forwarder {
    /// Makes a forwarder.
    ///
    /// # Errors
    /// If the TLS library cannot be initialised.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN);
        client.redirect(reqwest::redirect::Policy::none()).build().map(Self)
    }

    /// Forwards a request to `leader`, such as `http://10.0.0.7:8080`. The body has at most `body_bytes_max` bytes.
    ///
    /// # Errors
    /// The reason, if there is no answer.
    pub async fn send(
        &self,
        leader: &str,
        body_bytes_max: usize,
        request: Request,
    ) -> Result<Response, String> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let body = axum::body::to_bytes(body, body_bytes_max).await;
        let body = body.map_err(|error| error.to_string())?;
        let mut headers = end_to_end(&parts.headers);
        headers.insert(FORWARDED, HeaderValue::from_static("1"));
        let answer = self
            .0
            .request(parts.method, format!("{leader}{path}"))
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = end_to_end(answer.headers());
        *response.body_mut() = Body::from_stream(answer.bytes_stream());
        Ok(response)
    }
}

/// Whether another instance forwarded the request.
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in HOP_BY_HOP {
        kept.remove(name);
    }
    kept
}
