//! Probes and metrics, on an address of their own.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::problem::Problem;
use super::state::ApiState;
use crate::telemetry::Exposition;

/// `/live`, `/ready` and `/metrics`.
pub fn admin_router(state: ApiState) -> Router {
    Router::new()
        .route("/live", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { Problem::not_found("no such path: use /live, /ready or /metrics") })
        .with_state(state)
}

/// 200 while the service works, also with limitations (`degraded`); 503 while it does not.
async fn ready(State(state): State<ApiState>) -> Response {
    let report = state.health.report();
    let status =
        if report.status == "failing" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(report)).into_response()
}

/// In the text format that the scraper asks for.
async fn metrics(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Exposition::accepted(&accept.collect::<Vec<_>>().join(","));
    let text = state.metrics.text(format);
    ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
}
