//! Nowcasts, and their scores beside those of the vintages that they replaced.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, params};

use super::body::{self, Body};
use super::chunk;
use super::names::find_series;
use super::vintage::{self, Parts};
use super::{Change, Reader, Served, StoreError, Tx, columns};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::{Nowcast, Score};
use crate::staffing::{Outlook, Plan};
use crate::text::Stored;

/// Scores of the same windows: of nowcasts and of the vintages that they replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NowcastScore {
    pub nowcast: Score,
    pub scheduled: Score,
}

impl NowcastScore {
    /// Adds another score.
    pub fn merge(&mut self, other: &Self) {
        self.nowcast.merge(&other.nowcast);
        self.scheduled.merge(&other.scheduled);
    }
}

/// Nowcasts
impl Tx<'_> {
    /// Stores an issued nowcast. A second one of the same series and time is ignored.
    pub fn put_nowcast(&mut self, nowcast: &Nowcast) -> Result<(), StoreError> {
        let Nowcast { vintage, reason, after } = nowcast;
        self.changed(Change::Nowcast(vintage.issued_at));
        let series = self.series_id(&vintage.series)?;
        let (at, after) = (vintage.issued_at.millis(), after.millis());
        let form = reason.to_form().map_err(|e| StoreError::corrupt(e.to_string()))?;
        self.run(
            "INSERT OR IGNORE INTO nowcasts (series, issued_at, replaced, reason, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![series, at, after, form, vintage::encode(vintage)?, Parts::VERSION],
        )
        .map(drop)
    }

    /// Stores the plan and outlook of a nowcast. The plan that was valid when the open window began stays in `staffed`.
    pub fn put_nowcast_plan(
        &mut self,
        plan: Option<&Plan>,
        outlook: &Outlook,
    ) -> Result<(), StoreError> {
        let series = self.series_id(&outlook.series)?;
        self.put_newest_plan(series, plan, outlook)
    }

    /// Adds scores of a series on a day (UTC midnight).
    pub fn put_nowcast_score(
        &mut self,
        series: &SeriesKey,
        day: Timestamp,
        score: &NowcastScore,
    ) -> Result<(), StoreError> {
        let (series, day, mut sum) = (self.series_id(series)?, chunk::day(day), *score);
        let mut found = self.conn.prepare_cached(
            "SELECT nowcast, version, scheduled, version FROM nowcast_scores
             WHERE series = ?1 AND day = ?2",
        )?;
        let mut rows = found.query([series, day])?;
        if let Some(row) = rows.next()? {
            sum.merge(&nowcast_score(row)?);
        }
        let (nowcast, scheduled) = (body::encode(&sum.nowcast)?, body::encode(&sum.scheduled)?);
        self.run(
            "INSERT OR REPLACE INTO nowcast_scores (series, day, nowcast, scheduled, version)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![series, day, nowcast, scheduled, Score::VERSION],
        )
        .map(drop)
    }
}

/// Nowcasts
impl Reader {
    /// The nowcast issued at a time, or the newest one.
    pub fn nowcast(
        &self,
        series: &SeriesKey,
        issued_at: Option<Timestamp>,
    ) -> Result<Option<Nowcast>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(None) };
            let (from, to) =
                issued_at.map_or((i64::MIN, i64::MAX), |at| (at.millis(), at.millis()));
            let mut found = conn.prepare_cached(
                "SELECT issued_at, replaced, reason, body, version FROM nowcasts
                 WHERE series = ?1 AND issued_at BETWEEN ?2 AND ?3 ORDER BY issued_at DESC LIMIT 1",
            )?;
            let mut rows = found.query([id, from, to])?;
            rows.next()?.map(|row| nowcast(series, row, 0)).transpose()
        })
    }

    /// Nowcasts of all series issued in `from..=to`, oldest first.
    pub fn nowcasts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Nowcast>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, n.issued_at, n.replaced, n.reason, n.body,
                     n.version
                 FROM nowcasts n JOIN series s ON s.id = n.series
                 WHERE n.issued_at BETWEEN ?1 AND ?2 ORDER BY n.issued_at, n.series",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut nowcasts = Vec::new();
            while let Some(row) = rows.next()? {
                nowcasts.push(nowcast(&columns::series(row, 0)?, row, 3)?);
            }
            Ok(nowcasts)
        })
    }

    /// The served forecast of each series that is forecast now, read in one pass.
    pub fn served_now(&self) -> Result<BTreeMap<SeriesKey, Served>, StoreError> {
        let Some(newest) = self.newest_issue()? else { return Ok(BTreeMap::new()) };
        let all = self.served_at(newest)?.into_iter();
        let mut all: BTreeMap<SeriesKey, Served> =
            all.map(|served| (served.vintage.series.clone(), served)).collect();
        all.extend(self.live_nowcasts()?);
        Ok(all)
    }

    /// The newest served nowcast of each series, if it is newer than the newest vintages.
    pub fn live_nowcasts(&self) -> Result<BTreeMap<SeriesKey, Served>, StoreError> {
        let Some(newest) = self.newest_issue()? else { return Ok(BTreeMap::new()) };
        let after = Timestamp::from_millis(newest.millis().saturating_add(1));
        let mut issued_at: BTreeSet<Timestamp> = BTreeSet::new();
        for nowcast in self.nowcasts(after, Timestamp::MAX)? {
            issued_at.insert(nowcast.vintage.issued_at);
        }
        let mut live = BTreeMap::new();
        for at in issued_at {
            let served = self.served_at(at)?.into_iter();
            live.extend(served.map(|served| (served.vintage.series.clone(), served)));
        }
        Ok(live)
    }

    /// Sum of nowcasts' scores over days (UTC midnight, in `from_day..to_day`).
    pub fn nowcast_score(
        &self,
        series: &SeriesKey,
        from_day: Timestamp,
        to_day: Timestamp,
    ) -> Result<NowcastScore, StoreError> {
        self.read(|conn| {
            let mut sum = NowcastScore::default();
            let Some(id) = find_series(conn, series)? else { return Ok(sum) };
            let mut found = conn.prepare_cached(
                "SELECT nowcast, version, scheduled, version FROM nowcast_scores
                 WHERE series = ?1 AND day >= ?2 AND day < ?3 ORDER BY day",
            )?;
            let mut rows = found.query([id, chunk::day(from_day), chunk::day(to_day)])?;
            while let Some(row) = rows.next()? {
                sum.merge(&nowcast_score(row)?);
            }
            Ok(sum)
        })
    }
}

/// Reads both scores and their versions from four columns.
fn nowcast_score(row: &Row<'_>) -> Result<NowcastScore, StoreError> {
    Ok(NowcastScore { nowcast: body::column(row, 0)?, scheduled: body::column(row, 2)? })
}

/// Reads issue time, replaced issue time, reason, body and version from five columns, starting at `column`.
pub(super) fn nowcast(
    series: &SeriesKey,
    row: &Row<'_>,
    column: usize,
) -> Result<Nowcast, StoreError> {
    let issued_at = columns::time(row, column)?;
    Ok(Nowcast {
        after: columns::time(row, column + 1)?,
        reason: Stored::from_form(row.get(column + 2)?),
        vintage: vintage::column(row, column + 3, series, issued_at)?,
    })
}
