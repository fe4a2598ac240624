//! Server-sent events: changes, once they are stored.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::StreamExt;
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;

use super::language::Reads;
use super::problem::Problem;
use super::read::{open_recommendations, status_now};
use super::state::ApiState;
use crate::engine::StreamEvent;
use crate::text::Texts;
use crate::views;

/// Live stream of the events `windows`, `vintages` (new forecasts), `alert` and `status`
#[utoipa::path(get, path = "/stream", responses((status = 200, content_type = "text/event-stream", body = String), (status = 503, body = Problem)))]
pub async fn stream(
    State(state): State<ApiState>,
    Reads(texts): Reads,
) -> Result<impl IntoResponse, Problem> {
    let place = state
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many live streams are open"))?;
    let told = BroadcastStream::new(state.stream.subscribe());
    let mut stopping = state.stopping.clone();
    let told =
        told.take_until(Box::pin(async move { _ = stopping.wait_for(|stops| *stops).await }));
    let events = told.then(move |told| {
        let state = state.clone();
        // The place is held for as long as the stream lives.
        let _place = &place;
        async move {
            // A client that was too slow gets the status instead of the events it missed.
            let told = told.unwrap_or(StreamEvent::Status);
            Ok::<_, Infallible>(event(&state, &texts, told).await)
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

async fn event(state: &ApiState, texts: &Texts, told: StreamEvent) -> Event {
    let (name, data) = match told {
        StreamEvent::Windows { finalized_upto } => {
            ("windows", json!({ "settled_upto": finalized_upto.to_string() }))
        }
        StreamEvent::Vintages { issued_at } => {
            ("vintages", json!({ "issued_at": issued_at.to_string() }))
        }
        StreamEvent::Alert(alert) => {
            let mut alert = *alert;
            if let Ok(open) = open_recommendations(state).await {
                open.add_to(&mut alert);
            }
            ("alert", serde_json::to_value(views::Alert::new(&alert, texts)).unwrap_or_default())
        }
        StreamEvent::Status => match status_now(state).await {
            Ok(status) => ("status", serde_json::to_value(status).unwrap_or_default()),
            Err(_) => ("status", json!({})),
        },
    };
    Event::default().event(name).data(data.to_string())
}
