//! The ledger: vintages as issued, their scores, and the newest plans made from them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::chunk;
use super::columns::{self, pack, unpack};
use super::tx::find_series;
use super::{Change, Filter, Reader, StoreError, Tx, vintage};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::{HORIZON, Score, Vintage};
use crate::staffing::{Outlook, Plan};

/// The ledger
impl Tx<'_> {
    /// A forecast as issued. A second one of the same series and time is ignored: the first stands.
    /// Numbers are kept to three decimals.
    pub fn put_vintage(&mut self, vintage: &Vintage) -> Result<(), StoreError> {
        self.changed(Change::Issue(vintage.issued_at));
        let series = self.series_id(&vintage.series)?;
        self.run(
            "INSERT OR IGNORE INTO vintages (series, issued_at, body) VALUES (?1, ?2, ?3)",
            params![series, vintage.issued_at.millis(), vintage::encode(vintage)?],
        )
        .map(drop)
    }

    /// The newest plan and outlook of a series; an older one than is there is ignored.
    pub fn put_plan(&mut self, plan: Option<&Plan>, outlook: &Outlook) -> Result<(), StoreError> {
        self.changed(Change::Issue(outlook.issued_at));
        let series = self.series_id(&outlook.series)?;
        if let Some(now) = plan.and_then(|plan| plan.targets.first()) {
            self.run(
                "INSERT OR REPLACE INTO staffed (start, series, body) VALUES (?1, ?2, ?3)",
                params![now.start.millis(), series, pack(now)?],
            )?;
        }
        self.put_newest_plan(series, plan, outlook)
    }

    pub(super) fn put_newest_plan(
        &mut self,
        series: i64,
        plan: Option<&Plan>,
        outlook: &Outlook,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO plans (series, issued_at, plan, outlook) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (series) DO UPDATE
             SET issued_at = excluded.issued_at, plan = excluded.plan, outlook = excluded.outlook
             WHERE excluded.issued_at >= issued_at",
            params![
                series,
                outlook.issued_at.millis(),
                plan.map(pack).transpose()?,
                pack(outlook)?
            ],
        )
        .map(drop)
    }

    /// Adds to the scores of a series on a day (UTC midnight), by lead in minutes.
    pub fn put_scores(
        &mut self,
        series: &SeriesKey,
        day: Timestamp,
        by_lead: &[(u32, Score)],
    ) -> Result<(), StoreError> {
        let key = scores_key(self.series_id(series)?, chunk::day(day));
        let mut sums: BTreeMap<u32, Score> = scores_of(self.conn, key)?.into_iter().collect();
        for (lead, score) in by_lead {
            sums.entry(*lead).or_default().merge(score);
        }
        let sums: Vec<(u32, Score)> = sums.into_iter().collect();
        self.run(
            "INSERT OR REPLACE INTO day_scores (key, by_lead) VALUES (?1, ?2)",
            params![key, pack(&sums)?],
        )
        .map(drop)
    }
}

/// The ledger
impl Reader {
    /// The forecast issued at a time, or the newest. Past 14 days it has the targets 1, 3 and 6 h ahead only.
    pub fn vintage(
        &self,
        series: &SeriesKey,
        issued_at: Option<Timestamp>,
    ) -> Result<Option<Vintage>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(None) };
            let (from, to) = issued_at
                .map_or((i64::MIN, i64::MAX), |issued_at| (issued_at.millis(), issued_at.millis()));
            let newest = conn
                .prepare_cached(
                    "SELECT issued_at, body FROM (
                         SELECT * FROM (SELECT issued_at, body FROM vintages
                             WHERE series = ?1 AND issued_at BETWEEN ?2 AND ?3
                             ORDER BY issued_at DESC LIMIT 1)
                         UNION ALL
                         SELECT * FROM (SELECT issued_at, body FROM vintage_leads
                             WHERE series = ?1 AND issued_at BETWEEN ?2 AND ?3
                             ORDER BY issued_at DESC LIMIT 1)
                     ) ORDER BY issued_at DESC LIMIT 1",
                )?
                .query_row([id, from, to], |row| {
                    Ok((columns::time(row, 0)?, row.get::<_, Vec<u8>>(1)?))
                })
                .optional()?;
            newest.map(|(issued_at, body)| vintage::decode(series, issued_at, &body)).transpose()
        })
    }

    /// Forecasts that have the window starting at `window` among their targets, oldest first.
    pub fn vintages_targeting(
        &self,
        series: &SeriesKey,
        window: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let mut found = conn.prepare_cached(
                "SELECT issued_at, body FROM vintages
                     WHERE series = ?1 AND issued_at > ?2 AND issued_at <= ?3
                 UNION ALL
                 SELECT issued_at, body FROM vintage_leads
                     WHERE series = ?1 AND issued_at > ?2 AND issued_at <= ?3
                 ORDER BY 1",
            )?;
            let mut rows = found.query([id, (window - HORIZON).millis(), window.millis()])?;
            let mut vintages = Vec::new();
            while let Some(row) = rows.next()? {
                let issued_at = columns::time(row, 0)?;
                let body = columns::bytes(row, 1)?;
                let vintage = vintage::decode(series, issued_at, body)?;
                if vintage.targets.iter().any(|target| target.start == window) {
                    vintages.push(vintage);
                }
            }
            Ok(vintages)
        })
    }

    /// Forecasts of all series issued after a time, with all their leads, oldest first.
    pub fn vintages_since(&self, issued_after: Timestamp) -> Result<Vec<Vintage>, StoreError> {
        let next = issued_after.millis().saturating_add(1);
        self.vintages_between(Timestamp::from_millis(next), Timestamp::MAX)
    }

    /// Forecasts of all series issued in `from..=to`, with all their leads, oldest first.
    pub(super) fn vintages_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, v.issued_at, v.body
                 FROM vintages v JOIN series s ON s.id = v.series
                 WHERE v.issued_at BETWEEN ?1 AND ?2 ORDER BY v.issued_at, v.series",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut vintages = Vec::new();
            while let Some(row) = rows.next()? {
                let body = columns::bytes(row, 4)?;
                let issued_at = columns::time(row, 3)?;
                vintages.push(vintage::decode(&columns::series(row, 0)?, issued_at, body)?);
            }
            Ok(vintages)
        })
    }

    /// The newest plan.
    pub fn plan(&self, series: &SeriesKey) -> Result<Option<Plan>, StoreError> {
        self.read(|conn| {
            newest(conn, "SELECT plan FROM plans WHERE series = ?1", series)?
                .map(|bytes| unpack(&bytes))
                .transpose()
        })
    }

    /// The newest outlook.
    pub fn outlook(&self, series: &SeriesKey) -> Result<Option<Outlook>, StoreError> {
        self.read(|conn| {
            newest(conn, "SELECT outlook FROM plans WHERE series = ?1", series)?
                .map(|bytes| unpack(&bytes))
                .transpose()
        })
    }

    /// The newest outlooks of the series that the filter admits, by series.
    pub fn outlooks(&self, filter: &Filter) -> Result<Vec<Outlook>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached("SELECT outlook FROM plans")?;
            let mut rows = found.query([])?;
            let mut outlooks: Vec<Outlook> = Vec::new();
            while let Some(row) = rows.next()? {
                outlooks.push(columns::value(row, 0)?);
            }
            outlooks.retain(|outlook| filter.admits_series(&outlook.series));
            outlooks.sort_by(|a, b| a.series.cmp(&b.series));
            Ok(outlooks)
        })
    }

    /// Scores by day (UTC midnight, in `from_day..to_day`) and lead in minutes.
    pub fn scores(
        &self,
        series: &SeriesKey,
        from_day: Timestamp,
        to_day: Timestamp,
    ) -> Result<Vec<(Timestamp, u32, Score)>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let mut found = conn.prepare_cached(
                "SELECT day, lead_minutes, score FROM scores
                 WHERE series = ?1 AND day >= ?2 AND day < ?3 ORDER BY day, lead_minutes",
            )?;
            let mut rows = found.query([id, chunk::day(from_day), chunk::day(to_day)])?;
            let mut scores = Vec::new();
            while let Some(row) = rows.next()? {
                let score = columns::value(row, 2)?;
                scores.push((chunk::midnight(row.get(0)?), row.get(1)?, score));
            }
            for day in scored_days(conn, from_day, to_day)? {
                let by_lead = scores_of(conn, scores_key(id, day))?;
                let at = chunk::midnight(day);
                scores.extend(by_lead.into_iter().map(|(lead, score)| (at, lead, score)));
            }
            Ok(scores)
        })
    }
}

/// Bits of a series' id in the key of a day's scores.
const SERIES_BITS: u32 = 32;

pub(super) fn scores_key(series: i64, day: i64) -> i64 {
    (day << SERIES_BITS) | series
}

fn scores_of(conn: &Connection, key: i64) -> Result<Vec<(u32, Score)>, StoreError> {
    let bytes: Option<Vec<u8>> = conn
        .prepare_cached("SELECT by_lead FROM day_scores WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    bytes.map_or_else(|| Ok(Vec::new()), |bytes| unpack(&bytes))
}

/// Days of a stretch that lie between the first and the last that has scores.
fn scored_days(
    conn: &Connection,
    from: Timestamp,
    to: Timestamp,
) -> Result<std::ops::Range<i64>, StoreError> {
    let (first, last): (Option<i64>, Option<i64>) = conn
        .prepare_cached(
            "SELECT (SELECT min(key) FROM day_scores), (SELECT max(key) FROM day_scores)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(0..0) };
    let days = (first >> SERIES_BITS, last >> SERIES_BITS);
    Ok(chunk::day(from).max(days.0)..chunk::day(to).min(days.1 + 1))
}

fn newest(conn: &Connection, sql: &str, series: &SeriesKey) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(id) = find_series(conn, series)? else { return Ok(None) };
    let found: Option<Option<Vec<u8>>> =
        conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}
