//! The local event log behind `POST /api/v1/events`.

use std::sync::Arc;

use super::worker::{Feed, Record};
use crate::domain::{Offset, SourceId, Timestamp};
use crate::store::EventLog;

/// Maximum number of records that are read at once, to limit memory.
const READ_MAX: usize = 5_000;

/// The local event log. Offsets are sequence numbers.
pub struct LocalFeed {
    log: Arc<EventLog>,
    source: SourceId,
    next: Offset,
}

impl LocalFeed {
    /// Reads `log` from its start, as `source`.
    pub fn new(log: Arc<EventLog>, source: SourceId) -> Self {
        Self { log, source, next: 0 }
    }

    /// The source's name in partials and dead letters.
    pub fn source_id() -> SourceId {
        SourceId::new("local", 0)
    }
}

impl Feed for LocalFeed {
    fn source(&self) -> SourceId {
        self.source.clone()
    }

    fn seek(&mut self, offset: Offset) {
        self.next = offset;
    }

    fn poll(&mut self, _now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>> {
        let rows = self.log.read_from(self.next, max.min(READ_MAX))?;
        let records: Vec<Record> = rows
            .into_iter()
            .map(|entry| Record {
                offset: entry.offset,
                appended_at: entry.received_at,
                hint: entry.kind,
                bytes: entry.bytes,
            })
            .collect();
        if let Some(last) = records.last() {
            self.next = last.offset + 1;
        }
        Ok(records)
    }

    fn committed(&mut self, offset: Offset) {
        if let Err(error) = self.log.trim(offset) {
            tracing::warn!(%error, "event log: trim failed, it grows until a trim succeeds");
        }
    }
}
