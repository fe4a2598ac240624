//! The aggregator of one source partition: event by event, in offset order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::beside::{self, At, Beside, KeptWindow};
use super::key_index::KeyIndex;
use super::open_window::{Open, add, classify};
use super::watermark::Watermark;
use super::{AggregationKey, Counts};
use crate::domain::{
    Brief, CountsAs, Event, Offset, TextClassifier, Timestamp, Topic, WindowWidth,
};

/// Rules of aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregatorConfig {
    pub width: WindowWidth,
    /// How far behind the newest event time an event may be.
    pub lateness: Duration,
    /// How far an event may be ahead of its append time; `None` for logs without append times.
    pub max_future_skew: Option<Duration>,
    /// Maximum number of names in one window: series, and scopes of alarms. Events with further names are counted under
    /// [`OTHER`](crate::domain::OTHER).
    pub names_max: usize,
}

impl AggregatorConfig {
    /// Minimum of [`Self::names_max`].
    pub const NAMES: usize = 20_000;

    /// The limit of names in a window of one source, for a limit of series over all sources. It is larger, because a
    /// source does not know which names are admitted.
    ///
    /// It is the same for all usual limits of series, so that a replay after a change of configuration has the same result.
    pub fn names_for(series_max: usize) -> usize {
        Self::NAMES.max(series_max.saturating_mul(2))
    }
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Counted,
    /// The window already has an event with this id. The event is counted as a duplicate.
    Duplicate,
    /// The window of the event was closed. The event becomes a dead letter.
    Late,
    /// The event is ahead of its append time by more than the allowed skew. It becomes a dead letter and closes no window.
    Future,
    /// The event was decided before a restart, and its window has closed since. It is skipped.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPoint {
    /// Smallest first offset of all open windows that are not stored beside the commit, or the next offset if there are none.
    pub resume_at: Offset,
    /// Windows that end at or before this are closed.
    pub closed: Timestamp,
    /// Largest offset ever processed, earlier sessions included.
    pub decided_upto: Offset,
    /// The watermark after `decided_upto`, and windows that do not hold back the commit.
    pub beside: Beside,
}

impl CommitPoint {
    /// The commit point before the first event of a log: nothing is closed or decided.
    pub fn start(resume_at: Offset) -> Self {
        let closed = Timestamp::from_millis(i64::MIN / 4);
        Self { resume_at, closed, decided_upto: resume_at - 1, beside: Beside::default() }
    }

    /// The commit point from which counting continues at `at`, because the records after this point cannot be read again.
    /// Windows that were open cannot be counted again from their first records. Their stored counts up to the last decided
    /// offset are kept, and later counts are added to them. The same applies to windows beside the commit.
    pub fn after_gap(self, at: Offset) -> Self {
        let beside = Beside { watermark: self.beside.watermark, windows: Vec::new() };
        Self { resume_at: at, decided_upto: at - 1, closed: self.closed, beside }
    }
}

/// Counts one partition. It uses no clock: see the documentation of the room.
#[derive(Debug)]
pub struct Aggregator {
    config: AggregatorConfig,
    /// Open windows by index. Closed windows are kept until their commit has succeeded.
    pub(super) open: BTreeMap<i64, Open>,
    /// Windows that are stored beside the commit, by index.
    kept: BTreeMap<i64, KeptWindow>,
    /// Maximum size in bytes of the windows beside the commit.
    pub(super) kept_bytes_max: usize,
    pub(super) watermark: Watermark,
    keys: KeyIndex,
    pub(super) closed: Timestamp,
    decided_upto: Offset,
    /// Number of decided events of the current record.
    nth: u32,
    /// Largest offset that was read since the start. During a replay it is below `decided_upto`.
    pub(super) read_upto: Offset,
    /// Classifies tickets' texts. Without it, topics and phrases are not counted.
    classifier: Option<Arc<dyn TextClassifier>>,
    topic: Option<Topic>,
}

impl Aggregator {
    /// An aggregator at the beginning of a log.
    pub fn new(config: AggregatorConfig) -> Self {
        Self {
            config,
            open: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_bytes_max: beside::BYTES_MAX,
            watermark: Watermark::default(),
            keys: KeyIndex::default(),
            closed: Timestamp::from_millis(i64::MIN / 4),
            decided_upto: -1,
            nth: 0,
            read_upto: -1,
            classifier: None,
            topic: None,
        }
    }

    /// The topic of the text of the event that was [decided](Self::decide) last, if counting classified it.
    pub fn topic(&self) -> Option<Topic> {
        self.topic
    }

    /// Sets the classifier for texts from now on. Existing counts do not change. If a replay classifies texts again, it
    /// replaces whole counts.
    pub fn set_classifier(&mut self, classifier: Arc<dyn TextClassifier>) {
        self.classifier = Some(classifier);
    }

    /// An aggregator that resumes at a commit. Its next record is the one at `point.resume_at`.
    pub fn resume(config: AggregatorConfig, point: CommitPoint) -> Self {
        let CommitPoint { resume_at, closed, decided_upto, beside } = point;
        let mut aggregator =
            Self { closed, decided_upto, read_upto: resume_at - 1, ..Self::new(config) };
        aggregator.watermark = beside.watermark;
        if aggregator.watermark.upto().is_none() && closed > Timestamp::MIN {
            // Commits of earlier releases have no watermark.
            aggregator.watermark = Watermark::at(closed + config.lateness);
        }
        for kept in beside.windows {
            let number = aggregator.keys.number_of(&kept.key);
            let mut open = Open::from(Offset::MAX);
            open.ids.insert(kept.id);
            open.counts.insert(number, (kept.counts, false));
            let index = config.width.index(kept.window);
            aggregator.open.insert(index, open);
            aggregator.kept.insert(index, kept);
        }
        aggregator
    }

    /// Decides the only event of a record. Offsets must increase from call to call.
    pub fn observe(&mut self, offset: Offset, appended_at: Timestamp, event: &Event) -> Outcome {
        let replayed = self.begin(offset);
        self.decide(replayed, offset, appended_at, &Brief::from(event))
    }

    /// Begins a record. Each of its events has to be [decided](Self::decide) afterwards. Returns whether the record was already
    /// decided before a restart.
    pub fn begin(&mut self, offset: Offset) -> bool {
        let replayed = offset <= self.decided_upto;
        self.skip(offset);
        self.nth = 0;
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
        let at = self.next_event(offset);
        self.topic = None;
        if self.config.max_future_skew.is_some_and(|skew| ts > appended_at + skew) {
            return Outcome::Future;
        }
        let width = self.config.width;
        let index = width.index(ts);
        if width.start(index + 1) <= self.closed {
            return if replayed { Outcome::Replayed } else { Outcome::Late };
        }
        if !self.kept.is_empty() && self.kept.get(&index).is_some_and(|kept| at <= kept.upto) {
            return Outcome::Replayed;
        }
        let id = xxh3_128(event.id.as_bytes());
        // The restored watermark includes the events up to `decided_upto`.
        let is_far = !replayed && self.watermark.take(ts, id as u64);
        let outcome = if is_far && self.fits_beside(index, event) {
            self.keep(index, at, id, event)
        } else {
            self.count(index, at, id, event)
        };
        if !replayed && let Some(upto) = self.watermark.upto() {
            // Window ends are multiples of the width: rounding down loses no decision.
            self.closed = self.closed.max(width.floor(upto - self.config.lateness));
        }
        outcome
    }

    /// Counts the arrival of a ticket in the window of its creation, if the first event about it is a `change`. It is not
    /// counted if that window is closed, or if that window or a later one already has the id. The change itself must be
    /// [decided](Self::decide) afterwards. Returns whether the arrival was counted.
    ///
    /// A replay has the same result: while the window is open, later windows are open too, so all of them are replayed or were
    /// stored beside the commit.
    pub fn arrive(
        &mut self,
        replayed: bool,
        offset: Offset,
        appended_at: Timestamp,
        arrival: &Brief<'_>,
        change: &Brief<'_>,
    ) -> bool {
        let at = self.next_event(offset);
        let (width, newest) = (self.config.width, arrival.ts.max(change.ts));
        let is_future = self.config.max_future_skew.is_some_and(|skew| newest > appended_at + skew);
        let index = width.index(arrival.ts);
        let id = xxh3_128(arrival.id.as_bytes());
        if is_future || width.start(index + 1) <= self.closed {
            return false;
        }
        if self.kept.get(&index).is_some_and(|kept| kept.since == at) {
            // It is the event that the window was restored with.
            return true;
        }
        // A restored window also has an event that comes later in the log.
        let has = |index: &i64, open: &Open| {
            open.ids.contains(&id)
                && self.kept.get(index).is_none_or(|kept| kept.id != id || kept.since < at)
        };
        if self.open.range(index..).any(|(index, open)| has(index, open)) {
            return false;
        }
        // The time of a creation moves no watermark: the time of its change does.
        if !replayed && self.watermark.is_far(arrival.ts) && self.fits_beside(index, arrival) {
            self.keep(index, at, id, arrival);
        } else {
            self.count(index, at, id, arrival);
        }
        true
    }

    /// The position of the next event of the current record.
    fn next_event(&mut self, offset: Offset) -> At {
        let at = (offset, self.nth);
        self.nth += 1;
        at
    }

    /// Marks a record as decided. Call it alone for a record without events (a reject).
    pub fn skip(&mut self, offset: Offset) {
        debug_assert!(offset > self.read_upto, "offsets grow");
        self.read_upto = self.read_upto.max(offset);
        self.decided_upto = self.decided_upto.max(offset);
    }

    /// Whether an event that is too far ahead can be stored beside the commit. The decision depends only on the log.
    fn fits_beside(&self, index: i64, event: &Brief<'_>) -> bool {
        let kept = self.kept.range(self.closed_index()..).map(|(_, kept)| beside::bytes(&kept.key));
        let new = beside::bytes(&AggregationKey::of(&event.place));
        !self.open.contains_key(&index) && kept.sum::<usize>() + new <= self.kept_bytes_max
    }

    /// Counts the first event of a window that is too far ahead, and stores it beside the commit. Its phrases are not counted.
    fn keep(&mut self, index: i64, upto: At, id: u128, event: &Brief<'_>) -> Outcome {
        let mut counts = Counts::default();
        self.topic = event.text.and_then(|text| classify(&**self.classifier.as_ref()?, text, None));
        add(&mut counts, event.counts_as, self.topic);
        let number = self.keys.number(&event.place);
        let mut open = Open::from(Offset::MAX);
        open.ids.insert(id);
        open.counts.insert(number, (counts, true));
        self.open.insert(index, open);
        let (window, key) = (self.config.width.start(index), self.keys.get(number).clone());
        self.kept.insert(index, KeptWindow { window, id, key, counts, since: upto, upto });
        Outcome::Counted
    }

    fn count(&mut self, index: i64, at: At, id: u128, event: &Brief<'_>) -> Outcome {
        let open = self.open.entry(index).or_insert_with(|| Open::from(at.0));
        let fresh = open.ids.insert(id);
        let place = match open.counts.len() >= self.config.names_max {
            true => open.place_within(&self.keys, event.place),
            false => event.place,
        };
        let number = self.keys.number(&place);
        let (counts, changed) = open.counts.entry(number).or_default();
        *changed = true;
        if !fresh {
            counts.duplicates += 1;
        }
        if open.first_offset == Offset::MAX {
            match self.kept.get_mut(&index).filter(|kept| kept.key == *self.keys.get(number)) {
                // Further duplicates of the only event are kept beside the commit too.
                Some(kept) if !fresh => (kept.counts, kept.upto) = (*counts, at),
                _ => open.first_offset = at.0,
            }
        }
        if !fresh {
            return Outcome::Duplicate;
        }
        if let (CountsAs::Ticket, Some(classifier), Some(text)) =
            (event.counts_as, &self.classifier, event.text)
        {
            let scope = self.keys.scope(number, &place);
            let tally = scope.map(|scope| open.phrases.entry(scope).or_default());
            self.topic = classify(&**classifier, text, tally);
        }
        add(counts, event.counts_as, self.topic);
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

    /// The point at which a restart may resume, once everything that [`Self::changed`] has returned is durable.
    pub fn commit_point(&self) -> CommitPoint {
        let still_open = self.open.range(self.closed_index()..);
        let kept = self.kept.range(self.closed_index()..);
        CommitPoint {
            resume_at: still_open
                .map(|(_, open)| open.first_offset)
                .min()
                .unwrap_or(Offset::MAX)
                .min(self.read_upto + 1),
            closed: self.closed,
            decided_upto: self.decided_upto,
            beside: Beside {
                watermark: self.watermark.clone(),
                windows: kept.map(|(_, kept)| kept.clone()).collect(),
            },
        }
    }

    /// Drops the windows that were closed at `point`. Call this once that commit has succeeded.
    pub fn committed(&mut self, point: &CommitPoint) {
        let keep = self.config.width.index(point.closed);
        self.open = self.open.split_off(&keep);
        self.kept = self.kept.split_off(&keep);
        if self.keys.are_many() {
            self.forget_unused_keys();
        }
    }

    /// Drops keys that no open window has. Names come from outside, so their number is not limited.
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

    /// Number of names in memory.
    #[cfg(test)]
    pub(super) fn keys_held(&self) -> usize {
        self.keys.len()
    }

    /// Windows whose only event is too far ahead to close others.
    pub fn far_windows(&self) -> usize {
        self.kept.range(self.closed_index()..).count()
    }

    /// Number of windows in memory.
    pub fn open_windows(&self) -> usize {
        self.open.len()
    }

    /// Index of the first window that is not closed.
    fn closed_index(&self) -> i64 {
        self.config.width.index(self.closed)
    }
}
