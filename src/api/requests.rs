//! Bodies of requests, and the answer to events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;

/// The acknowledgement of an alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who acknowledges it. With tokens, the name of the token is used instead.
    pub by: Option<String>,
}

/// Feedback: whether an alert was useful.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    pub useful: bool,
    pub note: Option<String>,
}

/// A page that is to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resend {
    /// Only to this receiver; default: to every receiver that did not get it.
    pub receiver: Option<String>,
}

/// Planned work as a person enters it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// An entry with the same id is replaced.
    pub id: String,
    pub starts_at: String,
    pub ends_at: String,
    pub region: Option<String>,
    pub service: Option<String>,
    pub impact: Option<String>,
    pub text: Option<String>,
}

/// An event that was not accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// Position in the request, from 0.
    pub index: usize,
    /// Position in the batch at `index`, from 0; only for events of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<usize>,
    pub reason: String,
}

/// The outcome of the events of one request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub accepted: usize,
    pub rejected: Vec<Rejected>,
}

/// Why no event was accepted, with the reason for each event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    #[serde(flatten)]
    pub problem: Problem,
    #[serde(flatten)]
    pub answer: Accepted,
}
