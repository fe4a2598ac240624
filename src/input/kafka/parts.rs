//! Types that the polling thread and the counting threads share.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::{Clock, DeadLetter, EventKind, Offset, SourceId, Timestamp};
use crate::input::tally::Tally;
use crate::input::{Decoders, SourceProcessor};
use crate::kafka::{CountedSoFar, EncodedWire, End, Ends, Faults, Fetched, InFlight, Settings};
use crate::telemetry::{Health, Metrics};
use crate::window::{AggregatorConfig, CommitPoint};

/// The thread that polls Kafka, and its settings.
pub struct Intake {
    pub settings: Settings,
    /// What the group has counted, for partitions whose commits the broker no longer has.
    pub counted: Arc<CountedSoFar>,
    /// Ids of topics that were replaced while they were read: what was not read of them is known.
    pub replaced: Mutex<BTreeSet<String>>,
    pub aggregator: AggregatorConfig,
    /// Maximum memory of alarms, tickets' steps, planned work and rejects that wait for a report, in units of about 512 bytes. Counts do not
    /// need more memory for more records.
    pub held_max: usize,
    pub decoders: Arc<Decoders>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    /// Faults by partition.
    pub faults: Arc<Faults>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
}

/// One partition that this instance counts.
pub(super) struct Partition {
    /// The partition. The processor's source also has the generation of the topic.
    pub(super) source: SourceId,
    pub(super) processor: SourceProcessor,
    /// The kind of the topic's events, for events without a kind of their own.
    pub(super) hint: Option<EventKind>,
    /// Offset of the next record.
    pub(super) next: Offset,
    pub(super) committed: Option<CommitPoint>,
    /// Offset up to which records are in a report.
    pub(super) reported: Offset,
    /// The offset at which reading last advanced or had nothing to read, and the time of this.
    pub(super) moved: (Offset, Timestamp),
    /// End of the partition at the last report, with the records of open transactions, and when it was asked for. The next
    /// record from there on shows whether the broker's clock agrees with ours.
    pub(super) seen_end: Option<(Offset, Timestamp)>,
    /// The end of the readable records, if unreadable records follow it, and since when it has not changed.
    pub(super) held_up: Option<(Offset, Timestamp)>,
    /// By how many seconds the times of records are ahead of our clock, if that was seen since the last report.
    pub(super) ahead_s: Option<i64>,
}

impl Partition {
    /// Compares the append time of a record that was written after `seen_end` with our clock.
    pub(super) fn compare_clocks(
        &mut self,
        offset: Offset,
        appended_at: Timestamp,
        now: Timestamp,
    ) {
        let Some((_, asked_at)) = self.seen_end.take_if(|(end, _)| offset >= *end) else { return };
        // It was appended between the two.
        let ahead = appended_at.millis() - now.millis();
        let behind = asked_at.millis() - appended_at.millis();
        self.ahead_s = Some(if ahead > 0 { ahead / 1000 } else { -behind.max(0) / 1000 });
    }

    /// Whether records wait that the broker has not given us for longer than `patience`. `read` is the offset up to which records
    /// were read, and `waiting` the number of records behind it, if that is known.
    pub(super) fn is_stuck(
        &mut self,
        read: Offset,
        waiting: Option<i64>,
        now: Timestamp,
        patience: Duration,
    ) -> bool {
        if read != self.moved.0 || waiting.is_none_or(|waiting| waiting == 0) {
            self.moved = (read, now);
        }
        now.since(self.moved.1) > patience
    }

    /// Since when records wait behind an open transaction; `None` unless that has lasted longer than `patience`.
    pub(super) fn waits_behind(
        &mut self,
        end: Option<End>,
        now: Timestamp,
        patience: Duration,
    ) -> Option<Timestamp> {
        let end = end.filter(|end| end.high > end.readable);
        self.held_up = end.map(|end| match self.held_up {
            Some((offset, since)) if offset == end.readable => (offset, since),
            _ => (end.readable, now),
        });
        let (_, since) = self.held_up?;
        (now.since(since) > patience).then_some(since)
    }
}

/// A deleted topic. Its records that were not counted are lost.
pub(super) struct Lost {
    pub(super) topic: String,
    /// Whether another topic now has its name. Then records since the last report may be from either topic, and are not counted
    /// for any.
    pub(super) is_replaced: bool,
}

/// The input of a report.
pub(super) struct ReportRequest {
    pub(super) ends: Ends,
    /// Offsets before which all records have been taken.
    pub(super) read: Fetched,
    pub(super) now: Timestamp,
    /// A topic that does not exist any more.
    pub(super) lost: Option<Lost>,
}

/// Reports of several partitions: messages and dead letters to write, offsets to commit.
#[derive(Default)]
pub(super) struct ReportBatch {
    /// Messages are encoded here, because several threads make reports.
    pub(super) messages: Vec<EncodedWire>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) points: Vec<(SourceId, CommitPoint)>,
    /// What the metrics count once the offsets are committed, by partition.
    pub(super) tallies: Vec<(SourceId, Tally)>,
    /// Whether the reading of a partition moves on; if not, how many records wait.
    pub(super) moving: Vec<(SourceId, Option<i64>)>,
    /// Since when records wait behind an open transaction, if they do.
    pub(super) held_up: Vec<(SourceId, Option<Timestamp>)>,
    /// By how many seconds the times of records are ahead of our clock.
    pub(super) ahead_s: Vec<(SourceId, i64)>,
    /// Records that can no longer be read.
    pub(super) gone: Vec<(SourceId, i64)>,
}

impl ReportBatch {
    pub(super) fn append(&mut self, other: Self) {
        let Self { messages, letters, points, tallies, moving, held_up, ahead_s, gone } = other;
        self.messages.extend(messages);
        self.letters.extend(letters);
        self.points.extend(points);
        self.tallies.extend(tallies);
        self.moving.extend(moving);
        self.held_up.extend(held_up);
        self.ahead_s.extend(ahead_s);
        self.gone.extend(gone);
    }
}

/// A report whose messages are being written to the log. Its offsets are committed once all are acknowledged.
pub(super) struct Unfinished {
    pub(super) in_flight: InFlight,
    pub(super) points: Vec<(SourceId, CommitPoint)>,
    pub(super) tallies: Vec<(SourceId, Tally)>,
    /// From the first write to the commit.
    pub(super) span: tracing::Span,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Decoder;

    fn partition() -> Partition {
        let source = SourceId::new("t", 0);
        let config = AggregatorConfig {
            width: crate::domain::WindowWidth::new(std::time::Duration::from_secs(900))
                .expect("a width"),
            lateness: std::time::Duration::from_secs(600),
            max_future_skew: None,
            names_max: AggregatorConfig::NAMES,
        };
        let decoders = Arc::new(Decoders::new(Decoder::default()));
        let processor =
            SourceProcessor::new(source.clone(), None, config, decoders, Arc::default());
        Partition {
            source,
            processor,
            hint: None,
            next: 0,
            committed: None,
            reported: 0,
            moved: (0, Timestamp::MIN),
            seen_end: None,
            held_up: None,
            ahead_s: None,
        }
    }

    #[test]
    fn a_partition_is_stuck_while_records_wait_and_none_comes() {
        let at = Timestamp::from_secs;
        let patience = Duration::from_secs(60);
        let mut partition = partition();
        // time, read up to, records that wait; then: whether it is stuck.
        let steps = [
            (0, 5, Some(3), false),
            (60, 5, Some(9), false),
            (61, 5, Some(9), true),
            (500, 5, Some(9), true),
            // The broker does not say how many wait.
            (510, 5, None, false),
            (571, 5, Some(9), true),
            (580, 6, Some(8), false),
            (640, 6, Some(8), false),
            (641, 6, Some(8), true),
            (650, 14, Some(0), false),
            (900, 14, Some(0), false),
            (960, 14, Some(1), false),
            (961, 14, Some(1), true),
        ];
        for (now, read, waiting, expected) in steps {
            let found = partition.is_stuck(read, waiting, at(now), patience);
            assert_eq!(found, expected, "at {now}, {read}, {waiting:?}");
        }
    }

    #[test]
    fn a_record_that_was_just_appended_shows_the_difference_of_the_clocks() {
        let at = Timestamp::from_secs;
        // offset, append time; then: seconds ahead. The end 10 was asked for at 1000, and it is 1003 now.
        let cases = [
            (10, 1001, Some(0)),
            (12, 1003, Some(0)),
            (10, 1000 - 3600, Some(-3600)),
            (10, 1003 + 3600, Some(3600)),
            // It was there before, and may be as old as it likes.
            (9, 1000 - 3600, None),
        ];
        for (offset, appended, expected) in cases {
            let mut partition = partition();
            partition.seen_end = Some((10, at(1000)));
            partition.compare_clocks(offset, at(appended), at(1003));
            assert_eq!(partition.ahead_s, expected, "{offset} {appended}");
        }
        let mut unknown = partition();
        unknown.compare_clocks(10, at(0), at(1003));
        assert_eq!(unknown.ahead_s, None);
    }

    #[test]
    fn records_behind_a_transaction_that_stays_open_are_reported() {
        let at = Timestamp::from_secs;
        let mut partition = partition();
        // Time, end of what can be read, end; then: since when records wait.
        for (now, readable, high, expected) in [
            (0, 10, 10, None),
            (10, 10, 17, None),
            (70, 10, 517, None),
            (71, 10, 517, Some(at(10))),
            // The next transaction begins where the one before ended.
            (72, 517, 520, None),
            (132, 517, 520, None),
            (133, 517, 521, Some(at(72))),
            (134, 521, 521, None),
            (400, 521, 522, None),
        ] {
            let end = Some(End { readable, high, at: at(now) });
            let found = partition.waits_behind(end, at(now), Duration::from_secs(60));
            assert_eq!(found, expected, "{now}");
        }
        assert_eq!(partition.waits_behind(None, at(900), Duration::ZERO), None);
        assert_eq!(partition.held_up, None, "the end is not known");
    }
}
