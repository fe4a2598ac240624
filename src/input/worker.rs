//! One thread a feed: read, count, report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::processor::{RecordRef, SourceProcessor};
use crate::domain::{Clock, EventKind, Offset, SourceId, Timestamp};
use crate::engine::{AckHandle, Message, Report};
use crate::ingest::Headers;

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

/// Reads one feed to the end of time.
pub struct Worker {
    pub feed: Box<dyn Feed>,
    pub counter: SourceProcessor,
    pub clock: Arc<dyn Clock>,
    pub leader: SyncSender<Message>,
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
            let Some(report) = self.gather(&source) else {
                self.pause(RETRY);
                continue;
            };
            let caught_up = report.caught_up_at().is_some();
            let handed = AckHandle { report, durable: durable.clone() };
            if self.leader.send(Message::Report(handed)).is_err() {
                return;
            }
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
            // Several calls may be waiting: one pass serves them all.
            Ok(()) => while self.wake.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stop.store(true, Ordering::Relaxed),
        }
    }

    /// What was read is counted even where reading on fails: it comes with the next report then.
    fn gather(&mut self, source: &SourceId) -> Option<Report> {
        let mut caught_up_at = None;
        while self.counter.taken() < RECORDS_PER_REPORT {
            let now = self.clock.now();
            let records = match self.feed.poll(now, RECORDS_PER_REPORT - self.counter.taken()) {
                Ok(records) => records,
                Err(error) => {
                    tracing::warn!(%source, %error, "cannot read the source; trying again");
                    return None;
                }
            };
            if records.is_empty() {
                caught_up_at = Some(now);
                break;
            }
            for Record { offset, appended_at, hint, bytes } in &records {
                let (offset, appended_at, hint) = (*offset, *appended_at, *hint);
                let headers = Headers::default();
                self.counter.take(&RecordRef { offset, appended_at, hint, headers, bytes });
            }
        }
        Some(self.counter.report(caught_up_at))
    }
}
