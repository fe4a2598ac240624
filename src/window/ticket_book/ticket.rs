//! The state of one ticket in the book.

use serde::{Deserialize, Serialize};

use super::service::ServiceTimes;
use crate::domain::{LifeStep, SeriesKey, Timestamp};

/// A ticket that is open, or was open recently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The series for which it counts.
    pub series: SeriesKey,
    /// The newest end or reopening, or if there was none, the first step. Older steps have no effect.
    pub newest: (Timestamp, LifeStep),
    /// Time of the first message.
    pub seen_at: Timestamp,
    /// Time of the newest message, whether it had an effect or not.
    pub heard_at: Timestamp,
    /// When it was created; `None` while this is unknown.
    pub opened_at: Option<Timestamp>,
    pub is_open: bool,
    /// Whether somebody has answered it.
    pub is_answered: bool,
    /// Whether it was counted among the open tickets with unknown ids, and removed from them.
    pub was_unknown: bool,
    /// Times by which its service is judged.
    pub service: ServiceTimes,
}

impl Ticket {
    /// A new ticket, if this step is the first message about it.
    pub(super) fn new(series: SeriesKey, newest: (Timestamp, LifeStep)) -> Self {
        Self {
            series,
            newest,
            seen_at: newest.0,
            heard_at: newest.0,
            opened_at: None,
            is_open: false,
            is_answered: false,
            was_unknown: false,
            service: ServiceTimes::default(),
        }
    }

    /// The time since which it is known to be open.
    pub(super) fn since(&self) -> Timestamp {
        self.opened_at.map_or(self.seen_at, |at| at.min(self.seen_at))
    }
}
