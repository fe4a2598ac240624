//! What readers tell the leader, and how they learn that it is durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use super::run::Input;
use crate::domain::{AlarmEvent, DeadLetter, MaintenanceEvent, Position, SourceId, Timestamp};
use crate::window::{Cell, CommitPoint, Fold, Frontier, Partial};

/// Everything that happened at one source since its last report.
#[derive(Debug)]
pub struct Report {
    pub source: SourceId,
    pub partials: Vec<Partial>,
    pub frontier: Frontier,
    pub commit: CommitPoint,
    pub alarms: Vec<(Position, AlarmEvent)>,
    pub maintenance: Vec<(Position, MaintenanceEvent)>,
    pub dead: Vec<(DeadLetter, Option<(Cell, Timestamp)>)>,
}

impl Report {
    pub(super) fn new(source: SourceId, fold: &Fold) -> Self {
        Self {
            source,
            partials: Vec::new(),
            frontier: Frontier { closed: fold.closed(), caught_up_at: None },
            commit: fold.commit_point(),
            alarms: Vec::new(),
            maintenance: Vec::new(),
            dead: Vec::new(),
        }
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
    /// A batch that the leader had no room for.
    held: Option<Batch>,
}

impl Handover {
    pub fn new(leader: SyncSender<Input>) -> Self {
        let (stored, waiting) = (Arc::default(), VecDeque::new());
        Self { leader, stored, sent: 0, waiting, held: None }
    }

    fn batch(&mut self, reports: Vec<Report>) -> Batch {
        self.sent += 1;
        let points = reports.iter().map(|r| (r.source.clone(), r.commit)).collect();
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

    /// Hands reports over, or holds them if the leader has no room; then [`Self::retry`] until it has.
    ///
    /// # Errors
    /// [`Gone`]
    pub fn offer(&mut self, reports: Vec<Report>) -> Result<(), Gone> {
        debug_assert!(self.held.is_none(), "what is held goes first");
        let batch = self.batch(reports);
        self.held = Some(batch);
        self.retry().map(drop)
    }

    /// Tries what is held once more. Returns whether nothing is held now.
    ///
    /// # Errors
    /// [`Gone`]
    pub fn retry(&mut self) -> Result<bool, Gone> {
        let Some(batch) = self.held.take() else { return Ok(true) };
        match self.leader.try_send(Input::Batch(batch)) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(Input::Batch(batch))) => {
                self.held = Some(batch);
                Ok(false)
            }
            Err(_) => Err(Gone),
        }
    }

    /// Makes windows wait for sources that have not reported yet.
    ///
    /// # Errors
    /// [`Gone`]
    pub fn expect(&self, sources: Vec<SourceId>) -> Result<(), Gone> {
        self.leader.send(Input::Expect(sources)).map_err(|_| Gone)
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
