//! The watermark of a partition: the newest event time so far. Windows are closed by it.
//!
//! One event with a wrong time must not close the windows of all other events. An event that alone would move the watermark by
//! more than a day waits for a second event, with another id, whose time is later or at most an hour earlier. Then the
//! watermark moves to the smaller of the two times. The first event of a partition waits too. The result depends only on the
//! log.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// Maximum time by which a single event moves the watermark.
const ALONE_MAX: Duration = Duration::from_secs(86_400);
/// Maximum time by which the second event may be earlier than the first.
const SECOND_WITHIN: Duration = Duration::from_secs(3600);
/// Maximum number of events that wait for a second one. If there are more, the one with the largest time no longer waits.
pub(super) const WAITING_MAX: usize = 16;

/// The newest event time of a partition, and events that wait to move it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    upto: Option<Timestamp>,
    pub(super) waiting: Vec<Waiting>,
}

/// An event that waits for a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    ts: Timestamp,
    /// Hash of its id.
    id: u64,
}

impl Watermark {
    /// A watermark without waiting events.
    pub fn at(upto: Timestamp) -> Self {
        Self { upto: Some(upto), waiting: Vec::new() }
    }

    /// The newest event time; `None` while no event has moved it.
    pub fn upto(&self) -> Option<Timestamp> {
        self.upto
    }

    /// Whether a time is too far ahead to move the watermark alone.
    pub(super) fn is_far(&self, ts: Timestamp) -> bool {
        self.upto.is_none_or(|upto| ts > upto + ALONE_MAX)
    }

    /// Takes an event. Returns whether it is too far ahead to move the watermark alone.
    pub(super) fn take(&mut self, ts: Timestamp, id: u64) -> bool {
        if !self.is_far(ts) {
            self.advance(ts);
            return false;
        }
        let is_confirmed = |other: &&Waiting| other.id != id && ts >= other.ts - SECOND_WITHIN;
        let confirmed = self.waiting.iter().filter(is_confirmed).map(|other| other.ts.min(ts));
        if let Some(upto) = confirmed.max() {
            self.advance(upto);
        }
        if self.upto.is_none_or(|upto| ts > upto) {
            self.wait(Waiting { ts, id });
        }
        true
    }

    fn advance(&mut self, ts: Timestamp) {
        self.upto = self.upto.max(Some(ts));
        if !self.waiting.is_empty() {
            self.waiting.retain(|waiting| Some(waiting.ts) > self.upto);
        }
    }

    fn wait(&mut self, event: Waiting) {
        if self.waiting.contains(&event) {
            return;
        }
        self.waiting.push(event);
        if self.waiting.len() > WAITING_MAX {
            let last = (0..self.waiting.len()).max_by_key(|n| self.waiting[*n].ts);
            last.map(|last| self.waiting.remove(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// The watermark after events (second, id), and how many wait.
    fn after(events: &[(i64, u64)]) -> (Option<i64>, usize) {
        let mut mark = Watermark::default();
        for (second, id) in events {
            mark.take(Timestamp::from_secs(*second), *id);
        }
        (mark.upto().map(Timestamp::secs), mark.waiting.len())
    }

    #[test]
    fn a_second_event_confirms_a_far_one() {
        type Case = (&'static str, Vec<(i64, u64)>, (Option<i64>, usize));
        let far = 400 * DAY;
        let near = [(0, 1), (5, 2)];
        let cases: [Case; 15] = [
            ("no event", vec![], (None, 0)),
            ("the first event waits", vec![(7, 1)], (None, 1)),
            ("its own id does not confirm it", vec![(7, 1), (7, 1)], (None, 1)),
            ("the smaller of the two", vec![(7, 1), (3, 2)], (Some(3), 1)),
            ("an hour before", vec![(3600, 1), (0, 2)], (Some(0), 1)),
            ("more than an hour before", vec![(3601, 1), (0, 2)], (None, 2)),
            ("a first event in 2099", vec![(far, 1), (0, 2), (5, 3)], (Some(0), 2)),
            ("a day is not too far", vec![(0, 1), (0, 2), (DAY, 3)], (Some(DAY), 0)),
            ("a second more is", vec![(0, 1), (0, 2), (DAY + 1, 3)], (Some(0), 1)),
            ("one far event", [&near[..], &[(far, 3), (60, 4)]].concat(), (Some(60), 1)),
            ("two far events", [&near[..], &[(far, 3), (far + 9, 4)]].concat(), (Some(far), 1)),
            (
                "with others between",
                [&near[..], &[(far, 3), (60, 4), (far - 9, 5)]].concat(),
                (Some(far - 9), 1),
            ),
            ("the same far id", [&near[..], &[(far, 3), (far + 9, 3)]].concat(), (Some(5), 2)),
            (
                "a larger far event confirms",
                [&near[..], &[(far, 3), (far + 9 * DAY, 4)]].concat(),
                (Some(far), 1),
            ),
            (
                "the time comes",
                [&near[..], &[(3 * DAY, 3), (DAY, 4), (2 * DAY, 5), (3 * DAY, 6)]].concat(),
                (Some(3 * DAY), 0),
            ),
        ];
        for (name, events, want) in cases {
            // After two near events the watermark is at the first of them.
            assert_eq!(after(&events), want, "{name}");
        }
    }

    #[test]
    fn the_number_of_waiting_events_is_bounded() {
        let events: Vec<(i64, u64)> = (0..1000).map(|n| (-n * 2 * DAY, n as u64)).collect();
        assert_eq!(after(&events), (None, WAITING_MAX));
        // Those with the smallest times still wait.
        let confirmed = [&events[..], &[(-999 * 2 * DAY + 60, 5000)]].concat();
        assert_eq!(after(&confirmed).0, Some(-999 * 2 * DAY));
    }
}
