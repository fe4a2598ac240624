//! Limits of the book of tickets, and the changes made by an advance.

use std::sync::Arc;

use super::backlog::{Backlog, BacklogWindow};
use super::service::AttainedChange;
use super::ticket::Ticket;
use crate::domain::{SeriesKey, TicketFacts, Timestamp};

/// Limits of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRules {
    /// Maximum number of open tickets with known ids, and of ended tickets that are remembered.
    pub known_max: usize,
}

impl Default for TicketRules {
    fn default() -> Self {
        Self { known_max: 100_000 }
    }
}

/// Effects of messages since the tally was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketTally {
    pub opened: u64,
    pub responded: u64,
    pub resolved: u64,
    pub reopened: u64,
    /// Contacts whose customers gave up.
    pub abandoned: u64,
    /// Snapshots that set the number of open tickets.
    pub snapshots: u64,
    /// Messages without effect, because the same or something newer was known.
    pub repeated: u64,
    /// Ends of tickets whose creation is unknown.
    pub unpaired: u64,
    /// Open tickets whose ids were dropped, because too many tickets are open.
    pub given_up: u64,
    /// Open tickets without messages for 90 days.
    pub stale: u64,
    /// Messages about tickets that are no longer remembered, and snapshots of finalized windows.
    pub old: u64,
}

impl TicketTally {
    /// All counts by name, for metrics.
    pub fn counts(&self) -> [(&'static str, u64); 11] {
        [
            ("opened", self.opened),
            ("responded", self.responded),
            ("resolved", self.resolved),
            ("reopened", self.reopened),
            ("abandoned", self.abandoned),
            ("snapshots", self.snapshots),
            ("repeated", self.repeated),
            ("unpaired", self.unpaired),
            ("given_up", self.given_up),
            ("stale", self.stale),
            ("old", self.old),
        ]
    }
}

/// The changes made by [`TicketBook::advance`](super::TicketBook::advance).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TicketChanges {
    /// Messages before this time have taken effect; `None` if there were none.
    pub taken_before: Option<Timestamp>,
    /// Tickets that changed; `None` for those that are no longer remembered.
    pub tickets: Vec<(Arc<str>, Option<Ticket>)>,
    /// Facts about new tickets.
    pub facts: Vec<(Arc<str>, Box<TicketFacts>)>,
    /// Series that changed.
    pub series: Vec<(SeriesKey, Backlog)>,
    /// Series with changes in the window.
    pub windows: Vec<(SeriesKey, BacklogWindow)>,
    /// Attained service that changed, by series and start of the window in which the contacts were created.
    pub attained: Vec<(SeriesKey, Timestamp, AttainedChange)>,
    /// The time up to which the book has forgotten tickets, if it changed.
    pub forgotten_upto: Option<Timestamp>,
}

impl TicketChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
