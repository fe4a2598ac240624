//! What must survive a restart: one SQLite database, `state.db`, and the local event log, `events.db`.
//!
//! One [`Store`] writes, in transactions; any number of [`Reader`]s read beside it (WAL).
//! The API and the sinks read only from here: the store is the record.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, AlertState, Notice};
use crate::anomaly::Anomaly;
use crate::domain::{
    AlarmEvent, DeadLetter, EventKind, MaintenanceEvent, Offset, Position, Reason, Scope,
    SeriesKey, SourceId, Timestamp, WindowWidth,
};
use crate::forecast::{Score, Vintage};
use crate::staffing::{Outlook, Plan, Shift};
use crate::window::{Cell, Counts};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store: {0}")]
    Placeholder(String),
}

/// Counts of one cell in one window as the leader knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecord {
    pub counts: Counts,
    /// Alarms standing at the window's end (alarm cells only).
    pub active: u32,
    pub settled: bool,
    /// A settled count that changed later.
    pub revised: bool,
    /// No source could tell: not the same as zero.
    pub missing: bool,
}

/// How far one source has been merged, and where its reader starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub source: SourceId,
    /// Windows ending at or before this are closed by the source.
    pub closed: Timestamp,
    /// Largest offset ever processed.
    pub decided_upto: Offset,
    /// Offset to start reading from after a restart.
    pub resume_at: Offset,
    /// Clock time at which the source last said that it had read everything there was.
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
}

/// Partial of an unfinished window, kept by source so that a later one replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialRecord {
    pub window: Timestamp,
    pub cell: Cell,
    pub source: SourceId,
    pub counts: Counts,
    pub upto: Offset,
}
