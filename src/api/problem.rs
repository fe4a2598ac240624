//! Errors as RFC 9457 problems. Errors of the caller are explained in the answer, internal errors are logged.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// Why a request failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    /// What is wrong and what would work.
    detail: String,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of any status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// The answer with further members; `body` has these and those of the problem.
    pub fn with<T: Serialize>(&self, body: &T) -> Response {
        let body = serde_json::to_string(body).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status(), [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// 400: the caller can correct the request.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 507.
    pub fn full(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, detail)
    }

    /// 503: the caller may repeat the request.
    pub fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(5)
    }

    /// The caller may repeat the request after this many seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.with(&self)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            _ if error.is_full() => Self::full(error.to_string()),
            StoreError::LogFull { .. }
            | StoreError::Busy
            | StoreError::Disk(_)
            | StoreError::Moved { .. } => Self::busy(error.to_string()),
            _ => {
                tracing::error!(%error, "api: the store failed during a request");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the store failed; the service's log says why",
                )
            }
        }
    }
}
