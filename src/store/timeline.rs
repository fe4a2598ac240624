//! Forecasts and plans over a span of time.

use rusqlite::params;

use super::adjusted::served;
use super::names::find_series;
use super::{Reader, Served, StoreError, block, body, columns, nowcasts, vintage};
use crate::domain::{SeriesKey, Timestamp};
use crate::staffing::PlanTarget;

/// Spans of the past
impl Reader {
    /// The served forecasts of a series issued in `from..=to`, nowcasts included, oldest first. Those older than 14 days have
    /// only the forecast points 1, 3 and 6 h ahead.
    pub fn served_between(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Served>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let (block, nth) = block::place(id);
            let mut issued = Vec::new();
            let mut found = conn.prepare_cached(
                "SELECT issued_at, members, body, version FROM vintage_blocks
                     WHERE block = ?1 AND issued_at BETWEEN ?3 AND ?4 AND members >> ?2 & 1
                 UNION ALL
                 SELECT issued_at, members, body, version FROM lead_blocks
                     WHERE block = ?1 AND issued_at BETWEEN ?3 AND ?4 AND members >> ?2 & 1",
            )?;
            let mut rows = found.query(params![block, nth, from.millis(), to.millis()])?;
            while let Some(row) = rows.next()? {
                let own = block::one(row, 1, id)?.vintage(series, columns::time(row, 0)?)?;
                issued.push((own, None));
            }
            let mut found = conn.prepare_cached(
                "SELECT issued_at, replaced, reason, body, version FROM nowcasts
                 WHERE series = ?1 AND issued_at BETWEEN ?2 AND ?3",
            )?;
            let mut rows = found.query(params![id, from.millis(), to.millis()])?;
            while let Some(row) = rows.next()? {
                let own = nowcasts::nowcast(series, row, 0)?;
                issued.push((own.vintage, Some(own.reason)));
            }
            issued.sort_by_key(|(own, _)| own.issued_at);
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM adjusted_vintages WHERE series = ?1 AND issued_at = ?2",
            )?;
            let mut all = Vec::with_capacity(issued.len());
            for (own, reason) in issued {
                let mut rows = found.query(params![id, own.issued_at.millis()])?;
                let adjusted = rows.next()?;
                let adjusted = adjusted
                    .map(|row| vintage::column(row, 0, series, own.issued_at))
                    .transpose()?;
                all.push(served(own, reason, adjusted));
            }
            Ok(all)
        })
    }

    /// Plans of the windows that start in `from..to`, as they were when each window began, oldest first; of one series, or of
    /// all.
    pub fn staffed_between(
        &self,
        series: Option<&SeriesKey>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(SeriesKey, PlanTarget)>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let mut staffed = Vec::new();
            let Some(series) = series else {
                let mut found = conn.prepare_cached(
                    "SELECT s.region, s.service, s.channel, f.body, f.version
                     FROM staffed f JOIN series s ON s.id = f.series
                     WHERE f.start >= ?1 AND f.start < ?2 ORDER BY f.start, f.series",
                )?;
                let mut rows = found.query([from.millis(), to.millis()])?;
                while let Some(row) = rows.next()? {
                    staffed.push((columns::series(row, 0)?, body::column(row, 3)?));
                }
                return Ok(staffed);
            };
            let Some(id) = find_series(conn, series)? else { return Ok(staffed) };
            // One look-up for each window: the key of the table begins with the start.
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM staffed WHERE start = ?1 AND series = ?2",
            )?;
            let mut start = width.floor(from);
            while start < to {
                let mut rows = found.query([start.millis(), id])?;
                if let Some(row) = rows.next()?.filter(|_| start >= from) {
                    staffed.push((series.clone(), body::column(row, 0)?));
                }
                start = width.end(start);
            }
            Ok(staffed)
        })
    }
}
