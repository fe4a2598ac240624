//! Questions to an instance that does not lead go to the one that does.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::state::ApiState;

/// Set on what is sent on: it is not sent on again.
const FORWARDED: HeaderName = HeaderName::from_static("x-surgecast-forwarded");
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Of one connection between two instances, which others may stand between.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::TE,
];

/// The client that questions are sent on with.
///
/// # Errors
/// If TLS of this machine cannot be used.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN);
    client.redirect(reqwest::redirect::Policy::none()).build()
}

/// Answers here if this instance leads, or sends the request on. Events are taken anywhere.
pub async fn to_leader(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let is_events = request.uri().path() == "/api/v1/events" && state.writer.is_some();
    if state.leads.leads() || is_events {
        return next.run(request).await;
    }
    if request.headers().contains_key(FORWARDED) {
        return Problem::busy("this instance does not lead any more: try again").into_response();
    }
    let Some(leader) = state.leads.leader_url() else {
        return Problem::busy("no instance leads yet: try again").into_response();
    };
    match send(&state, &leader, request).await {
        Ok(response) => response,
        Err(why) => Problem::busy(format!("the leader does not answer: {why}")).into_response(),
    }
}

async fn send(state: &ApiState, leader: &str, request: Request) -> Result<Response, String> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let body = axum::body::to_bytes(body, state.info.body_bytes_max).await;
    let body = body.map_err(|error| error.to_string())?;
    let mut headers = end_to_end(&parts.headers);
    headers.insert(FORWARDED, axum::http::HeaderValue::from_static("1"));
    let answer = state
        .forward
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

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in HOP_BY_HOP {
        kept.remove(name);
    }
    kept
}
