//! Reports of readers to the forecaster, and their acknowledgement.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::{
    AlarmEvent, DeadLetter, ListRebuilt, MaintenanceEvent, Position, SourceId, TicketBatch,
    Timestamp,
};
use crate::window::{AggregationKey, CommitPoint, Frontier, Partial};

/// Counts and events of one source since its last report.
#[derive(Clone, Debug)]
pub struct Report {
    pub source: SourceId,
    pub partials: Vec<Partial>,
    /// The frontier after this report, and where the source resumes; `None` while the frontier is unknown.
    pub progress: Option<(Frontier, CommitPoint)>,
    pub alarms: Vec<(Position, AlarmEvent)>,
    pub rebuilt: Vec<(Position, ListRebuilt)>,
    pub maintenance: Vec<(Position, MaintenanceEvent)>,
    /// Steps in the lives of tickets, and snapshots of backlogs.
    pub tickets: Vec<TicketBatch>,
    pub dead: Vec<(DeadLetter, Option<(AggregationKey, Timestamp)>)>,
}

impl Report {
    /// An empty report.
    pub fn new(source: SourceId) -> Self {
        Self {
            source,
            partials: Vec::new(),
            progress: None,
            alarms: Vec::new(),
            rebuilt: Vec::new(),
            maintenance: Vec::new(),
            tickets: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Clock time at which the source had been read to its end.
    pub fn caught_up_at(&self) -> Option<Timestamp> {
        self.progress.as_ref().and_then(|(frontier, _)| frontier.caught_up_at)
    }

    /// Whether there is nothing to store.
    pub fn is_heartbeat(&self) -> bool {
        let Self { partials, alarms, rebuilt, maintenance, tickets, dead, .. } = self;
        partials.is_empty()
            && alarms.is_empty()
            && rebuilt.is_empty()
            && maintenance.is_empty()
            && tickets.is_empty()
            && dead.is_empty()
    }
}

/// A report to the forecaster, with a variable that tells its reader when the report is durable.
#[derive(Debug)]
pub struct AckHandle {
    pub report: Report,
    /// Offset at which the source resumes, as of the newest stored report.
    pub durable: Arc<AtomicI64>,
}

impl AckHandle {
    /// Marks the report as durable.
    pub fn mark_stored(&self) {
        if let Some((_, point)) = &self.report.progress {
            self.durable.store(point.resume_at, Ordering::Release);
        }
    }
}
