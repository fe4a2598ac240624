//! One thread a source: read, decode, fold, report.
//!
//! The channel to the leader is bounded: when the leader cannot store, the workers wait and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::run::Input;
use crate::domain::{
    AlarmEvent, Clock, DeadLetter, Event, EventKind, MaintenanceEvent, Offset, Position, Reason,
    SourceId, Timestamp,
};
use crate::ingest;
use crate::telemetry::Metrics;
use crate::window::{Cell, CommitPoint, Fate, Fold, FoldConfig, Frontier, Partial};

/// Records read before the leader hears of them, at most.
const RECORDS_PER_REPORT: usize = 20_000;
/// A quiet source says once a second that it has read everything there was.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Wait after a read error.
const RETRY: Duration = Duration::from_secs(2);

/// One record of a log, not yet decoded.
#[derive(Debug)]
pub struct Record {
    pub offset: Offset,
    pub appended_at: Timestamp,
    pub hint: Option<EventKind>,
    pub bytes: Vec<u8>,
}

/// An ordered log that can be read again from any offset.
pub trait Feed: Send {
    /// Its name in partials, dead letters and metrics.
    fn source(&self) -> SourceId;
    /// Starts over at the first record whose offset is `offset` or more.
    fn seek(&mut self, offset: Offset);
    /// Records that follow, at most about `max`; none means that everything there was at `now` is read.
    ///
    /// # Errors
    /// What could not be read; the worker says so and tries again.
    fn poll(&mut self, now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>>;
    /// Records before `offset` will not be asked for again.
    fn committed(&mut self, _offset: Offset) {}
}

/// What a worker tells the leader: everything that happened since it last did.
#[derive(Debug)]
pub struct Report {
    pub source: SourceId,
    pub partials: Vec<Partial>,
    pub frontier: Frontier,
    pub commit: CommitPoint,
    pub alarms: Vec<(Position, AlarmEvent)>,
    pub maintenance: Vec<(Position, MaintenanceEvent)>,
    pub dead: Vec<(DeadLetter, Option<(Cell, Timestamp)>)>,
    /// Where the leader notes that the report is durable.
    pub durable: Arc<AtomicI64>,
}

impl Report {
    /// Whether there is nothing to store.
    pub fn is_heartbeat(&self) -> bool {
        self.partials.is_empty() && self.dead.is_empty()
    }
}

/// Reads one feed to the end of time.
pub struct Worker {
    pub feed: Box<dyn Feed>,
    pub fold: Fold,
    pub config: FoldConfig,
    pub limits: ingest::Limits,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub reports: SyncSender<Input>,
    pub wake: Receiver<()>,
    pub stop: Arc<AtomicBool>,
}

impl Worker {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let source = self.feed.source();
        let durable = Arc::new(AtomicI64::new(Offset::MIN));
        let mut trimmed = Offset::MIN;
        while !self.stop.load(Ordering::Relaxed) {
            let Some(report) = self.gather(&source, &durable) else {
                self.pause(RETRY);
                continue;
            };
            let (commit, caught_up) = (report.commit, report.frontier.caught_up_at.is_some());
            if self.reports.send(Input::Report(report)).is_err() {
                return;
            }
            self.fold.committed(&commit);
            let done = durable.load(Ordering::Acquire);
            if done > trimmed {
                self.feed.committed(done);
                trimmed = done;
            }
            if caught_up {
                self.pause(HEARTBEAT);
            }
        }
    }

    fn pause(&self, at_most: Duration) {
        match self.wake.recv_timeout(at_most) {
            // Several calls may be waiting: one pass serves them all.
            Ok(()) => while self.wake.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stop.store(true, Ordering::Relaxed),
        }
    }

    fn gather(&mut self, source: &SourceId, durable: &Arc<AtomicI64>) -> Option<Report> {
        let mut report = Report {
            source: source.clone(),
            partials: Vec::new(),
            frontier: Frontier { closed: self.fold.closed(), caught_up_at: None },
            commit: self.fold.commit_point(),
            alarms: Vec::new(),
            maintenance: Vec::new(),
            dead: Vec::new(),
            durable: Arc::clone(durable),
        };
        let mut read = 0;
        while read < RECORDS_PER_REPORT {
            let now = self.clock.now();
            let records = match self.feed.poll(now, RECORDS_PER_REPORT - read) {
                Ok(records) => records,
                Err(error) => {
                    tracing::warn!(%source, %error, "cannot read the source; trying again");
                    return None;
                }
            };
            if records.is_empty() {
                report.frontier.caught_up_at = Some(now);
                break;
            }
            read += records.len();
            for record in records {
                self.take(source, record, &mut report);
            }
        }
        report.partials = self.fold.changed();
        report.frontier.closed = self.fold.closed();
        report.commit = self.fold.commit_point();
        Some(report)
    }

    fn take(&mut self, source: &SourceId, record: Record, report: &mut Report) {
        let position = Position { source: source.clone(), offset: record.offset };
        let event = match ingest::decode(&record.bytes, record.hint, &self.limits) {
            Ok(event) => event,
            Err(reject) => {
                self.fold.skip(record.offset);
                self.reject(position, &record, reject.reason, reject.detail, None, report);
                return;
            }
        };
        let fate = self.fold.observe(record.offset, record.appended_at, &event);
        self.metrics.event(source, fate_name(fate));
        match fate {
            Fate::Late => {
                let place = (Cell::of(&event), self.config.width.floor(event.ts()));
                let detail = format!(
                    "its window ended at {}, and the source had closed windows up to {}",
                    self.config.width.end(place.1),
                    self.fold.closed()
                );
                self.reject(position.clone(), &record, Reason::Late, detail, Some(place), report);
            }
            Fate::Future => {
                let detail = format!(
                    "its time {} lies too far after {}, when it was appended",
                    event.ts(),
                    record.appended_at
                );
                self.reject(position, &record, Reason::Future, detail, None, report);
                return;
            }
            Fate::Duplicate => return,
            Fate::Counted | Fate::Replayed => {}
        }
        // State outlives windows: a late clear still clears, and the newest wins whatever is replayed.
        match event {
            Event::Alarm(alarm) => report.alarms.push((position, alarm)),
            Event::Maintenance(work) => report.maintenance.push((position, work)),
            Event::Ticket(_) => {}
        }
    }

    fn reject(
        &self,
        position: Position,
        record: &Record,
        reason: Reason,
        detail: String,
        place: Option<(Cell, Timestamp)>,
        report: &mut Report,
    ) {
        self.metrics.rejected(reason);
        let letter = DeadLetter {
            position,
            received_at: record.appended_at,
            reason,
            detail,
            bytes: record.bytes.clone().into_boxed_slice(),
        };
        report.dead.push((letter, place));
    }
}

fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Counted => "counted",
        Fate::Duplicate => "duplicate",
        Fate::Late => "late",
        Fate::Future => "future",
        Fate::Replayed => "replayed",
    }
}
