//! The journal that sinks follow: what has changed, each thing once, and how far a sink has come.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};

use super::columns::{self, count};
use super::windows::{cell_windows, late, main_cells};
use super::{Reader, StoreError, Tx, WindowRecord, chunk};
use crate::anomaly::Anomaly;
use crate::domain::{Offset, SeriesKey, Timestamp};
use crate::forecast::Vintage;
use crate::staffing::{Outlook, Plan, PlanTarget};
use crate::window::Cell;

/// Something that a sink has to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Counts of the window that starts then.
    Window(Timestamp),
    /// Vintages, plans and outlooks issued then.
    Issue(Timestamp),
    /// Anomalies of the window that starts then.
    Anomalies(Timestamp),
    /// Nowcasts issued then.
    Nowcast(Timestamp),
    /// The alert with this time and id.
    Alert(Timestamp, String),
    /// Scores, surges and calls of the day that starts then.
    Accuracy(Timestamp),
}

impl Change {
    fn columns(&self) -> (u8, Timestamp, &str) {
        match self {
            Self::Window(at) => (0, *at, ""),
            Self::Issue(at) => (1, *at, ""),
            Self::Anomalies(at) => (2, *at, ""),
            Self::Alert(at, id) => (3, *at, id),
            Self::Nowcast(at) => (4, *at, ""),
            Self::Accuracy(at) => (5, *at, ""),
        }
    }
}

/// Counts of a cell as a sink sends them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellWindow {
    pub record: WindowRecord,
    /// Events of the window that came too late to be counted.
    pub late: u32,
    /// Largest offset that an open window has counted; 0 once it is settled.
    pub upto: Offset,
}

/// Changes
impl Tx<'_> {
    /// Notes that a thing has changed.
    pub(super) fn changed(&mut self, change: Change) {
        self.changes.insert(change);
    }

    /// Numbers what has changed in this transaction.
    pub(super) fn write_changes(&mut self) -> Result<(), StoreError> {
        for change in std::mem::take(&mut self.changes) {
            let (kind, at, name) = change.columns();
            self.run(
                "INSERT OR REPLACE INTO changes (kind, at, name) VALUES (?1, ?2, ?3)",
                params![kind, at.millis(), name],
            )?;
        }
        Ok(())
    }

    /// How far a sink has come: it is not told of changes up to `seq` again.
    pub fn put_cursor(&mut self, sink: &str, seq: i64) -> Result<(), StoreError> {
        self.put_blob(&cursor_key(sink), &seq.to_le_bytes())
    }
}

fn cursor_key(sink: &str) -> String {
    format!("cursor:{sink}")
}

/// Changes
impl Reader {
    /// How far a sink has come; 0 for one that is new.
    pub fn cursor(&self, sink: &str) -> Result<i64, StoreError> {
        let bytes = self.blob(&cursor_key(sink))?;
        let known = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(known.map_or(0, i64::from_le_bytes))
    }

    /// Number of the newest change that there ever was; 0 before the first.
    pub fn newest_change(&self) -> Result<i64, StoreError> {
        self.read(|conn| {
            let newest = "SELECT seq FROM sqlite_sequence WHERE name = 'changes'";
            Ok(conn.query_row(newest, [], |row| row.get(0)).optional()?.unwrap_or(0))
        })
    }

    /// Changes after a cursor, oldest first.
    pub fn changes(&self, after: i64, limit: usize) -> Result<Vec<(i64, Change)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT seq, kind, at, name FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = found.query([after, count(limit)])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let at = columns::time(row, 2)?;
                let change = match row.get(1)? {
                    0 => Change::Window(at),
                    1 => Change::Issue(at),
                    2 => Change::Anomalies(at),
                    3 => Change::Alert(at, row.get(3)?),
                    4 => Change::Nowcast(at),
                    5 => Change::Accuracy(at),
                    kind => return Err(StoreError::corrupt(format!("change of kind {kind}"))),
                };
                changes.push((row.get(0)?, change));
            }
            Ok(changes)
        })
    }

    /// Counts of every cell in the windows that start at these times; phrases are left out.
    pub fn windows_at(
        &self,
        starts: &BTreeSet<Timestamp>,
    ) -> Result<Vec<(Timestamp, Cell, CellWindow)>, StoreError> {
        let width = self.width();
        let mut days: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
        for start in starts {
            let span = days.entry(chunk::day(*start)).or_insert((*start, *start));
            *span = (span.0.min(*start), span.1.max(*start));
        }
        self.read(|conn| {
            let mut found = Vec::new();
            for (id, cell) in main_cells(conn)? {
                for (first, last) in days.values().copied() {
                    let to = width.end(last);
                    let mut late: BTreeMap<_, _> = late(conn, id, first, to)?.into_iter().collect();
                    let rows = cell_windows(conn, id, width, first, to)?;
                    let rows = rows.into_iter().filter(|(start, _)| starts.contains(start));
                    found.extend(rows.map(|(start, (record, upto))| {
                        let late = late.remove(&start).unwrap_or(0);
                        (start, cell.clone(), CellWindow { record, late, upto })
                    }));
                }
            }
            Ok(found)
        })
    }

    /// Every vintage issued at a time, while all its leads are kept.
    pub fn vintages_at(&self, issued_at: Timestamp) -> Result<Vec<Vintage>, StoreError> {
        self.vintages_between(issued_at, issued_at)
    }

    /// The issue time of the newest vintages.
    pub fn newest_issue(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            let newest = "SELECT issued_at FROM vintage_blocks ORDER BY issued_at DESC LIMIT 1";
            Ok(conn.query_row(newest, [], |row| columns::time(row, 0)).optional()?)
        })
    }

    /// What the window that starts then was planned with when it began.
    pub fn staffed(&self, start: Timestamp) -> Result<Vec<(SeriesKey, PlanTarget)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, f.body
                 FROM staffed f JOIN series s ON s.id = f.series WHERE f.start = ?1",
            )?;
            let mut rows = found.query([start.millis()])?;
            let mut staffed = Vec::new();
            while let Some(row) = rows.next()? {
                staffed.push((columns::series(row, 0)?, columns::value(row, 3)?));
            }
            Ok(staffed)
        })
    }

    /// The newest plan and outlook of every series.
    pub fn plans(&self) -> Result<Vec<(Option<Plan>, Outlook)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached("SELECT plan, outlook FROM plans")?;
            let mut rows = found.query([])?;
            let mut plans = Vec::new();
            while let Some(row) = rows.next()? {
                let plan: Option<Vec<u8>> = row.get(0)?;
                let plan = plan.map(|bytes| columns::unpack(&bytes)).transpose()?;
                plans.push((plan, columns::value(row, 1)?));
            }
            Ok(plans)
        })
    }

    /// Anomalies of the window that starts then.
    pub fn anomalies_at(&self, start: Timestamp) -> Result<Vec<Anomaly>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached("SELECT body FROM anomalies WHERE start = ?1")?;
            let mut rows = found.query([start.millis()])?;
            let mut anomalies = Vec::new();
            while let Some(row) = rows.next()? {
                anomalies.push(columns::value(row, 0)?);
            }
            Ok(anomalies)
        })
    }
}
