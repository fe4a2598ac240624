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
use crate::domain::{Brief, Event, Listen, Offset, Timestamp, Topic, What, WindowWidth};

/// Rules of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregatorConfig {
    pub width: WindowWidth,
    /// How far behind the newest event time an event may be.
    pub lateness: Duration,
    /// How far past its append time an event may lie; `None` for files, which have no append time.
    pub max_future_skew: Option<Duration>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Counted,
    /// Its id is already in its window; counted as a duplicate.
    Duplicate,
    /// Its window had closed: a dead letter.
    Late,
    /// Ahead of its append time by more than the skew: a dead letter that moves nothing.
    Future,
    /// Decided before a restart, in a window that has closed since: nothing to do.
    Replayed,
}

/// Cumulative counts of one cell in one window, true up to an offset. Never an increment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// Start of the window.
    pub window: Timestamp,
    pub cell: AggregationKey,
    pub counts: Counts,
    pub upto: Offset,
}

/// Where a restart begins, and what it must not forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPoint {
    /// Smallest first offset over all open windows, or the next offset if none is open.
    pub resume_at: Offset,
    /// Windows that end at or before this are closed.
    pub closed: Timestamp,
    /// Largest offset ever processed, before this restart or an earlier one.
    pub decided_upto: Offset,
}

#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) first_offset: Offset,
    pub(super) ids: HashSet<u128, RandomState>,
    /// By the cell's number; and whether it changed since the last report.
    cells: HashMap<u32, (Counts, bool), RandomState>,
    /// By the number of the scope's alarms.
    phrases: HashMap<u32, Tally, RandomState>,
}

/// Counts one partition. See the module's text for why it has no clock.
#[derive(Debug)]
pub struct Aggregator {
    config: AggregatorConfig,
    /// By window index. Closed windows stay until they are committed.
    pub(super) open: BTreeMap<i64, Open>,
    cells: KeyIndex,
    pub(super) closed: Timestamp,
    decided_upto: Offset,
    /// Largest offset seen since the start, which a replay puts behind `decided_upto`.
    pub(super) read_upto: Offset,
    /// Sorts what customers say; nobody listens without.
    listener: Option<Arc<dyn Listen>>,
}

impl Aggregator {
    /// A aggregator of a log that nobody has read.
    pub fn new(config: AggregatorConfig) -> Self {
        Self {
            config,
            open: BTreeMap::new(),
            cells: KeyIndex::default(),
            closed: Timestamp::from_millis(i64::MIN / 4),
            decided_upto: -1,
            read_upto: -1,
            listener: None,
        }
    }

    /// Sorts texts by this from now on. What has been counted stays: a replay may sort it anew, and replaces it whole.
    pub fn listen(&mut self, listener: Arc<dyn Listen>) {
        self.listener = Some(listener);
    }

    /// A aggregator that goes on from a commit; feed it from `point.resume_at`.
    pub fn resume(config: AggregatorConfig, point: CommitPoint) -> Self {
        Self {
            closed: point.closed,
            decided_upto: point.decided_upto,
            read_upto: point.resume_at - 1,
            ..Self::new(config)
        }
    }

    /// Decides one event. Offsets must grow from call to call.
    pub fn observe(&mut self, offset: Offset, appended_at: Timestamp, event: &Event) -> Outcome {
        let replayed = self.begin(offset);
        self.decide(replayed, offset, appended_at, &Brief::from(event))
    }

    /// Notes a record that holds several events, each of which is then [decided](Self::decide). Returns whether it
    /// had been decided before a restart.
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

    /// Notes a record that holds no event (a reject), so that a replay knows it was decided.
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
        let number = self.cells.number(&event.place);
        let (counts, changed) = open.cells.entry(number).or_default();
        *changed = true;
        if !fresh {
            counts.duplicates += 1;
            return Outcome::Duplicate;
        }
        match event.what {
            What::Ticket => {
                counts.tickets += 1;
                if let (Some(listener), Some(text)) = (&self.listener, event.text) {
                    let scope = self.cells.scope(number, &event.place);
                    let tally = scope.map(|scope| open.phrases.entry(scope).or_default());
                    if let Some(topic) = hear(&**listener, text, tally) {
                        counts.topics[topic as usize] += 1;
                    }
                }
            }
            What::Raise(severity) => counts.raised[severity as usize] += 1,
            What::Clear => counts.cleared += 1,
            What::Other => counts.other += 1,
        }
        Outcome::Counted
    }

    /// Partials of every cell that changed since the last call, cumulative, oldest window first.
    pub fn changed(&mut self) -> Vec<Partial> {
        let (width, upto) = (self.config.width, self.read_upto);
        let mut partials = Vec::new();
        for (index, open) in &mut self.open {
            let window = width.start(*index);
            for (number, (counts, changed)) in &mut open.cells {
                if std::mem::take(changed) {
                    let cell = self.cells.get(*number).clone();
                    partials.push(Partial { window, cell, counts: *counts, upto });
                }
            }
            for (scope, tally) in &mut open.phrases {
                let AggregationKey::Alarms(scope) = self.cells.get(*scope) else { continue };
                partials.extend(tally.changed().map(|(phrase, tickets)| {
                    let cell = AggregationKey::Phrase(scope.clone(), phrase);
                    let counts = Counts { tickets, ..Counts::default() };
                    Partial { window, cell, counts, upto }
                }));
            }
        }
        partials.sort_by(|a, b| (a.window, &a.cell).cmp(&(b.window, &b.cell)));
        partials
    }

    /// Where a restart may begin once everything that [`Self::changed`] gave is durable.
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

    /// Forgets windows that were closed at a commit that has succeeded.
    pub fn committed(&mut self, point: &CommitPoint) {
        let keep = self.config.width.index(point.closed);
        self.open = self.open.split_off(&keep);
        if self.cells.are_many() {
            self.forget_cells();
        }
    }

    /// Forgets cells that are in no open window: names come from outside, and may come without end.
    fn forget_cells(&mut self) {
        let mut used = vec![false; self.cells.len()];
        let numbers =
            self.open.values().flat_map(|open| open.cells.keys().chain(open.phrases.keys()));
        for number in numbers {
            used[*number as usize] = true;
        }
        let renumbered = self.cells.keep(&used);
        for open in self.open.values_mut() {
            let cells = std::mem::take(&mut open.cells);
            let moved = cells.into_iter().map(|(old, counts)| (renumbered[old as usize], counts));
            open.cells = moved.collect();
            let phrases = std::mem::take(&mut open.phrases);
            let moved = phrases.into_iter().map(|(old, tally)| (renumbered[old as usize], tally));
            open.phrases = moved.collect();
        }
    }

    /// Windows that end at or before this are closed.
    pub fn closed(&self) -> Timestamp {
        self.closed
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

/// A text's topic; its phrases go to their scope's, while these are wanted.
fn hear(listener: &dyn Listen, text: &str, tally: Option<&mut Tally>) -> Option<Topic> {
    let Some(tally) = tally else { return listener.hear(text, None) };
    match tally.begin() {
        true => listener.hear(text, Some(&mut |phrase| tally.take(phrase))),
        false => listener.hear(text, None),
    }
}
