//! Types that the polling thread and the counting threads share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::domain::{Clock, DeadLetter, EventKind, Offset, SourceId, Timestamp};
use crate::input::{Decoders, SourceProcessor};
use crate::kafka::{Ends, Faults, Fetched, Settings, Wire};
use crate::telemetry::{Health, Metrics};
use crate::window::{AggregatorConfig, CommitPoint};

/// The thread that polls Kafka, and its settings.
pub struct Intake {
    pub settings: Settings,
    pub aggregator: AggregatorConfig,
    /// Most alarms, planned work and rejects that wait for a report, in units of about 512 bytes. Counts need no further
    /// memory for further records.
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
    /// Where reading last moved on or had nothing to read, and when.
    pub(super) moved: (Offset, Timestamp),
}

/// The input of a report.
pub(super) struct ReportRequest {
    pub(super) ends: Ends,
    /// Offsets before which all records have been taken.
    pub(super) read: Fetched,
    pub(super) now: Timestamp,
    /// A topic that exists no more: what was not read of it is gone.
    pub(super) lost_topic: Option<String>,
}

/// Reports of several partitions: messages and dead letters to write, offsets to commit.
#[derive(Default)]
pub(super) struct ReportBatch {
    pub(super) messages: Vec<Wire>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) points: Vec<(SourceId, CommitPoint)>,
    /// Whether the reading of a partition moves on; if not, how many records wait.
    pub(super) moving: Vec<(SourceId, Option<i64>)>,
    /// Records that can no longer be read.
    pub(super) gone: Vec<(SourceId, i64)>,
}

impl ReportBatch {
    pub(super) fn append(&mut self, other: Self) {
        let Self { messages, letters, points, moving, gone } = other;
        self.messages.extend(messages);
        self.letters.extend(letters);
        self.points.extend(points);
        self.moving.extend(moving);
        self.gone.extend(gone);
    }
}
