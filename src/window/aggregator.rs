//! The aggregator of one source partition: event by event, in offset order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::key_index::KeyIndex;
use super::phrases::Tally;
use super::{AggregationKey, Counts};
use crate::domain::{
    Brief, CountsAs, Event, OTHER, Offset, Place, TextClassifier, Timestamp, Topic, WindowWidth,
};

/// Rules of aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregatorConfig {
    pub width: WindowWidth,
    /// How far behind the newest event time an event may be.
    pub lateness: Duration,
    /// How far an event may be ahead of its append time; `None` for files, which have no append time.
    pub max_future_skew: Option<Duration>,
    /// Most names in one window: series, and scopes of alarms. Events of further ones are counted under [`OTHER`].
    pub names_max: usize,
}

impl AggregatorConfig {
    /// Fewest names of [`Self::names_max`].
    pub const NAMES: usize = 20_000;

    /// The limit of names in a window of one source, for a limit of series over all sources. It is larger, because a
    /// source does not know which names are admitted.
    ///
    /// For usual limits of series it is the same: a replay after a change of configuration counts the same.
    pub fn names_for(series_max: usize) -> usize {
        Self::NAMES.max(series_max.saturating_mul(2))
    }
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Counted,
    /// Its window already holds its id. It is counted as a duplicate.
    Duplicate,
    /// Its window was closed. It becomes a dead letter.
    Late,
    /// It is ahead of its append time by more than the skew. It becomes a dead letter and closes no window.
    Future,
    /// It was decided before a restart, and its window has closed since. It is skipped.
    Replayed,
}

/// Cumulative counts of one aggregation key in one window, up to an offset. Never an increment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// Start of the window.
    pub window: Timestamp,
    #[serde(rename = "cell")]
    pub key: AggregationKey,
    pub counts: Counts,
    pub upto: Offset,
}

/// Where a restart resumes, and the state that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPoint {
    /// Smallest first offset of all open windows, or the next offset if no window is open.
    pub resume_at: Offset,
    /// Windows that end at or before this are closed.
    pub closed: Timestamp,
    /// Largest offset ever processed, earlier sessions included.
    pub decided_upto: Offset,
}

#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) first_offset: Offset,
    pub(super) ids: HashSet<u128, RandomState>,
    /// By number of the key: counts, and whether they changed since the last report.
    counts: HashMap<u32, (Counts, bool), RandomState>,
    /// Keys of the region [`OTHER`] that were made because the window has too many names.
    others: usize,
    /// By number of the scope's alarm key.
    phrases: HashMap<u32, Tally, RandomState>,
}

/// Most places of the region [`OTHER`] in one window, besides the one that is [`OTHER`] in all parts.
const OTHERS_MAX: usize = 64;

impl Open {
    /// Where an event of `place` is counted in a window that has as many names as it may have. A name that the window has
    /// stays; others are counted under [`OTHER`].
    fn place_within<'a>(&mut self, keys: &KeyIndex, place: Place<'a>) -> Place<'a> {
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

/// Counts one partition. It has no clock: see the documentation of the room.
#[derive(Debug)]
pub struct Aggregator {
    config: AggregatorConfig,
    /// By window index. Closed windows stay until their commit has succeeded.
    pub(super) open: BTreeMap<i64, Open>,
    keys: KeyIndex,
    pub(super) closed: Timestamp,
    decided_upto: Offset,
    /// Largest offset read since the start. During a replay it is below `decided_upto`.
    pub(super) read_upto: Offset,
    /// Classifies tickets' texts; without it, topics and phrases are not counted.
    classifier: Option<Arc<dyn TextClassifier>>,
}

impl Aggregator {
    /// An aggregator at the beginning of a log.
    pub fn new(config: AggregatorConfig) -> Self {
        Self {
            config,
            open: BTreeMap::new(),
            keys: KeyIndex::default(),
            closed: Timestamp::from_millis(i64::MIN / 4),
            decided_upto: -1,
            read_upto: -1,
            classifier: None,
        }
    }

    /// Sets the classifier of texts from now on. Counts so far stay. A replay may classify their texts anew: it then
    /// replaces whole counts.
    pub fn set_classifier(&mut self, classifier: Arc<dyn TextClassifier>) {
        self.classifier = Some(classifier);
    }

    /// An aggregator that resumes at a commit. Its next record is the one at `point.resume_at`.
    pub fn resume(config: AggregatorConfig, point: CommitPoint) -> Self {
        Self {
            closed: point.closed,
            decided_upto: point.decided_upto,
            read_upto: point.resume_at - 1,
            ..Self::new(config)
        }
    }

    /// Decides the only event of a record. Offsets must grow from call to call.
    pub fn observe(&mut self, offset: Offset, appended_at: Timestamp, event: &Event) -> Outcome {
        let replayed = self.begin(offset);
        self.decide(replayed, offset, appended_at, &Brief::from(event))
    }

    /// Begins a record; each of its events is then [decided](Self::decide). Returns whether the record had been decided
    /// before a restart.
    pub fn begin(&mut self, offset: Offset) -> bool {
        let replayed = offset <= self.decided_upto;
        self.skip(offset);
        replayed
    }

    /// Decides one event of a record that has begun.
    pub fn decide(
        &mut self,
        replayed: bool,
        offset: Offset,
        appended_at: Timestamp,
        event: &Brief<'_>,
    ) -> Outcome {
        let ts = event.ts;
        if self.config.max_future_skew.is_some_and(|skew| ts > appended_at + skew) {
            return Outcome::Future;
        }
        let width = self.config.width;
        let index = width.index(ts);
        if width.start(index + 1) <= self.closed {
            return if replayed { Outcome::Replayed } else { Outcome::Late };
        }
        let outcome = self.count(index, offset, event);
        // Window ends are multiples of the width: rounding down loses no decision.
        self.closed = self.closed.max(width.floor(ts - self.config.lateness));
        outcome
    }

    /// Counts the arrival of a ticket at its creation, because of a `change` that is the first news of it: unless the
    /// window of the creation is closed, or that window or a later one has the id. The change itself must be
    /// [decided](Self::decide) afterwards. Returns whether the arrival counted.
    ///
    /// A replay decides the same: while the window is open, later ones are open too, so that all of them are replayed.
    pub fn arrive(
        &mut self,
        offset: Offset,
        appended_at: Timestamp,
        arrival: &Brief<'_>,
        change: &Brief<'_>,
    ) -> bool {
        let (width, newest) = (self.config.width, arrival.ts.max(change.ts));
        let is_future = self.config.max_future_skew.is_some_and(|skew| newest > appended_at + skew);
        let index = width.index(arrival.ts);
        let id = xxh3_128(arrival.id.as_bytes());
        if is_future
            || width.start(index + 1) <= self.closed
            || self.open.range(index..).any(|(_, open)| open.ids.contains(&id))
        {
            return false;
        }
        self.count(index, offset, arrival);
        true
    }

    /// Marks a record as decided. Call it alone for a record without events (a reject).
    pub fn skip(&mut self, offset: Offset) {
        debug_assert!(offset > self.read_upto, "offsets grow");
        self.read_upto = self.read_upto.max(offset);
        self.decided_upto = self.decided_upto.max(offset);
    }

    fn count(&mut self, index: i64, offset: Offset, event: &Brief<'_>) -> Outcome {
        let open = self
            .open
            .entry(index)
            .or_insert_with(|| Open { first_offset: offset, ..Open::default() });
        let fresh = open.ids.insert(xxh3_128(event.id.as_bytes()));
        let place = match open.counts.len() >= self.config.names_max {
            true => open.place_within(&self.keys, event.place),
            false => event.place,
        };
        let number = self.keys.number(&place);
        let (counts, changed) = open.counts.entry(number).or_default();
        *changed = true;
        if !fresh {
            counts.duplicates += 1;
            return Outcome::Duplicate;
        }
        match event.counts_as {
            CountsAs::Ticket => {
                counts.tickets += 1;
                if let (Some(classifier), Some(text)) = (&self.classifier, event.text) {
                    let scope = self.keys.scope(number, &place);
                    let tally = scope.map(|scope| open.phrases.entry(scope).or_default());
                    if let Some(topic) = classify(&**classifier, text, tally) {
                        counts.topics[topic as usize] += 1;
                    }
                }
            }
            CountsAs::Raise(severity) => counts.raised[severity as usize] += 1,
            CountsAs::Clear => counts.cleared += 1,
            CountsAs::Other => counts.other += 1,
        }
        Outcome::Counted
    }

    /// Partials of every aggregation key that changed since the last call, oldest window first.
    pub fn changed(&mut self) -> Vec<Partial> {
        let (width, upto) = (self.config.width, self.read_upto);
        let mut partials = Vec::new();
        for (index, open) in &mut self.open {
            let window = width.start(*index);
            for (number, (counts, changed)) in &mut open.counts {
                if std::mem::take(changed) {
                    let key = self.keys.get(*number).clone();
                    partials.push(Partial { window, key, counts: *counts, upto });
                }
            }
            for (scope, tally) in &mut open.phrases {
                let AggregationKey::Alarms(scope) = self.keys.get(*scope) else { continue };
                partials.extend(tally.changed().map(|(phrase, tickets)| {
                    let key = AggregationKey::Phrase(scope.clone(), phrase);
                    let counts = Counts { tickets, ..Counts::default() };
                    Partial { window, key, counts, upto }
                }));
            }
        }
        partials.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        partials
    }

    /// Where a restart may resume once everything that [`Self::changed`] has returned is durable.
    pub fn commit_point(&self) -> CommitPoint {
        let still_open = self.open.range(self.closed_index()..);
        CommitPoint {
            resume_at: still_open
                .map(|(_, open)| open.first_offset)
                .min()
                .unwrap_or(self.read_upto + 1),
            closed: self.closed,
            decided_upto: self.decided_upto,
        }
    }

    /// Drops the windows that were closed at `point`. Call it once that commit has succeeded.
    pub fn committed(&mut self, point: &CommitPoint) {
        let keep = self.config.width.index(point.closed);
        self.open = self.open.split_off(&keep);
        if self.keys.are_many() {
            self.forget_unused_keys();
        }
    }

    /// Drops keys that no open window has. Names come from outside, so their number has no limit.
    fn forget_unused_keys(&mut self) {
        let mut used = vec![false; self.keys.len()];
        let numbers =
            self.open.values().flat_map(|open| open.counts.keys().chain(open.phrases.keys()));
        for number in numbers {
            used[*number as usize] = true;
        }
        let renumbered = self.keys.keep(&used);
        for open in self.open.values_mut() {
            let counts = std::mem::take(&mut open.counts);
            let moved = counts.into_iter().map(|(old, counts)| (renumbered[old as usize], counts));
            open.counts = moved.collect();
            let phrases = std::mem::take(&mut open.phrases);
            let moved = phrases.into_iter().map(|(old, tally)| (renumbered[old as usize], tally));
            open.phrases = moved.collect();
        }
    }

    /// Windows that end at or before this are closed.
    pub fn closed(&self) -> Timestamp {
        self.closed
    }

    /// Names held in memory.
    #[cfg(test)]
    pub(super) fn keys_held(&self) -> usize {
        self.keys.len()
    }

    /// Windows held in memory.
    pub fn open_windows(&self) -> usize {
        self.open.len()
    }

    /// Index of the first window that is not closed.
    fn closed_index(&self) -> i64 {
        self.config.width.index(self.closed)
    }
}

/// Returns a text's topic, and adds its phrases to the tally while that still takes some.
fn classify(
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
