//! The audit trail: changes that people made.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Acknowledged,
    Judged,
    RosterReplaced,
    WorkPlanned,
    WorkCancelled,
    AdjustmentEntered,
    AdjustmentRemoved,
    Forgotten,
    PageResent,
    RecommendationAccepted,
    RecommendationDeclined,
    RecommendationDone,
    SilenceEntered,
    SilenceEnded,
}

impl Act {
    /// All kinds of changes.
    pub const EVERY: [Self; 14] = [
        Self::Acknowledged,
        Self::Judged,
        Self::RosterReplaced,
        Self::WorkPlanned,
        Self::WorkCancelled,
        Self::AdjustmentEntered,
        Self::AdjustmentRemoved,
        Self::Forgotten,
        Self::PageResent,
        Self::RecommendationAccepted,
        Self::RecommendationDeclined,
        Self::RecommendationDone,
        Self::SilenceEntered,
        Self::SilenceEnded,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Judged => "judged",
            Self::RosterReplaced => "roster_replaced",
            Self::WorkPlanned => "work_planned",
            Self::WorkCancelled => "work_cancelled",
            Self::AdjustmentEntered => "adjustment_entered",
            Self::AdjustmentRemoved => "adjustment_removed",
            Self::Forgotten => "forgotten",
            Self::PageResent => "page_resent",
            Self::RecommendationAccepted => "recommendation_accepted",
            Self::RecommendationDeclined => "recommendation_declined",
            Self::RecommendationDone => "recommendation_done",
            Self::SilenceEntered => "silence_entered",
            Self::SilenceEnded => "silence_ended",
        }
    }
}

/// One entry of the audit trail. Its field names are part of the replicated log's format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// The name of the token, or without tokens the name in the request.
    pub who: Option<String>,
    /// Whether `who` is the name of a token.
    pub is_signed_in: bool,
    pub act: Act,
    /// The id of the changed object.
    pub subject: String,
    pub detail: String,
}
