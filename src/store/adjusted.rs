//! Planners' adjustments, adjusted vintages, and the scores of both versions.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::body::{self, Body};
use super::chunk;
use super::names::find_series;
use super::vintage::{self, Parts};
use super::{Change, PlannedKey, Reader, StoreError, Tx, columns};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::{Adjustment, Reason, Score, Vintage};
use crate::text::Stored;

/// A served forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    pub vintage: Vintage,
    /// The model's vintage, if planners adjusted it.
    pub model: Option<Vintage>,
    /// Why a nowcast was issued; `None` for a vintage that was issued when a window was finalized.
    pub reason: Option<Stored<Reason>>,
}

/// Scores of the same windows: of adjusted vintages and of the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AdjustedScore {
    pub adjusted: Score,
    pub model: Score,
}

impl AdjustedScore {
    /// Adds the sums of another score.
    pub fn merge(&mut self, other: &Self) {
        self.adjusted.merge(&other.adjusted);
        self.model.merge(&other.model);
    }
}

/// Adjustments
impl Tx<'_> {
    /// Stores an adjustment. Replaces the one with the same id.
    pub fn put_adjustment(&mut self, adjustment: &Adjustment) -> Result<(), StoreError> {
        self.adjustment_changes(&adjustment.id)?;
        let key = PlannedKey::of_adjustment(adjustment).text()?;
        self.changed(Change::Planned(adjustment.starts_at, key));
        let (from, to) = (adjustment.starts_at.millis(), adjustment.ends_at.millis());
        self.run(
            "INSERT OR REPLACE INTO adjustments (id, starts_at, ends_at, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![adjustment.id, from, to, body::encode(adjustment)?, Adjustment::VERSION],
        )
        .map(drop)
    }

    /// Deletes an adjustment. An unknown id is not an error.
    pub fn delete_adjustment(&mut self, id: &str) -> Result<(), StoreError> {
        self.adjustment_changes(id)?;
        self.run("DELETE FROM adjustments WHERE id = ?1", [id]).map(drop)
    }

    /// Records a change for the sinks, if there is a stored adjustment with this id: it is about to change or to be deleted.
    fn adjustment_changes(&mut self, id: &str) -> Result<(), StoreError> {
        if let Some(before) = adjustment(self.conn, id)? {
            let key = PlannedKey::of_adjustment(&before).text()?;
            self.changed(Change::Planned(before.starts_at, key));
        }
        Ok(())
    }

    /// Stores an adjusted vintage. A second one of the same series and time is ignored.
    pub fn put_adjusted(&mut self, vintage: &Vintage) -> Result<(), StoreError> {
        let series = self.series_id(&vintage.series)?;
        self.run(
            "INSERT OR IGNORE INTO adjusted_vintages (series, issued_at, body, version)
             VALUES (?1, ?2, ?3, ?4)",
            params![series, vintage.issued_at.millis(), vintage::encode(vintage)?, Parts::VERSION],
        )
        .map(drop)
    }

    /// Adds scores of a series on a day (UTC midnight), by lead in minutes.
    pub fn put_adjusted_scores(
        &mut self,
        series: &SeriesKey,
        day: Timestamp,
        by_lead: impl Iterator<Item = (u32, AdjustedScore)>,
    ) -> Result<(), StoreError> {
        let series = self.series_id(series)?;
        let day = chunk::day(day);
        for (lead, mut sum) in by_lead {
            let mut found = self.conn.prepare_cached(
                "SELECT adjusted, version, model, version FROM adjusted_scores
                 WHERE series = ?1 AND day = ?2 AND lead_minutes = ?3",
            )?;
            let mut rows = found.query(params![series, day, lead])?;
            if let Some(row) = rows.next()? {
                sum.merge(&adjusted_score(row, 0)?);
            }
            let (adjusted, model) = (body::encode(&sum.adjusted)?, body::encode(&sum.model)?);
            self.run(
                "INSERT OR REPLACE INTO adjusted_scores
                     (series, day, lead_minutes, adjusted, model, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![series, day, lead, adjusted, model, Score::VERSION],
            )?;
        }
        Ok(())
    }
}

fn adjustment(conn: &Connection, id: &str) -> Result<Option<Adjustment>, StoreError> {
    let mut found = conn.prepare_cached("SELECT body, version FROM adjustments WHERE id = ?1")?;
    let mut rows = found.query([id])?;
    rows.next()?.map(|row| body::column(row, 0)).transpose()
}

/// Adjustments
impl Reader {
    /// The adjustment with an id.
    pub fn adjustment(&self, id: &str) -> Result<Option<Adjustment>, StoreError> {
        self.read(|conn| adjustment(conn, id))
    }

    /// Adjustments that overlap `from..to`, in order of their start.
    pub fn adjustments(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Adjustment>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM adjustments WHERE ends_at > ?1 AND starts_at < ?2
                 ORDER BY starts_at, id",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut adjustments = Vec::new();
            while let Some(row) = rows.next()? {
                adjustments.push(body::column(row, 0)?);
            }
            Ok(adjustments)
        })
    }

    /// The served forecast issued at a time, or the newest one. Includes nowcasts.
    pub fn served(
        &self,
        series: &SeriesKey,
        issued_at: Option<Timestamp>,
    ) -> Result<Option<Served>, StoreError> {
        let scheduled = self.vintage(series, issued_at)?;
        let at = scheduled.as_ref().map(|vintage| vintage.issued_at);
        let nowcast = self.nowcast(series, issued_at)?;
        let nowcast = nowcast.filter(|nowcast| at.is_none_or(|at| nowcast.vintage.issued_at > at));
        let (model, reason) = match (nowcast, scheduled) {
            (Some(nowcast), _) => (nowcast.vintage, Some(nowcast.reason)),
            (None, Some(vintage)) => (vintage, None),
            (None, None) => return Ok(None),
        };
        let adjusted = self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(None) };
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM adjusted_vintages WHERE series = ?1 AND issued_at = ?2",
            )?;
            let mut rows = found.query([id, model.issued_at.millis()])?;
            let row = rows.next()?;
            row.map(|row| vintage::column(row, 0, series, model.issued_at)).transpose()
        })?;
        Ok(Some(served(model, reason, adjusted)))
    }

    /// Every served forecast issued at a time, while all its leads are kept.
    pub fn served_at(&self, issued_at: Timestamp) -> Result<Vec<Served>, StoreError> {
        let adjusted = self.adjusted_between(issued_at, issued_at)?.into_iter();
        let mut adjusted: BTreeMap<SeriesKey, Vintage> =
            adjusted.map(|vintage| (vintage.series.clone(), vintage)).collect();
        let scheduled = self.vintages_at(issued_at)?.into_iter().map(|vintage| (vintage, None));
        let nowcasts = self.nowcasts(issued_at, issued_at)?.into_iter();
        let nowcasts = nowcasts.map(|nowcast| (nowcast.vintage, Some(nowcast.reason)));
        let all = scheduled.chain(nowcasts).map(|(model, reason)| {
            let changed = adjusted.remove(&model.series);
            served(model, reason, changed)
        });
        Ok(all.collect())
    }

    /// Adjusted vintages of all series issued after a time, oldest first.
    pub fn adjusted_since(&self, issued_after: Timestamp) -> Result<Vec<Vintage>, StoreError> {
        let next = Timestamp::from_millis(issued_after.millis().saturating_add(1));
        self.adjusted_between(next, Timestamp::MAX)
    }

    fn adjusted_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Vintage>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, v.issued_at, v.body, v.version
                 FROM adjusted_vintages v JOIN series s ON s.id = v.series
                 WHERE v.issued_at BETWEEN ?1 AND ?2 ORDER BY v.issued_at, v.series",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut vintages = Vec::new();
            while let Some(row) = rows.next()? {
                let (series, issued_at) = (columns::series(row, 0)?, columns::time(row, 3)?);
                vintages.push(vintage::column(row, 4, &series, issued_at)?);
            }
            Ok(vintages)
        })
    }

    /// Scores of adjusted windows, by day (UTC midnight, in `from_day..to_day`) and lead in minutes.
    pub fn adjusted_scores(
        &self,
        series: &SeriesKey,
        from_day: Timestamp,
        to_day: Timestamp,
    ) -> Result<Vec<(Timestamp, u32, AdjustedScore)>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let mut found = conn.prepare_cached(
                "SELECT day, lead_minutes, adjusted, version, model, version FROM adjusted_scores
                 WHERE series = ?1 AND day >= ?2 AND day < ?3 ORDER BY day, lead_minutes",
            )?;
            let mut rows = found.query([id, chunk::day(from_day), chunk::day(to_day)])?;
            let mut scores = Vec::new();
            while let Some(row) = rows.next()? {
                let score = adjusted_score(row, 2)?;
                scores.push((chunk::midnight(row.get(0)?), row.get(1)?, score));
            }
            Ok(scores)
        })
    }
}

/// Reads both scores and their versions from four columns, starting at `column`.
fn adjusted_score(row: &Row<'_>, column: usize) -> Result<AdjustedScore, StoreError> {
    let (adjusted, model) = (body::column(row, column)?, body::column(row, column + 2)?);
    Ok(AdjustedScore { adjusted, model })
}

/// Reduces the adjusted vintage to the leads that the model's vintage still has.
pub(super) fn served(
    model: Vintage,
    reason: Option<Stored<Reason>>,
    adjusted: Option<Vintage>,
) -> Served {
    let Some(mut vintage) = adjusted else { return Served { vintage: model, model: None, reason } };
    let kept = |start| model.targets.iter().any(|target| target.start == start);
    vintage.targets.retain(|target| kept(target.start));
    Served { vintage, model: Some(model), reason }
}
