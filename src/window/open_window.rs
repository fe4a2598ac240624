//! What one window of one partition holds while events may still be counted in it.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::Counts;
use super::key_index::KeyIndex;
use super::phrases::Tally;
use crate::domain::{CountsAs, OTHER, Offset, Place, TextClassifier, Topic};

/// What one window holds so far.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Offset from which its events must be read again; `Offset::MAX` if all are kept beside the commit.
    pub(super) first_offset: Offset,
    pub(super) ids: HashSet<u128, RandomState>,
    /// By number of the key: counts, and whether they changed since the last report.
    pub(super) counts: HashMap<u32, (Counts, bool), RandomState>,
    /// Keys of the region [`OTHER`] that were made because the window has too many names.
    others: usize,
    /// By number of the scope's alarm key.
    pub(super) phrases: HashMap<u32, Tally, RandomState>,
}

/// Most places of the region [`OTHER`] in one window, besides the one that is [`OTHER`] in all parts.
const OTHERS_MAX: usize = 64;

impl Open {
    /// An empty window whose events must be read again from an offset.
    pub(super) fn from(first_offset: Offset) -> Self {
        Self { first_offset, ..Self::default() }
    }

    /// Where an event of `place` is counted in a window that has as many names as it may have. A name that the window has
    /// stays; others are counted under [`OTHER`].
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

/// Adds an event to the counter that it belongs to.
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

/// Returns a text's topic, and adds its phrases to the tally while that still takes some.
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
