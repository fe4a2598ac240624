//! A series in the book, with its changes since the last window.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::backlog::{Backlog, BacklogFlow};
use super::service::{AttainedChange, Contact, SeriesTerms, Terms};
use crate::domain::{SeriesKey, Timestamp};

/// A series, with the known ids of its open tickets by age.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) backlog: Backlog,
    pub(super) flow: BacklogFlow,
    pub(super) ages: BTreeSet<(Timestamp, Arc<str>)>,
    pub(super) terms: SeriesTerms,
    /// Attained service by start of the window in which contacts were created.
    pub(super) attained: BTreeMap<Timestamp, AttainedChange>,
}

impl Desk {
    pub(super) fn new(backlog: Backlog, terms: SeriesTerms) -> Self {
        let (flow, ages) = (BacklogFlow::default(), BTreeSet::new());
        Self { backlog, flow, ages, terms, attained: BTreeMap::new() }
    }

    /// Replaces the contribution `before` of a ticket by its contribution `now`.
    pub(super) fn judge(&mut self, before: Option<&Contact>, now: Option<&Contact>, terms: &Terms) {
        let Some(now) = now.filter(|now| before != Some(*now)) else { return };
        let window = terms.width().floor(now.opened_at);
        self.attained.entry(window).or_default().take(before, now, self.terms.goal);
    }

    /// Adds the handling time of a contact that was created at `opened_at`.
    pub(super) fn handled(&mut self, seconds: u32, opened_at: Timestamp) {
        self.flow.handled.add(u64::from(seconds));
        let hour = self.terms.zone.minute_of_week(opened_at) as usize / 60 % 24;
        self.backlog.handled(f64::from(seconds), hour);
    }
}

/// The desk of a series.
pub(super) fn desk<'d>(
    desks: &'d mut BTreeMap<SeriesKey, Desk>,
    terms: &Terms,
    series: &SeriesKey,
    since: Timestamp,
) -> &'d mut Desk {
    desks.entry(series.clone()).or_insert_with(|| Desk::new(Backlog::new(since), terms.of(series)))
}
