//! The ledger: vintages as issued, and the newest plans made from them. Scores are in `accuracy.rs`.

use rusqlite::{Connection, params};

use super::body::{self, Body};
use super::names::{find_series, series_by_id};
use super::vintage::Parts;
use super::{Change, Filter, Reader, StoreError, Tx, block, columns};
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::forecast::{HORIZON, Vintage};
use crate::staffing::{Outlook, Plan, PlanTarget};

/// The ledger
impl Tx<'_> {
    /// Stores an issued vintage, with numbers of three decimals. A second one of the same series and time is ignored.
    pub fn put_vintage(&mut self, vintage: &Vintage) -> Result<(), StoreError> {
        self.changed(Change::Issue(vintage.issued_at));
        let series = self.series_id(&vintage.series)?;
        if self.vintages.0 != vintage.issued_at {
            self.write_vintages()?;
            self.vintages.0 = vintage.issued_at;
        }
        self.vintages.1.entry(series).or_insert_with(|| Parts::of(vintage));
        Ok(())
    }

    /// Stores the newest plan and outlook of a series. Older ones are ignored.
    pub fn put_plan(&mut self, plan: Option<&Plan>, outlook: &Outlook) -> Result<(), StoreError> {
        self.changed(Change::Issue(outlook.issued_at));
        let series = self.series_id(&outlook.series)?;
        if let Some(now) = plan.and_then(|plan| plan.targets.first()) {
            self.run(
                "INSERT OR REPLACE INTO staffed (start, series, body, version) VALUES (?1, ?2, ?3, ?4)",
                params![now.start.millis(), series, body::encode(now)?, PlanTarget::VERSION],
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
            "INSERT INTO plans (series, issued_at, plan, plan_version, outlook, outlook_version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (series) DO UPDATE
             SET issued_at = excluded.issued_at,
                 plan = excluded.plan, plan_version = excluded.plan_version,
                 outlook = excluded.outlook, outlook_version = excluded.outlook_version
             WHERE excluded.issued_at >= issued_at",
            params![
                series,
                outlook.issued_at.millis(),
                plan.map(body::encode).transpose()?,
                Plan::VERSION,
                body::encode(outlook)?,
                Outlook::VERSION
            ],
        )
        .map(drop)
    }
}

/// The ledger
impl Reader {
    /// Whether the store has ever had data of a series.
    pub fn has_series(&self, series: &SeriesKey) -> Result<bool, StoreError> {
        self.read(|conn| Ok(find_series(conn, series)?.is_some()))
    }

    /// The vintage issued at a time, or the newest one. After 14 days it has only the forecast points 1, 3 and 6 h ahead.
    pub fn vintage(
        &self,
        series: &SeriesKey,
        issued_at: Option<Timestamp>,
    ) -> Result<Option<Vintage>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(None) };
            let (from, to) = issued_at
                .map_or((i64::MIN, i64::MAX), |issued_at| (issued_at.millis(), issued_at.millis()));
            let (block, nth) = block::place(id);
            let mut found = conn.prepare_cached(
                "SELECT issued_at, members, body, version FROM (
                     SELECT * FROM (SELECT issued_at, members, body, version FROM vintage_blocks
                         WHERE block = ?1 AND issued_at BETWEEN ?3 AND ?4 AND members >> ?2 & 1
                         ORDER BY issued_at DESC LIMIT 1)
                     UNION ALL
                     SELECT * FROM (SELECT issued_at, members, body, version FROM lead_blocks
                         WHERE block = ?1 AND issued_at BETWEEN ?3 AND ?4 AND members >> ?2 & 1
                         ORDER BY issued_at DESC LIMIT 1)
                 ) ORDER BY issued_at DESC LIMIT 1",
            )?;
            let mut rows = found.query(params![block, nth, from, to])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            block::one(row, 1, id)?.vintage(series, columns::time(row, 0)?).map(Some)
        })
    }

    /// Vintages that forecast the window starting at `window`, oldest first.
    pub fn vintages_targeting(
        &self,
        series: &SeriesKey,
        window: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let (block, nth) = block::place(id);
            let mut found = conn.prepare_cached(
                "SELECT issued_at, members, body, version FROM vintage_blocks
                     WHERE block = ?1 AND issued_at > ?3 AND issued_at <= ?4 AND members >> ?2 & 1
                 UNION ALL
                 SELECT issued_at, members, body, version FROM lead_blocks
                     WHERE block = ?1 AND issued_at > ?3 AND issued_at <= ?4 AND members >> ?2 & 1
                 ORDER BY 1",
            )?;
            let from = (window - HORIZON).millis();
            let mut rows = found.query(params![block, nth, from, window.millis()])?;
            let mut vintages = Vec::new();
            while let Some(row) = rows.next()? {
                let vintage = block::one(row, 1, id)?.vintage(series, columns::time(row, 0)?)?;
                if vintage.targets.iter().any(|target| target.start == window) {
                    vintages.push(vintage);
                }
            }
            Ok(vintages)
        })
    }

    /// Vintages of all series issued in `from..=to`, while all their leads are kept, oldest first.
    pub fn vintages_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let names = series_by_id(conn)?;
            let mut found = conn.prepare_cached(
                "SELECT issued_at, block, members, body, version FROM vintage_blocks
                 WHERE issued_at BETWEEN ?1 AND ?2 ORDER BY issued_at, block",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut vintages = Vec::new();
            while let Some(row) = rows.next()? {
                let issued_at = columns::time(row, 0)?;
                for (id, parts) in block::all(row, 1)? {
                    let series = names.get(&id);
                    let series =
                        series.ok_or_else(|| StoreError::corrupt("a series has no name"))?;
                    vintages.push(parts.vintage(series, issued_at)?);
                }
            }
            Ok(vintages)
        })
    }

    /// Whether a vintage that was issued in `from..to` could warn of a surge. After 14 days, what alarms did is no longer known: then
    /// only vintages with a fit count.
    pub fn could_warn(&self, from: Timestamp, to: Timestamp) -> Result<bool, StoreError> {
        // A placeholder: nothing here depends on the series.
        let series = SeriesKey::new(Name::all(), Name::all(), Name::all());
        self.read(|conn| {
            for table in [block::Table::Whole, block::Table::Leads] {
                let mut found = conn.prepare_cached(&format!(
                    "SELECT issued_at, block, members, body, version FROM {}
                     WHERE issued_at >= ?1 AND issued_at < ?2 ORDER BY issued_at, block",
                    table.name()
                ))?;
                let mut rows = found.query([from.millis(), to.millis()])?;
                while let Some(row) = rows.next()? {
                    let issued_at = columns::time(row, 0)?;
                    for (_, parts) in block::all(row, 1)? {
                        if parts.vintage(&series, issued_at)?.uses_alarms() {
                            return Ok(true);
                        }
                    }
                }
            }
            Ok(false)
        })
    }

    /// The newest plan of a series.
    pub fn plan(&self, series: &SeriesKey) -> Result<Option<Plan>, StoreError> {
        self.read(|conn| {
            newest(conn, "SELECT plan, plan_version FROM plans WHERE series = ?1", series)
        })
    }

    /// The newest outlook of a series.
    pub fn outlook(&self, series: &SeriesKey) -> Result<Option<Outlook>, StoreError> {
        self.read(|conn| {
            newest(conn, "SELECT outlook, outlook_version FROM plans WHERE series = ?1", series)
        })
    }

    /// The newest outlooks of the series that the filter admits, in order of the series.
    pub fn outlooks(&self, filter: &Filter) -> Result<Vec<Outlook>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached("SELECT outlook, outlook_version FROM plans")?;
            let mut rows = found.query([])?;
            let mut outlooks: Vec<Outlook> = Vec::new();
            while let Some(row) = rows.next()? {
                outlooks.push(body::column(row, 0)?);
            }
            outlooks.retain(|outlook| filter.admits_series(&outlook.series));
            outlooks.sort_by(|a, b| a.series.cmp(&b.series));
            Ok(outlooks)
        })
    }
}

/// Runs a statement that selects a body of a series and its version.
fn newest<T: Body>(
    conn: &Connection,
    sql: &str,
    series: &SeriesKey,
) -> Result<Option<T>, StoreError> {
    let Some(id) = find_series(conn, series)? else { return Ok(None) };
    let mut found = conn.prepare_cached(sql)?;
    let mut rows = found.query([id])?;
    Ok(rows.next()?.map(|row| body::optional(row, 0)).transpose()?.flatten())
}
