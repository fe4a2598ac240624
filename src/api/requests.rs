//! Bodies that people send, and the answer to events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;

/// Someone takes an alert on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who takes it on. Where there are tokens, the token's name is used instead.
    pub by: Option<String>,
}

/// Whether an alert was of use.
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
    /// Only to this receiver; to all that did not get it by default.
    pub receiver: Option<String>,
}

/// Planned work as a person enters it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// Given again, it replaces.
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
    pub reason: String,
}

/// What became of the events of one request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub accepted: usize,
    pub rejected: Vec<Rejected>,
}

/// A problem that also says what became of the events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    #[serde(flatten)]
    pub problem: Problem,
    #[serde(flatten)]
    pub answer: Accepted,
}
