//! Limits of the book of tickets, and what an advance of it changed.

use std::sync::Arc;

use super::backlog::{Backlog, BacklogWindow};
use super::service::AttainedChange;
use super::ticket::Ticket;
use crate::domain::{SeriesKey, TicketFacts, Timestamp};

/// Limits of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRules {
    /// Most open tickets whose ids are known, and most ended ones that are remembered.
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
    /// Messages without effect: the same was known, or something newer.
    pub repeated: u64,
    /// Ends of tickets whose creation is not known.
    pub unpaired: u64,
    /// Open tickets whose ids were given up, because too many are open.
    pub given_up: u64,
    /// Open tickets without news for 90 days.
    pub stale: u64,
    /// Messages of tickets that are no longer remembered, and snapshots of finalized windows.
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

/// What [`TicketBook::advance`](super::TicketBook::advance) changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TicketChanges {
    /// Messages before this time have taken effect; `None` if there were none.
    pub taken_before: Option<Timestamp>,
    /// Tickets that changed; `None` for those that are no longer remembered.
    pub tickets: Vec<(Arc<str>, Option<Ticket>)>,
    /// What was said of tickets that are new.
    pub facts: Vec<(Arc<str>, Box<TicketFacts>)>,
    /// Series that changed.
    pub series: Vec<(SeriesKey, Backlog)>,
    /// Series in which something happened in the window.
    pub windows: Vec<(SeriesKey, BacklogWindow)>,
    /// Attained service that changed, by series and start of the window in which the contacts were created.
    pub attained: Vec<(SeriesKey, Timestamp, AttainedChange)>,
    /// Up to when the book has forgotten, if that changed.
    pub forgotten_upto: Option<Timestamp>,
}

impl TicketChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
