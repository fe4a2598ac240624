//! Pages, as they went to receivers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::alert::NotificationKind;
use crate::store::{DeliveryState, OutboxRow};
use crate::text::Texts;

/// A page to one receiver.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page {
    /// The same for all receivers of a page.
    pub id: String,
    pub receiver: String,
    /// `pending`, `delivered` or `dead`: given up.
    #[schema(value_type = String)]
    pub state: DeliveryState,
    /// `firing`, `worse`, `reminder`, `resolved` or `report`.
    #[schema(value_type = String)]
    pub kind: NotificationKind,
    /// Id of the alert.
    pub alert: String,
    pub title: String,
    /// Tries so far.
    pub attempts: u32,
    pub created_at: String,
    /// The next try; null unless it is pending.
    pub next_at: Option<String>,
    /// When it was delivered or given up.
    pub done_at: Option<String>,
    /// Why the last try failed, or why it was given up.
    pub error: Option<String>,
}

impl Page {
    /// A delivery, in the language of `texts`.
    pub fn new(row: &OutboxRow, texts: &Texts) -> Self {
        let (notice, at) = (&row.notice, row.next_at.to_string());
        let is_pending = row.state == DeliveryState::Pending;
        let (next_at, done_at) = if is_pending { (Some(at), None) } else { (None, Some(at)) };
        Self {
            id: notice.id.clone(),
            receiver: row.receiver.clone(),
            state: row.state,
            kind: notice.kind,
            alert: notice.alert.id.clone(),
            title: notice.title(texts),
            attempts: row.attempts,
            created_at: row.created_at.to_string(),
            next_at,
            done_at,
            error: row.last_error.clone(),
        }
    }
}
