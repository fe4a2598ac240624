//! What is known about one ticket, besides the steps of its life.

use serde::{Deserialize, Serialize};

use super::priority::PriorityReason;
use super::sla::{Clock, ClockState};
use crate::domain::{Priority, Scope, Sentiment, SeriesKey, Timestamp, Topic};

/// What is known about one ticket, besides the steps of its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The series for which it counts.
    pub series: SeriesKey,
    /// When it was created, or if this is not known, when it was first seen.
    pub opened_at: Timestamp,
    /// Monday of the week in which it was created, in the region's zone, as days since 1970-01-01.
    pub monday: i32,
    pub is_open: bool,
    pub priority: Priority,
    pub reason: PriorityReason,
    /// The topic of its text; `None` without a text.
    pub class: Option<Topic>,
    pub sentiment: Option<Sentiment>,
    /// The customer, as stored: a hash unless configured otherwise.
    pub customer: Option<Box<str>>,
    /// The first ticket of the same customer about the same service and topic, if this one repeats it.
    pub duplicate_of: Option<Box<str>>,
    /// The name of its agreement; `None` while it has no clock.
    pub sla: Option<Box<str>>,
    pub first_response: Option<Clock>,
    pub resolution: Option<Clock>,
}

impl Assessment {
    fn clocks(&self) -> impl Iterator<Item = &Clock> {
        [&self.first_response, &self.resolution].into_iter().flatten()
    }

    /// The region and service.
    pub fn scope(&self) -> Scope {
        self.series.scope()
    }

    /// Whether one of its clocks is in this state.
    pub fn has(&self, state: ClockState) -> bool {
        self.clocks().any(|clock| clock.state == state)
    }

    /// When the next of its running clocks expires; `None` without one.
    pub fn due_at(&self) -> Option<Timestamp> {
        let running = self.clocks().filter(|clock| clock.state.is_running());
        running.map(|clock| clock.due_at).min()
    }

    /// The next instant at which the state of a clock changes by itself.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.clocks().filter_map(Clock::next_at).min()
    }

    /// The assessment, with its running clocks updated to `now`.
    pub(super) fn passed_to(mut self, now: Timestamp) -> Self {
        for clock in [&mut self.first_response, &mut self.resolution].into_iter().flatten() {
            if clock.state.is_running() {
                *clock = clock.judged(None, None, now);
            }
        }
        self
    }

    /// The assessment, with its running clocks void.
    pub(super) fn void(mut self) -> Self {
        for clock in [&mut self.first_response, &mut self.resolution].into_iter().flatten() {
            if clock.state.is_running() {
                clock.state = ClockState::Void;
            }
        }
        self
    }
}
