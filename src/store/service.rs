//! Attained service by series and window.

use rusqlite::params;

use super::body::{self, Body};
use super::codes::change_kind::SERVICE;
use super::{Change, Reader, StoreError, Tx, columns};
use crate::domain::{SeriesKey, Timestamp};
use crate::window::{Attained, AttainedChange};

/// Attained service
impl Tx<'_> {
    /// Changes the attained service of some windows, each by its start. The tickets that cause the changes are stored in the
    /// same transaction, so that nothing counts twice.
    pub(super) fn change_attained(
        &mut self,
        changes: &[(SeriesKey, Timestamp, AttainedChange)],
    ) -> Result<(), StoreError> {
        for (series, start, change) in changes {
            let SeriesKey { region, service, channel } = series;
            let mut attained = attained(self.conn, series, *start)?;
            attained.change(change);
            self.run(
                "INSERT OR REPLACE INTO service_windows
                     (region, service, channel, start, body, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    region.as_str(),
                    service.as_str(),
                    channel.as_str(),
                    start.millis(),
                    body::encode(&attained)?,
                    Attained::VERSION
                ],
            )?;
            self.changed(Change::Service(*start));
        }
        Ok(())
    }
}

fn attained(
    conn: &rusqlite::Connection,
    series: &SeriesKey,
    start: Timestamp,
) -> Result<Attained, StoreError> {
    let SeriesKey { region, service, channel } = series;
    let mut found = conn.prepare_cached(
        "SELECT body, version FROM service_windows
         WHERE region = ?1 AND service = ?2 AND channel = ?3 AND start = ?4",
    )?;
    let (region, service, channel) = (region.as_str(), service.as_str(), channel.as_str());
    let mut rows = found.query(params![region, service, channel, start.millis()])?;
    Ok(rows.next()?.map(|row| body::column(row, 0)).transpose()?.unwrap_or_default())
}

/// Attained service
impl Reader {
    /// Attained service of a series for contacts that were created in `from..to`, by start of the window, oldest first. Windows
    /// without contacts are left out.
    pub fn attained(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, Attained)>, StoreError> {
        self.read(|conn| {
            let SeriesKey { region, service, channel } = series;
            let mut found = conn.prepare_cached(
                "SELECT start, body, version FROM service_windows
                 WHERE region = ?1 AND service = ?2 AND channel = ?3 AND start >= ?4 AND start < ?5
                 ORDER BY start",
            )?;
            let (region, service, channel) = (region.as_str(), service.as_str(), channel.as_str());
            let (from, to) = (from.millis(), to.millis());
            let mut rows = found.query(params![region, service, channel, from, to])?;
            let mut windows = Vec::new();
            while let Some(row) = rows.next()? {
                windows.push((columns::time(row, 0)?, body::column(row, 1)?));
            }
            Ok(windows)
        })
    }

    /// Starts of the windows whose attained service, or sentiments, changed after a change of the journal.
    pub fn service_changes(&self, after: i64) -> Result<Vec<Timestamp>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT at FROM changes WHERE seq > ?1 AND kind = ?2")?;
            let mut rows = found.query(params![after, SERVICE])?;
            let mut starts = Vec::new();
            while let Some(row) = rows.next()? {
                starts.push(columns::time(row, 0)?);
            }
            Ok(starts)
        })
    }

    /// What became of the contacts that were created in the window that begins at `start`, by series.
    pub fn attained_at(&self, start: Timestamp) -> Result<Vec<(SeriesKey, Attained)>, StoreError> {
        self.by_series("service_windows", start)
    }
}
