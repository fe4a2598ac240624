//! The local event log: what came in over HTTP, durable before it is acknowledged.

use std::ops::RangeInclusive;
use std::path::Path;

use super::{LogEntry, LogRecord, StoreError};
use crate::domain::{Offset, Timestamp};

/// Events in order of arrival in `events.db`. Shared by threads (`&self`); concurrent appends share one sync.
pub struct EventLog {}

impl EventLog {
    /// Default size limit: 2 GiB.
    pub const LIMIT_BYTES: u64 = 2 << 30;

    /// Opens or makes the log in `dir`, and locks it against other processes.
    ///
    /// # Errors
    /// As [`super::Store::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::with_limit(dir, Self::LIMIT_BYTES)
    }

    /// As [`Self::open`] with a size limit.
    pub fn with_limit(dir: &Path, limit_bytes: u64) -> Result<Self, StoreError> {
        let _ = (dir, limit_bytes);
        todo!()
    }

    /// Appends and returns the offsets; synced to disk when it returns. An empty slice gives an empty range.
    /// `received_at` never goes back: an earlier time than the last one stored is raised to it.
    ///
    /// # Errors
    /// [`StoreError::LogFull`] at the size limit, [`StoreError::Full`]; nothing was appended then.
    pub fn append(
        &self,
        records: &[LogRecord],
        received_at: Timestamp,
    ) -> Result<RangeInclusive<Offset>, StoreError> {
        let _ = (records, received_at);
        todo!()
    }

    /// Up to `limit` events with offsets of at least `offset`, in order.
    pub fn read_from(&self, offset: Offset, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        let _ = (offset, limit);
        todo!()
    }

    /// Forgets events before an offset. Offsets are never given out again.
    pub fn trim(&self, before: Offset) -> Result<(), StoreError> {
        let _ = before;
        todo!()
    }

    /// Offset of the last event ever appended, 0 if there was none.
    pub fn last_offset(&self) -> Result<Offset, StoreError> {
        todo!()
    }
}
