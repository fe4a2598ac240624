//! The open tickets of one series.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::service::ServedBy;
use crate::domain::{DAY, Timestamp, WEEK};

/// Weight of means after a day: half after two weeks.
const DAILY: f64 = 0.951_695_154;

/// A number of times and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub count: u32,
    pub seconds: u64,
}

impl Total {
    pub(super) fn add(&mut self, seconds: u64) {
        self.count = self.count.saturating_add(1);
        self.seconds = self.seconds.saturating_add(seconds);
    }
}

/// A mean in which older values weigh less: half after two weeks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Sum of the weights.
    pub weight: f64,
    /// Weighted sum of the seconds.
    pub seconds: f64,
}

impl Mean {
    pub(super) fn add(&mut self, seconds: f64) {
        self.weight += 1.0;
        self.seconds += seconds;
    }

    pub(super) fn age_by_a_day(&mut self) {
        self.weight *= DAILY;
        self.seconds *= DAILY;
    }

    /// The mean; `None` without values.
    pub fn value(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.seconds / self.weight)
    }

    /// The mean, shrunk towards `usual`, which has the weight of `values` values.
    pub fn shrunk(&self, usual: f64, values: f64) -> f64 {
        (self.seconds + usual * values) / (self.weight + values)
    }
}

/// Changes of the tickets of a series in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogFlow {
    pub opened: u32,
    pub resolved: u32,
    pub reopened: u32,
    /// Times from the creation of a ticket to its first response.
    pub first_response: Total,
    /// Handled seconds of resolved tickets.
    pub handled: Total,
}

/// A window of a series: the changes, and the number of open tickets at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogWindow {
    pub flow: BacklogFlow,
    pub open: u32,
}

/// The open tickets of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backlog {
    /// How many tickets are open.
    pub open: u32,
    /// Number of open tickets with a known id.
    pub known: u32,
    /// Creation of the oldest open ticket with a known id.
    pub oldest: Option<Timestamp>,
    /// Time of the first message. Without a snapshot, tickets created before this time are missing.
    pub since: Timestamp,
    /// Time of the newest snapshot.
    pub anchored_at: Option<Timestamp>,
    /// Time of the newest resolution.
    pub resolved_at: Option<Timestamp>,
    pub first_response: Mean,
    pub handling: Mean,
    /// Handling times by civil hour of the creation; empty before the first one.
    pub handling_by_hour: Vec<Mean>,
}

impl Backlog {
    pub(super) fn new(since: Timestamp) -> Self {
        Self {
            open: 0,
            known: 0,
            oldest: None,
            since,
            anchored_at: None,
            resolved_at: None,
            first_response: Mean::default(),
            handling: Mean::default(),
            handling_by_hour: Vec::new(),
        }
    }

    /// Adds the handling time of a contact that was created in this hour of the day.
    pub(super) fn handled(&mut self, seconds: f64, hour: usize) {
        self.handling.add(seconds);
        if self.handling_by_hour.is_empty() {
            self.handling_by_hour = vec![Mean::default(); 24];
        }
        if let Some(mean) = self.handling_by_hour.get_mut(hour) {
            mean.add(seconds);
        }
    }

    /// Reduces the weight of older times in the means. Returns whether there are any.
    pub(super) fn age_by_a_day(&mut self) -> bool {
        let has_some = self.first_response.weight + self.handling.weight > 0.0;
        if has_some {
            self.first_response.age_by_a_day();
            self.handling.age_by_a_day();
            self.handling_by_hour.iter_mut().for_each(Mean::age_by_a_day);
        }
        has_some
    }

    /// Whether the stream contains the events that a service goal needs. Without them, no contact would ever count as served in
    /// time.
    pub fn has_events_for(&self, by: ServedBy) -> bool {
        match by {
            ServedBy::Answer => self.first_response.weight > 0.0,
            ServedBy::End => self.resolved_at.is_some(),
        }
    }

    /// Whether the stream contains the ends of tickets. Without them, the number of open tickets would only grow.
    pub fn has_ends(&self) -> bool {
        self.resolved_at.is_some() || self.anchored_at.is_some()
    }

    /// Whether the newest snapshot includes what happened at `ts`.
    fn includes(&self, ts: Timestamp) -> bool {
        self.anchored_at.is_some_and(|at| ts <= at)
    }

    /// Whether the number of open tickets can be trusted at `end`: either there was a snapshot within the last week; or the
    /// series has been observed for longer than `within` (the time in which its work is done), and the last resolution of a
    /// ticket was within the last day. A stream without resolutions has no known backlog.
    pub fn is_known(&self, end: Timestamp, within: Duration) -> bool {
        let is_anchored = self.anchored_at.is_some_and(|at| at + WEEK >= end);
        let is_followed = self.since + within <= end;
        is_anchored || is_followed && self.resolved_at.is_some_and(|at| at + DAY >= end)
    }

    /// A ticket with a known id was opened.
    pub(super) fn opened(&mut self, ts: Timestamp) {
        self.known += 1;
        if !self.includes(ts) {
            self.open = self.open.saturating_add(1);
        }
    }

    /// A ticket with a known id has ended.
    pub(super) fn ended(&mut self, ts: Timestamp) {
        self.known = self.known.saturating_sub(1);
        if !self.includes(ts) {
            self.open = self.open.saturating_sub(1);
        }
    }

    /// An open ticket got a known id. Returns whether it was one of those whose ids were unknown.
    pub(super) fn identified(&mut self) -> bool {
        let was_unknown = self.open > self.known;
        self.known += 1;
        self.open = self.open.max(self.known);
        was_unknown
    }

    /// A ticket with an unknown id has ended. Returns whether the number of open tickets was reduced.
    pub(super) fn unknown_ended(&mut self, ts: Timestamp) -> bool {
        let is_taken = self.open > self.known && !self.includes(ts);
        self.open -= u32::from(is_taken);
        is_taken
    }

    /// Handles a late creation of a ticket whose end was counted for a ticket with an unknown id: it was a different ticket.
    pub(super) fn put_back(&mut self, opened_at: Timestamp) {
        if !self.includes(opened_at) {
            self.open = self.open.saturating_add(1);
        }
    }
}
