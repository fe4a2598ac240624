//! The thread of a feed: it reads, counts and reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::processor::{RecordRef, SourceProcessor};
use crate::domain::{Clock, EventKind, Offset, SourceId, Timestamp};
use crate::engine::{AckHandle, Message, Report};
use crate::ingest::Headers;
use crate::telemetry::Health;

/// Maximum number of records of one report.
const RECORDS_PER_REPORT: usize = 20_000;
/// A source that has caught up reports this often.
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

/// An ordered log that can be read from any offset.
pub trait Feed: Send {
    /// Name in partials, dead letters and metrics.
    fn source(&self) -> SourceId;
    /// Continues at the first record whose offset is at least `offset`.
    fn seek(&mut self, offset: Offset);
    /// Returns the next records, about `max` at most. An empty list means that everything available at `now` was read.
    ///
    /// # Errors
    /// Any error of reading. The worker logs it and retries.
    fn poll(&mut self, now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>>;
    /// Called when records before `offset` will not be read again.
    fn committed(&mut self, _offset: Offset) {}
    /// Whether the record at `offset` can be read again.
    fn has(&self, _offset: Offset) -> bool {
        true
    }
    /// End of the part that was read before, as far as the feed knows.
    fn read_upto(&self) -> Offset {
        0
    }
    /// A description of what was lost recently, for `/ready`.
    fn loss(&self) -> Option<&str> {
        None
    }
}

/// Reads one feed.
pub struct Worker {
    pub feed: Box<dyn Feed>,
    pub processor: SourceProcessor,
    pub clock: Arc<dyn Clock>,
    pub leader: SyncSender<Message>,
    pub wake: Receiver<()>,
    pub stop: Arc<AtomicBool>,
    pub health: Arc<Health>,
}

impl Worker {
    /// Runs until `stop` is set or the forecaster has ended.
    pub fn run(mut self) {
        let source = self.feed.source();
        let durable = Arc::new(AtomicI64::new(Offset::MIN));
        let mut trimmed = Offset::MIN;
        while !self.stop.load(Ordering::Relaxed) {
            let Some(report) = self.gather(&source) else {
                self.pause(RETRY);
                continue;
            };
            let caught_up = report.caught_up_at().is_some();
            let handle = AckHandle { report, durable: durable.clone() };
            if self.leader.send(Message::Report(handle)).is_err() {
                return;
            }
            // The forecaster stores it, or the process ends.
            self.processor.take_tally().publish();
            let done = durable.load(Ordering::Acquire);
            if done > trimmed {
                trimmed = done;
                self.feed.committed(trimmed);
            }
            if caught_up {
                self.pause(HEARTBEAT);
            }
        }
    }

    fn pause(&self, at_most: Duration) {
        match self.wake.recv_timeout(at_most) {
            // One pass serves all waiting wake-ups.
            Ok(()) => while self.wake.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stop.store(true, Ordering::Relaxed),
        }
    }

    /// Reads and counts records for one report. `None` after a read error: the counts go into the next report.
    fn gather(&mut self, source: &SourceId) -> Option<Report> {
        let mut caught_up_at = None;
        while self.processor.taken() < RECORDS_PER_REPORT {
            let now = self.clock.now();
            let records = match self.feed.poll(now, RECORDS_PER_REPORT - self.processor.taken()) {
                Ok(records) => records,
                Err(error) => {
                    // A lasting error is logged once.
                    if self.health.degraded(&source.topic, &format!("{error:#}")) {
                        tracing::warn!(%source, "source: read failed, retrying every 2 s: {error:#}");
                    }
                    return None;
                }
            };
            match self.feed.loss() {
                Some(loss) => _ = self.health.degraded(&source.topic, loss),
                None => self.health.recovered(&source.topic),
            }
            if records.is_empty() {
                caught_up_at = Some(now);
                break;
            }
            for Record { offset, appended_at, hint, bytes } in &records {
                let (offset, appended_at, hint) = (*offset, *appended_at, *hint);
                let headers = Headers::default();
                self.processor.take(&RecordRef { offset, appended_at, hint, headers, bytes });
            }
        }
        Some(self.processor.report(caught_up_at))
    }
}
