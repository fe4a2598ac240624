//! Windows that were read back from InfluxDB into an empty store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::body::Body;
use super::names::main_keys;
use super::window_rows::read_chunk;
use super::{Reader, StoreError, Tx, chunk};
use crate::domain::{SeriesKey, Timestamp};
use crate::window::AggregationKey;

/// Name of the stored [`WarmStart`].
pub const WARM_START: &str = "warm_start";

/// The attempt to restore windows when the store was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmStart {
    /// Clock time of the first attempt.
    pub begun_at: Timestamp,
    /// What was restored; `None` if no attempt has succeeded.
    pub restored: Option<RestoredWindows>,
}

/// Windows that were restored in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredWindows {
    /// Number of windows, each counted once for each of its series.
    pub windows: u64,
    /// Number of series, without roll-ups.
    pub series: u64,
    /// Start of the first window and end of the last one; `None` if there were none.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Body for WarmStart {}

/// Restored tickets by series and start of the window.
pub type RestoredTickets = BTreeMap<SeriesKey, BTreeMap<Timestamp, u32>>;

/// Restored windows
impl Tx<'_> {
    /// Restores the tickets of a series by window. What was counted stays. Sinks do not write the windows because of this.
    pub fn put_restored(
        &mut self,
        series: &SeriesKey,
        windows: &BTreeMap<Timestamp, u32>,
    ) -> Result<(), StoreError> {
        let key = AggregationKey::Tickets(series.clone());
        for (start, tickets) in windows {
            let (chunk, slot) = self.chunk(&key, *start)?;
            chunk.restore(slot, *tickets);
        }
        Ok(())
    }

    /// Stores that the tickets of windows are unknown, unless there is a record.
    pub fn put_missing(
        &mut self,
        series: &SeriesKey,
        starts: impl Iterator<Item = Timestamp>,
    ) -> Result<(), StoreError> {
        let key = AggregationKey::Tickets(series.clone());
        for start in starts {
            let (chunk, slot) = self.chunk(&key, start)?;
            chunk.set_missing(slot);
        }
        Ok(())
    }
}

/// Restored windows
impl Reader {
    /// Restored tickets of windows that start on a UTC day.
    pub fn restored_on(&self, day: Timestamp) -> Result<RestoredTickets, StoreError> {
        let (day, width) = (chunk::day(day), self.width());
        self.read(|conn| {
            let mut found = RestoredTickets::new();
            for (id, key) in main_keys(conn)? {
                let AggregationKey::Tickets(series) = key else { continue };
                let Some(chunk) = read_chunk(conn, chunk::key(id, day))? else { continue };
                let restored = chunk.rows(day, width).filter_map(|(start, record)| {
                    record.restored.map(|both| (start, both.tickets))
                });
                let restored: BTreeMap<Timestamp, u32> = restored.collect();
                if !restored.is_empty() {
                    found.insert(series, restored);
                }
            }
            Ok(found)
        })
    }

    /// Whether the store has windows, open ones included, or once had finalized ones.
    pub fn has_windows(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let has = "SELECT EXISTS (SELECT 1 FROM chunks) OR EXISTS (SELECT 1 FROM partials)
                OR EXISTS (SELECT 1 FROM blobs WHERE key = 'next_window')";
            Ok(conn.query_row(has, [], |row| row.get(0))?)
        })
    }
}
