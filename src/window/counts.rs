//! Aggregation keys and the counts of a window.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::domain::{OTHER, Scope, SeriesKey, Severity, TOPICS, Topic};

/// The key under which events are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AggregationKey {
    Tickets(SeriesKey),
    Alarms(Scope),
    /// Maintenance notices. They are counted so that every event is accounted for.
    Maintenance,
    /// Tickets whose text has a phrase that the lexicon does not contain. Their number is bounded: see
    /// [`Aggregator`](super::Aggregator). These tickets are counted under their [`Self::Tickets`] key as well.
    Phrase(Scope, Box<str>),
}

impl AggregationKey {
    /// Whether its events are counted under another key too. A sum over keys leaves such keys out.
    pub fn is_secondary(&self) -> bool {
        matches!(self, Self::Phrase(..))
    }

    /// Whether it has the region [`OTHER`], under which events of names beyond the limit are counted.
    pub fn is_other(&self) -> bool {
        match self {
            Self::Tickets(SeriesKey { region, .. }) | Self::Alarms(Scope { region, .. }) => {
                region.as_str() == OTHER
            }
            Self::Maintenance | Self::Phrase(..) => false,
        }
    }
}

impl fmt::Display for AggregationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tickets(series) => write!(f, "tickets {series}"),
            Self::Alarms(scope) => write!(f, "alarms {scope}"),
            Self::Maintenance => f.write_str("maintenance"),
            Self::Phrase(scope, phrase) => write!(f, "phrase {scope} {phrase}"),
        }
    }
}

/// Cumulative counts of one aggregation key in one window. Every accepted event is in exactly one field, apart from
/// `topics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tickets created.
    pub tickets: u32,
    /// Alarms raised, in the order of [`Severity::EVERY`].
    pub raised: [u32; 5],
    /// Alarms cleared.
    pub cleared: u32,
    /// Events that are not arrivals: changes, updates, resolutions, maintenance notices.
    pub other: u32,
    /// Events whose id was counted in this window before.
    pub duplicates: u32,
    /// Number of these tickets by the topic of their text, in the order of [`Topic::EVERY`].
    ///
    /// Topics are fields of the tickets' counts and have no aggregation keys of their own. Therefore a partial replaces both at
    /// once, and a ticket is never in two topics of a window, even if a replay uses another lexicon.
    pub topics: [u32; TOPICS],
}

impl Counts {
    /// Sum, field by field.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        let mut raised = self.raised;
        for (sum, n) in raised.iter_mut().zip(more.raised) {
            *sum += n;
        }
        Self {
            tickets: self.tickets + more.tickets,
            raised,
            cleared: self.cleared + more.cleared,
            other: self.other + more.other,
            duplicates: self.duplicates + more.duplicates,
            topics: std::array::from_fn(|n| self.topics[n] + more.topics[n]),
        }
    }

    /// Difference, field by field, never below zero.
    #[must_use]
    pub fn minus(self, less: Self) -> Self {
        let mut raised = self.raised;
        for (rest, n) in raised.iter_mut().zip(less.raised) {
            *rest = rest.saturating_sub(n);
        }
        Self {
            tickets: self.tickets.saturating_sub(less.tickets),
            raised,
            cleared: self.cleared.saturating_sub(less.cleared),
            other: self.other.saturating_sub(less.other),
            duplicates: self.duplicates.saturating_sub(less.duplicates),
            topics: std::array::from_fn(|n| self.topics[n].saturating_sub(less.topics[n])),
        }
    }

    /// Alarms raised with one severity.
    pub fn raised(&self, severity: Severity) -> u32 {
        self.raised[severity as usize]
    }

    /// Tickets of one topic.
    pub fn topic(&self, topic: Topic) -> u32 {
        self.topics[topic as usize]
    }

    /// Number of events.
    pub fn events(&self) -> u64 {
        [self.tickets, self.cleared, self.other, self.duplicates]
            .into_iter()
            .chain(self.raised)
            .map(u64::from)
            .sum()
    }
}
