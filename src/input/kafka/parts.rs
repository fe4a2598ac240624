//! What the thread that polls and the threads that count share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::domain::{Clock, DeadLetter, EventKind, Offset, SourceId, Timestamp};
use crate::input::{Decoders, SourceProcessor};
use crate::kafka::{Ends, Fetched, Settings, Wire};
use crate::telemetry::{Health, Metrics};
use crate::window::{AggregatorConfig, CommitPoint};

/// What the thread works with.
pub struct Intake {
    pub settings: Settings,
    pub aggregator: AggregatorConfig,
    /// Alarms, planned work and rejects held before the log hears of them, in about 512 bytes each. Counts take no more
    /// room for more records.
    pub held_max: usize,
    pub decoders: Arc<Decoders>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
}

/// One partition that this instance counts.
pub(super) struct Partition {
    pub(super) source: SourceId,
    pub(super) counter: SourceProcessor,
    /// What the topic's events are where they do not say it.
    pub(super) hint: Option<EventKind>,
    /// Offset of the next record.
    pub(super) next: Offset,
    pub(super) committed: Option<CommitPoint>,
}

/// What partitions are asked to report with.
pub(super) struct ReportRequest {
    pub(super) ends: Ends,
    /// Up to where a partition has been read, if no record is left before that offset.
    pub(super) read: Fetched,
    pub(super) now: Timestamp,
}

/// Reports, on their way out.
#[derive(Default)]
pub(super) struct ReportBatch {
    pub(super) messages: Vec<Wire>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) points: Vec<(SourceId, CommitPoint)>,
}
