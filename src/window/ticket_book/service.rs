//! Attained service: the outcome of the contacts that were created in a window.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ticket::Ticket;
use super::waits::Waits;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};

/// What has to happen to a contact in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServedBy {
    /// Somebody answers it.
    Answer,
    /// It is resolved (for deferred work).
    End,
}

/// When a contact is served in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceGoal {
    pub by: ServedBy,
    /// Maximum time from its creation, seconds.
    pub within_seconds: u32,
}

/// The terms of a series that the book needs besides its tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesTerms {
    /// `None` if the series has no service target.
    pub goal: Option<ServiceGoal>,
    /// The time zone of the hours of the day.
    pub zone: Zone,
}

/// The terms of each series, and the width of windows.
#[derive(Clone)]
pub struct Terms {
    width: WindowWidth,
    of: Arc<dyn Fn(&SeriesKey) -> SeriesTerms + Send + Sync>,
}

impl Terms {
    /// `of` returns the terms of a series.
    pub fn new(
        width: WindowWidth,
        of: impl Fn(&SeriesKey) -> SeriesTerms + Send + Sync + 'static,
    ) -> Self {
        Self { width, of: Arc::new(of) }
    }

    /// The terms of a series.
    pub fn of(&self, series: &SeriesKey) -> SeriesTerms {
        (self.of)(series)
    }

    /// The width of windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }
}

impl Default for Terms {
    /// Windows of a quarter of an hour, and no targets.
    fn default() -> Self {
        Self::new(WindowWidth::QUARTER, |_| SeriesTerms { goal: None, zone: Zone::UTC })
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("width", &self.width).finish_non_exhaustive()
    }
}

/// Times by which the service of a contact is judged. Each is the earliest known one, so the order of messages does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTimes {
    /// Whether its creation is counted in the window in which it was created.
    pub is_counted: bool,
    pub answered_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub abandoned_at: Option<Timestamp>,
}

/// Keeps the earlier time. Returns whether `ts` is earlier than the known one.
pub(super) fn earliest(known: &mut Option<Timestamp>, ts: Timestamp) -> bool {
    let is_earlier = known.is_none_or(|at| ts < at);
    if is_earlier {
        *known = Some(ts);
    }
    is_earlier
}

/// The contribution of a contact to the window of its creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) opened_at: Timestamp,
    is_abandoned: bool,
    /// Times until it was answered and resolved; `None` if this has not happened.
    answered_after: Option<Duration>,
    ended_after: Option<Duration>,
}

impl Contact {
    /// The contact of a ticket; `None` if its creation is not counted.
    pub(super) fn of(ticket: &Ticket) -> Option<Self> {
        let times = &ticket.service;
        let opened_at = ticket.opened_at.filter(|_| times.is_counted)?;
        let after = |at: Timestamp| at.since(opened_at);
        let answered =
            times.answered_at.filter(|at| times.abandoned_at.is_none_or(|gone| *at <= gone));
        let is_abandoned = answered.is_none() && times.abandoned_at.is_some();
        Some(Self {
            opened_at,
            is_abandoned,
            answered_after: answered.map(after),
            ended_after: times.ended_at.map(after),
        })
    }

    fn is_served(&self, goal: ServiceGoal) -> bool {
        let after = match goal.by {
            ServedBy::Answer => self.answered_after,
            ServedBy::End => self.ended_after,
        };
        after.is_some_and(|time| time <= Duration::from_secs(goal.within_seconds.into()))
    }
}

/// The outcome of the contacts that were created in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attained {
    /// Contacts that were created.
    pub offered: u32,
    /// Answered contacts.
    pub answered: u32,
    /// Contacts that were abandoned before somebody answered.
    pub abandoned: u32,
    /// Contacts with a service target.
    pub targeted: u32,
    /// Contacts with a target that were served in time.
    pub in_time: u32,
    /// Times from the creation to the first response.
    pub waits: Waits,
    /// The target by which they were judged last. `None` without a target, and for a sum over series with different targets.
    pub goal: Option<ServiceGoal>,
}

impl Attained {
    pub(super) fn add(&mut self, contact: &Contact, goal: Option<ServiceGoal>) {
        self.offered += 1;
        self.abandoned += u32::from(contact.is_abandoned);
        if let Some(wait) = contact.answered_after {
            self.answered += 1;
            self.waits.add(wait.as_secs());
        }
        if let Some(goal) = goal {
            self.targeted += 1;
            self.in_time += u32::from(contact.is_served(goal));
        }
    }

    /// Adds the contacts of another series or window.
    pub fn plus(&mut self, other: &Self) {
        if self.offered == 0 {
            self.goal = other.goal;
        } else if other.offered > 0 && self.goal != other.goal {
            self.goal = None;
        }
        let add = |own: &mut u32, other: u32| *own = own.saturating_add(other);
        add(&mut self.offered, other.offered);
        add(&mut self.answered, other.answered);
        add(&mut self.abandoned, other.abandoned);
        add(&mut self.targeted, other.targeted);
        add(&mut self.in_time, other.in_time);
        self.waits.plus(&other.waits);
    }

    /// Applies a change.
    pub fn change(&mut self, change: &AttainedChange) {
        let AttainedChange { gained, lost, goal } = change;
        self.plus(gained);
        let take = |own: &mut u32, lost: u32| *own = own.saturating_sub(lost);
        take(&mut self.offered, lost.offered);
        take(&mut self.answered, lost.answered);
        take(&mut self.abandoned, lost.abandoned);
        take(&mut self.targeted, lost.targeted);
        take(&mut self.in_time, lost.in_time);
        self.waits.minus(&lost.waits);
        self.goal = *goal;
    }

    /// Share of the contacts with a target that were served in time, 0–1; `None` without such contacts.
    pub fn service_level(&self) -> Option<f64> {
        let (served, all) = (self.in_time.min(self.targeted), self.targeted);
        (all > 0).then(|| f64::from(served) / f64::from(all))
    }

    /// Share of the contacts that were abandoned, 0–1; `None` without contacts.
    pub fn abandonment(&self) -> Option<f64> {
        (self.offered > 0).then(|| f64::from(self.abandoned) / f64::from(self.offered))
    }

    /// The same contacts without judgement by a target.
    #[must_use]
    pub fn unjudged(self) -> Self {
        Self { targeted: 0, in_time: 0, ..self }
    }
}

/// How the attained service of a window of a series changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttainedChange {
    gained: Attained,
    lost: Attained,
    goal: Option<ServiceGoal>,
}

impl AttainedChange {
    /// Replaces the contribution `before` of a contact by `now`.
    pub(super) fn take(
        &mut self,
        before: Option<&Contact>,
        now: &Contact,
        goal: Option<ServiceGoal>,
    ) {
        self.goal = goal;
        self.gained.add(now, goal);
        if let Some(before) = before {
            self.lost.add(before, goal);
        }
    }
}
