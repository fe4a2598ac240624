//! The ledger: vintages as issued, and the newest plans made from them. Their scores are in `accuracy.rs`.

use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{self, pack, unpack};
use super::tx::find_series;
use super::{Change, Filter, Reader, StoreError, Tx, vintage};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::{HORIZON, Vintage};
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
        self.vintages_between("vintages", Timestamp::from_millis(next), Timestamp::MAX)
    }

    /// Forecasts of all series in a table that were issued in `from..=to`, with all their leads, oldest first.
    pub(super) fn vintages_between(
        &self,
        table: &'static str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT s.region, s.service, s.channel, v.issued_at, v.body
                 FROM {table} v JOIN series s ON s.id = v.series
                 WHERE v.issued_at BETWEEN ?1 AND ?2 ORDER BY v.issued_at, v.series",
            ))?;
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
}

fn newest(conn: &Connection, sql: &str, series: &SeriesKey) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(id) = find_series(conn, series)? else { return Ok(None) };
    let found: Option<Option<Vec<u8>>> =
        conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}
