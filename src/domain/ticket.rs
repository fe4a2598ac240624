//! The life of a ticket: what an event tells about it besides that it happened.

use serde::{Deserialize, Serialize};

use super::{SeriesKey, Timestamp};

/// A step in the life of a ticket. Of several at the same time, the smaller one is the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeStep {
    /// It was created.
    Opened,
    /// Somebody works on it for the first time.
    FirstResponse,
    /// It needs no more work.
    Resolved,
    /// It needs work again.
    Reopened,
    /// The customer gave up.
    Abandoned,
}

/// A step of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketStep {
    pub ticket_id: Box<str>,
    pub step: LifeStep,
    /// When the ticket was created, if a later step says so.
    pub opened_at: Option<Timestamp>,
    /// Seconds that people worked on it, if the event that resolves it says so.
    pub handled_seconds: Option<u32>,
}

/// What an event tells about tickets that are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketNews {
    /// A step of one ticket.
    Step(TicketStep),
    /// So many tickets of the series are open.
    Snapshot { open: u32 },
}

/// News of tickets with its time and series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketMessage {
    pub ts: Timestamp,
    pub series: SeriesKey,
    pub news: TicketNews,
}
