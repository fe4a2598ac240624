//! Messages that have not taken effect yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ticket::Ticket;
use crate::domain::{LifeStep, NewsRef, SeriesKey, TicketFacts, TicketMessage, Timestamp};

/// Time, kind and subject of a message. The message with the smaller key takes effect first. Messages with the same key are the
/// same message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageKey {
    pub ts: Timestamp,
    /// Number of the step; `SNAPSHOT` for a snapshot, which includes everything at its own time.
    pub kind: u8,
    /// Id of the ticket, or name of the series.
    pub subject: Arc<str>,
}

/// The kind of a snapshot.
pub const SNAPSHOT: u8 = 4;

impl MessageKey {
    /// The key of a message.
    pub fn of(message: &TicketMessage) -> Self {
        Self::new(message.ts, NewsRef::from(&message.news), &message.series)
    }

    pub(super) fn new(ts: Timestamp, news: NewsRef<'_>, series: &SeriesKey) -> Self {
        let (kind, subject) = match news {
            NewsRef::Step(step) => (step_number(step.step), Arc::from(step.ticket_id)),
            NewsRef::Snapshot { .. } => (SNAPSHOT, series.to_string().into()),
        };
        Self { ts, kind, subject }
    }

    /// No message at `ts` or later has a smaller key.
    pub(super) fn first_at(ts: Timestamp) -> Self {
        Self { ts, kind: 0, subject: "".into() }
    }
}

const fn step_number(step: LifeStep) -> u8 {
    match step {
        LifeStep::Opened => 0,
        LifeStep::FirstResponse => 1,
        LifeStep::Resolved => 2,
        LifeStep::Reopened => 3,
        // After a snapshot of the same time, which includes it.
        LifeStep::Abandoned => 5,
    }
}

/// The content of a message.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) series: Arc<SeriesKey>,
    pub(super) news: News,
    /// What the event says besides its step.
    pub(super) facts: Option<Box<TicketFacts>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    Step { step: LifeStep, opened_at: Option<Timestamp>, handled_seconds: Option<u32> },
    Snapshot { open: u32 },
}

impl From<NewsRef<'_>> for News {
    fn from(news: NewsRef<'_>) -> Self {
        match news {
            NewsRef::Snapshot { open } => Self::Snapshot { open },
            NewsRef::Step(step) => Self::Step {
                step: step.step,
                opened_at: step.opened_at,
                handled_seconds: step.handled_seconds,
            },
        }
    }
}

/// The shared copy of a series' name.
pub(super) fn shared(names: &mut BTreeSet<Arc<SeriesKey>>, series: &SeriesKey) -> Arc<SeriesKey> {
    match names.get(series) {
        Some(known) => known.clone(),
        None => {
            let name = Arc::new(series.clone());
            names.insert(name.clone());
            name
        }
    }
}

/// Facts about tickets that were not known before an advance of the book: those of the first message of each ticket that has
/// any.
#[derive(Debug, Default)]
pub(super) struct FirstFacts {
    new: BTreeSet<Arc<str>>,
    facts: BTreeMap<Arc<str>, Box<TicketFacts>>,
}

impl FirstFacts {
    /// Takes a message that takes effect. `is_known`: its ticket is already known.
    pub(super) fn take(&mut self, id: &Arc<str>, facts: Option<Box<TicketFacts>>, is_known: bool) {
        let Some(facts) = facts else {
            if !is_known {
                self.new.insert(id.clone());
            }
            return;
        };
        if !is_known || self.new.contains(id) {
            self.new.insert(id.clone());
            self.facts.entry(id.clone()).or_insert(facts);
        }
    }

    /// The facts about tickets that are known now.
    pub(super) fn of(
        mut self,
        tickets: &BTreeMap<Arc<str>, Ticket>,
    ) -> Vec<(Arc<str>, Box<TicketFacts>)> {
        self.facts.retain(|id, _| tickets.contains_key(id));
        self.facts.into_iter().collect()
    }
}
