//! The journal of changes, with one row for each changed object, and the cursors of the sinks.

use rusqlite::{OptionalExtension, Row, params};

use super::bodies::Cursor;
use super::codes::change_kind::{
    ACCURACY, ALERT, ANOMALIES, ISSUE, NOWCAST, PLANNED, RECOMMENDATION, SERVICE, WINDOW,
};
use super::columns::{self, count};
use super::{Change, Reader, StoreError, Tx, body};
use crate::anomaly::Anomaly;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Vintage;
use crate::staffing::{Outlook, Plan, PlanTarget};

impl Change {
    fn columns(&self) -> (u8, Timestamp, &str) {
        match self {
            Self::Window(at) => (WINDOW, *at, ""),
            Self::Issue(at) => (ISSUE, *at, ""),
            Self::Anomalies(at) => (ANOMALIES, *at, ""),
            Self::Alert(at, id) => (ALERT, *at, id),
            Self::Nowcast(at) => (NOWCAST, *at, ""),
            Self::Accuracy(at) => (ACCURACY, *at, ""),
            Self::Planned(at, plan) => (PLANNED, *at, plan),
            Self::Recommendation(at, id) => (RECOMMENDATION, *at, id),
            Self::Service(at) => (SERVICE, *at, ""),
        }
    }

    /// Reads kind, time and name from three columns, starting at `column`.
    fn of(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        let at = columns::time(row, column + 1)?;
        Ok(match row.get(column)? {
            WINDOW => Self::Window(at),
            ISSUE => Self::Issue(at),
            ANOMALIES => Self::Anomalies(at),
            ALERT => Self::Alert(at, row.get(column + 2)?),
            NOWCAST => Self::Nowcast(at),
            ACCURACY => Self::Accuracy(at),
            PLANNED => Self::Planned(at, row.get(column + 2)?),
            RECOMMENDATION => Self::Recommendation(at, row.get(column + 2)?),
            SERVICE => Self::Service(at),
            kind => return Err(StoreError::corrupt(format!("change of kind {kind}"))),
        })
    }
}

/// Changes
impl Tx<'_> {
    /// Records a change.
    pub(super) fn changed(&mut self, change: Change) {
        self.changes.insert(change);
    }

    /// Writes and numbers the changes of this transaction.
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

    /// Stores that a sink has written all changes up to `seq`.
    pub fn put_cursor(&mut self, sink: &str, seq: i64) -> Result<(), StoreError> {
        self.put_state(&cursor_key(sink), &Cursor(seq))
    }
}

fn cursor_key(sink: &str) -> String {
    format!("cursor:{sink}")
}

/// Changes
impl Reader {
    /// The change up to which a sink has written everything; 0 for a new sink.
    pub fn cursor(&self, sink: &str) -> Result<i64, StoreError> {
        Ok(self.state(&cursor_key(sink))?.map_or(0, |Cursor(seq)| seq))
    }

    /// Number of the newest change ever; 0 before the first.
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
                changes.push((row.get(0)?, Change::of(row, 1)?));
            }
            Ok(changes)
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

    /// The plans of the window that starts at `start`, as they were when it began.
    pub fn staffed(&self, start: Timestamp) -> Result<Vec<(SeriesKey, PlanTarget)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, f.body, f.version
                 FROM staffed f JOIN series s ON s.id = f.series WHERE f.start = ?1",
            )?;
            let mut rows = found.query([start.millis()])?;
            let mut staffed = Vec::new();
            while let Some(row) = rows.next()? {
                staffed.push((columns::series(row, 0)?, body::column(row, 3)?));
            }
            Ok(staffed)
        })
    }

    /// The newest plan and outlook of every series.
    pub fn plans(&self) -> Result<Vec<(Option<Plan>, Outlook)>, StoreError> {
        self.read(|conn| {
            let mut found = conn
                .prepare_cached("SELECT plan, plan_version, outlook, outlook_version FROM plans")?;
            let mut rows = found.query([])?;
            let mut plans = Vec::new();
            while let Some(row) = rows.next()? {
                plans.push((body::optional(row, 0)?, body::column(row, 2)?));
            }
            Ok(plans)
        })
    }

    /// Anomalies of the window that starts at `start`.
    pub fn anomalies_at(&self, start: Timestamp) -> Result<Vec<Anomaly>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT body, version FROM anomalies WHERE start = ?1")?;
            let mut rows = found.query([start.millis()])?;
            let mut anomalies = Vec::new();
            while let Some(row) = rows.next()? {
                anomalies.push(body::column(row, 0)?);
            }
            Ok(anomalies)
        })
    }
}
