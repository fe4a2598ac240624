//! What readers tell the leader, and how they learn that it is durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use super::run::Input;
use crate::domain::{AlarmEvent, DeadLetter, MaintenanceEvent, Position, SourceId, Timestamp};
use crate::window::{Cell, CommitPoint, Frontier, Partial};

/// Everything that happened at one source since its last report.
#[derive(Debug)]
pub struct Report {
    pub source: SourceId,
    pub partials: Vec<Partial>,
    /// How far the source is with this, and where it starts again; `None` where it has not said so yet.
    pub progress: Option<(Frontier, CommitPoint)>,
    pub alarms: Vec<(Position, AlarmEvent)>,
    pub maintenance: Vec<(Position, MaintenanceEvent)>,
    pub dead: Vec<(DeadLetter, Option<(Cell, Timestamp)>)>,
}

impl Report {
    /// One that says nothing yet.
    pub fn new(source: SourceId) -> Self {
        Self {
            source,
            partials: Vec::new(),
            progress: None,
            alarms: Vec::new(),
            maintenance: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Clock time at which the source had been read to its end.
    pub fn caught_up_at(&self) -> Option<Timestamp> {
        self.progress.and_then(|(frontier, _)| frontier.caught_up_at)
    }

    /// Whether there is nothing to store.
    pub fn is_heartbeat(&self) -> bool {
        self.partials.is_empty() && self.dead.is_empty()
    }
}

/// Reports that are stored together.
#[derive(Debug)]
pub struct Batch {
    pub reports: Vec<Report>,
    number: u64,
    stored: Arc<AtomicU64>,
}

impl Batch {
    /// Tells the reader that it is durable.
    pub fn mark_stored(&self) {
        self.stored.store(self.number, Ordering::Release);
    }
}

/// The leader is gone: there is nobody to report to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// A reader's way to the leader. Bounded: while the leader cannot store, readers wait and nothing is lost.
pub struct Handover {
    leader: SyncSender<Input>,
    stored: Arc<AtomicU64>,
    sent: u64,
    waiting: VecDeque<(u64, Vec<(SourceId, CommitPoint)>)>,
}

impl Handover {
    pub fn new(leader: SyncSender<Input>) -> Self {
        let (stored, waiting) = (Arc::default(), VecDeque::new());
        Self { leader, stored, sent: 0, waiting }
    }

    fn batch(&mut self, reports: Vec<Report>) -> Batch {
        self.sent += 1;
        let point = |r: &Report| Some((r.source.clone(), r.progress?.1));
        let points = reports.iter().filter_map(point).collect();
        self.waiting.push_back((self.sent, points));
        Batch { reports, number: self.sent, stored: self.stored.clone() }
    }

    /// Hands reports over, however long it takes.
    ///
    /// # Errors
    /// [`Gone`]
    pub fn send(&mut self, reports: Vec<Report>) -> Result<(), Gone> {
        let batch = self.batch(reports);
        self.leader.send(Input::Batch(batch)).map_err(|_| Gone)
    }

    /// Where the sources of batches that became durable start again, if any did since the last call.
    pub fn durable(&mut self) -> Vec<(SourceId, CommitPoint)> {
        let stored = self.stored.load(Ordering::Acquire);
        let mut newest = Vec::new();
        while self.waiting.front().is_some_and(|(number, _)| *number <= stored) {
            for (source, point) in self.waiting.pop_front().map(|(_, p)| p).unwrap_or_default() {
                newest.retain(|(known, _)| *known != source);
                newest.push((source, point));
            }
        }
        newest
    }
}
