//! Forwards requests to the leader, unless this instance leads.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::state::ApiState;
use crate::cluster::was_forwarded;

/// Answers the request if this instance leads, otherwise forwards it. Every instance accepts events.
pub async fn to_leader(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let is_events = request.uri().path() == "/api/v1/events" && state.writer.is_some();
    if state.leads.leads() || is_events {
        return next.run(request).await;
    }
    if was_forwarded(request.headers()) {
        return Problem::busy("this instance is no longer the leader: try again").into_response();
    }
    let Some(leader) = state.leads.leader_url() else {
        return Problem::busy("no leader is elected yet: try again").into_response();
    };
    match state.forward.send(&leader, state.info.body_bytes_max, request).await {
        Ok(response) => response,
        Err(why) => Problem::busy(format!("the leader does not answer: {why}")).into_response(),
    }
}
