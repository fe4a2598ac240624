//! Clocks of service level agreements: how long a ticket may wait for its first response and for its resolution.
//!
//! Clocks run day and night from the creation of the ticket. The clock of the first response stops at the first response or the
//! resolution, that of the resolution at the first resolution. Reopening a ticket does not start it again. If the customer
//! gives up in time, the clock is void and is not counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Name, Priority, SeriesKey, Timestamp, Topic};

/// An agreement, and the tickets to which it applies. An empty list is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sla {
    pub name: Name,
    pub regions: Vec<Name>,
    pub services: Vec<Name>,
    pub channels: Vec<Name>,
    pub classes: Vec<Topic>,
    pub priorities: Vec<Priority>,
    pub first_response: Option<Duration>,
    pub resolution: Option<Duration>,
    /// Share of its time, in percent, after which a clock is at risk.
    pub warn_percent: u32,
}

impl Sla {
    fn conditions(&self) -> usize {
        let lists = [
            self.regions.is_empty(),
            self.services.is_empty(),
            self.channels.is_empty(),
            self.classes.is_empty(),
            self.priorities.is_empty(),
        ];
        lists.iter().filter(|is_empty| !**is_empty).count()
    }

    fn fits(&self, series: &SeriesKey, class: Option<Topic>, priority: Priority) -> bool {
        let has = |list: &[Name], name: &Name| list.is_empty() || list.contains(name);
        has(&self.regions, &series.region)
            && has(&self.services, &series.service)
            && has(&self.channels, &series.channel)
            && (self.classes.is_empty() || class.is_some_and(|own| self.classes.contains(&own)))
            && (self.priorities.is_empty() || self.priorities.contains(&priority))
    }
}

/// The agreement that applies to a ticket: if there are several, the one with the most conditions, then the first by name.
pub(super) fn agreement<'s>(
    all: &'s [Sla],
    series: &SeriesKey,
    class: Option<Topic>,
    priority: Priority,
) -> Option<&'s Sla> {
    let fitting = all.iter().filter(|sla| sla.fits(series, class, priority));
    fitting.min_by_key(|sla| (std::cmp::Reverse(sla.conditions()), &sla.name))
}

/// The state of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClockState {
    Running,
    /// Most of its time has passed.
    AtRisk,
    /// Its time has expired, whether the ticket is still open or not.
    Breached,
    Met,
    /// The customer gave up, or the ticket is no longer known.
    Void,
}

impl ClockState {
    /// The name of the state in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::AtRisk => "at_risk",
            Self::Breached => "breached",
            Self::Met => "met",
            Self::Void => "void",
        }
    }

    /// Whether the clock still runs and can be met.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::AtRisk)
    }
}

/// One clock of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// When it becomes at risk.
    pub warn_at: Timestamp,
    /// The last instant at which it can be met.
    pub due_at: Timestamp,
    pub state: ClockState,
}

impl Clock {
    pub(super) fn started(opened_at: Timestamp, within: Duration, warn_percent: u32) -> Self {
        let due_at = opened_at + within;
        let warn_at = opened_at + within * warn_percent / 100;
        Self { warn_at, due_at, state: ClockState::Running }
    }

    /// Its state at `now`, if it stopped at `stopped_at` and the customer gave up at `abandoned_at`.
    pub(super) fn judged(
        self,
        stopped_at: Option<Timestamp>,
        abandoned_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let in_time = |at: &Timestamp| *at <= self.due_at;
        let state =
            if let Some(at) = stopped_at.filter(|at| abandoned_at.is_none_or(|gone| *at <= gone)) {
                if in_time(&at) { ClockState::Met } else { ClockState::Breached }
            } else if abandoned_at.is_some_and(|at| in_time(&at)) {
                ClockState::Void
            } else if now > self.due_at {
                ClockState::Breached
            } else if now >= self.warn_at {
                ClockState::AtRisk
            } else {
                ClockState::Running
            };
        Self { state, ..self }
    }

    /// The next instant at which its state changes by itself.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            ClockState::Running => Some(self.warn_at),
            ClockState::AtRisk => Some(self.due_at + Duration::from_millis(1)),
            ClockState::Breached | ClockState::Met | ClockState::Void => None,
        }
    }
}
