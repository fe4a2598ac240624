//! Bodies that people send, and the answer to events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who takes it on.
    pub by: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    pub useful: bool,
    pub note: Option<String>,
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

#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// Position in the request, from 0.
    pub index: usize,
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub accepted: usize,
    pub rejected: Vec<Rejected>,
}
