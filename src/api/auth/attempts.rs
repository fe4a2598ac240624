//! Sign-ins with an unknown token: each is counted, logged and answered with a delay.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::api::problem::Problem;
use crate::domain::printable;
use crate::telemetry::{LogLimit, Metrics};

/// Time until a failed sign-in is answered.
const ANSWER_AFTER: Duration = Duration::from_secs(1);
/// Maximum number of failed sign-ins that wait at a time. Further ones get 429.
const WAITING_MAX: usize = 64;

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Failed sign-ins. They never hold up a request with a valid token.
#[derive(Debug)]
pub struct Attempts {
    places: Semaphore,
    line: LogLimit,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING_MAX), line: LogLimit::default() }
    }
}

/// Where a request comes from, for a log line.
pub fn origin_of(request: &Request) -> String {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    let peer = peer.unwrap_or_else(|| "an unknown address".into());
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    match forwarded {
        Some(text) => {
            let text: String = text.chars().take(100).collect();
            format!("{peer} (for {})", printable(&text))
        }
        None => peer,
    }
}

impl Attempts {
    /// Counts and logs a failed sign-in, then waits. Returns its answer.
    pub async fn failed(&self, from: String, metrics: &Metrics) -> Problem {
        metrics.refused("token");
        if let Some(count) = self.line.due() {
            tracing::warn!(
                count,
                "api: sign-in with an unknown token from {from}; if it is yours, compare it with server.tokens_file"
            );
        }
        match self.places.try_acquire() {
            Ok(_place) => {
                tokio::time::sleep(ANSWER_AFTER).await;
                Problem::new(StatusCode::UNAUTHORIZED, "this token is not known")
            }
            Err(_) => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many failed sign-ins wait for their answer: try again later",
            )
            .retry_after(5),
        }
    }
}
