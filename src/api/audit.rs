//! GET: the audit trail.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Actor;
use super::params::{self, Params};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::domain::{Act, AuditEntry, Timestamp};

/// Query parameters of the audit trail.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Maximum number of rows, 1 to 1000.
    pub limit: Option<usize>,
    /// Number of the last entry of the previous page.
    pub after: Option<i64>,
}

/// An entry of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct Audited {
    pub id: i64,
    pub at: String,
    /// The name of the token; without tokens, the name in the request.
    pub who: Option<String>,
    /// Whether `who` is the name of a token.
    pub signed_in: bool,
    /// `acknowledged`, `judged`, `roster_replaced`, `work_planned`, `work_cancelled`, `adjustment_entered`,
    /// `adjustment_removed`, `forgotten`, `page_resent`, `recommendation_accepted`, `recommendation_declined`,
    /// `recommendation_done`, `silence_entered` or `silence_ended`.
    pub act: &'static str,
    /// Id of the alert, the planned work, the adjustment, the recommendation or the silence that was ended; of a silence that was
    /// entered, its rule, region and service.
    pub subject: String,
    pub detail: String,
}

impl From<(i64, AuditEntry)> for Audited {
    fn from((id, entry): (i64, AuditEntry)) -> Self {
        let AuditEntry { at, who, is_signed_in, act, subject, detail } = entry;
        let (at, act) = (at.to_string(), act.as_str());
        Self { id, at, who, signed_in: is_signed_in, act, subject, detail }
    }
}

/// The audit trail: who changed what, newest first
#[utoipa::path(get, path = "/audit", params(AuditQuery), responses((status = 200, body = Vec<Audited>), (status = 400, body = Problem)))]
pub async fn audit(
    State(state): State<ApiState>,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Problem> {
    let limit = params::limit(query.limit)?;
    let rows = read(&state, move |reader| reader.audit(limit + 1, query.after)).await?;
    let rows: Vec<Audited> = rows.into_iter().map(Audited::from).collect();
    Ok(params::page_of(rows, limit, |last| last.id.to_string()))
}

impl Actor {
    /// The entry of what this person did. Its time is set when it is stored. Without tokens the person is `given`.
    pub(super) fn did(self, act: Act, subject: &str, given: Option<&str>) -> AuditEntry {
        let is_signed_in = self.0.is_some();
        let detail = match (&self.0, given) {
            (Some(token), Some(given)) if token != given => format!("name given: {given}"),
            _ => String::new(),
        };
        let who = self.0.or_else(|| given.map(str::to_owned));
        let subject = subject.to_owned();
        AuditEntry { at: Timestamp::MIN, who, is_signed_in, act, subject, detail }
    }
}
