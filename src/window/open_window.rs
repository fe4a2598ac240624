//! The state of one window of one partition while events may still be counted in it.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::Counts;
use super::key_index::KeyIndex;
use super::phrases::Tally;
use crate::domain::{CountsAs, OTHER, Offset, Place, TextClassifier, Topic};

/// The state of one window so far.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Offset from which its events must be read again; `Offset::MAX` if all of them are stored beside the commit.
    pub(super) first_offset: Offset,
    pub(super) ids: HashSet<u128, RandomState>,
    /// By number of the key: counts, and whether they have changed since the last report.
    pub(super) counts: HashMap<u32, (Counts, bool), RandomState>,
    /// Number of keys in the region [`OTHER`] that were added because the window has too many names.
    others: usize,
    /// Phrases by number of the alarm key of the scope.
    pub(super) phrases: HashMap<u32, Tally, RandomState>,
}

/// Maximum number of places in the region [`OTHER`] in one window, in addition to the one that is [`OTHER`] in all parts.
const OTHERS_MAX: usize = 64;

impl Open {
    /// An empty window whose events must be read again from an offset.
    pub(super) fn from(first_offset: Offset) -> Self {
        Self { first_offset, ..Self::default() }
    }

    /// The place under which an event is counted in a window that has the maximum number of names. Names that the window
    /// already has are kept; others are replaced by [`OTHER`].
    pub(super) fn place_within<'a>(&mut self, keys: &KeyIndex, place: Place<'a>) -> Place<'a> {
        let has = |place: &Place<'_>| {
            keys.find(place).is_some_and(|number| self.counts.contains_key(&number))
        };
        let (other, all) = match place {
            Place::Maintenance => return place,
            Place::Tickets { service, channel, .. } => (
                Place::Tickets { region: OTHER, service, channel },
                Place::Tickets { region: OTHER, service: OTHER, channel: OTHER },
            ),
            Place::Alarms { service, .. } => (
                Place::Alarms { region: OTHER, service },
                Place::Alarms { region: OTHER, service: OTHER },
            ),
        };
        if has(&place) {
            return place;
        }
        if has(&other) {
            return other;
        }
        if self.others == OTHERS_MAX {
            return all;
        }
        self.others += 1;
        other
    }
}

/// Adds an event to its counter.
pub(super) fn add(counts: &mut Counts, counts_as: CountsAs, topic: Option<Topic>) {
    match counts_as {
        CountsAs::Ticket => {
            counts.tickets += 1;
            if let Some(topic) = topic {
                counts.topics[topic as usize] += 1;
            }
        }
        CountsAs::Raise(severity) => counts.raised[severity as usize] += 1,
        CountsAs::Clear => counts.cleared += 1,
        CountsAs::Other => counts.other += 1,
    }
}

/// Returns the topic of a text, and adds its phrases to the tally as long as the tally accepts more.
pub(super) fn classify(
    classifier: &dyn TextClassifier,
    text: &str,
    tally: Option<&mut Tally>,
) -> Option<Topic> {
    let Some(tally) = tally else { return classifier.classify(text, None) };
    match tally.begin() {
        true => classifier.classify(text, Some(&mut |phrase| tally.take(phrase))),
        false => classifier.classify(text, None),
    }
}
