//! Accuracy of forecasts: scores as sums of a day, actual surges, warnings of surges.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::body::{self, Body};
use super::names::find_series;
use super::{Change, Filter, Reader, StoreError, Tx, chunk, columns};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Score;
use crate::forecast::surge::{Surge, Warning};

/// Scores of a day by lead in minutes.
pub type ByLead = BTreeMap<u32, Score>;

/// Sums are stored in thousandths, so that they do not depend on the order of additions.
const SCALE: f64 = 1000.0;

/// Lead, counts, and sums in thousandths. Small numbers take one or two bytes.
type Packed = (u32, [u32; 4], [i64; 8], [i64; 7]);

/// Stored form of the scores of a day.
#[derive(Serialize, Deserialize)]
pub(super) struct DayScores(Vec<Packed>);

impl Body for DayScores {}

impl From<&ByLead> for DayScores {
    fn from(by_lead: &ByLead) -> Self {
        Self(by_lead.iter().map(packed).collect())
    }
}

impl From<DayScores> for ByLead {
    fn from(DayScores(scores): DayScores) -> Self {
        scores.into_iter().map(unpacked).collect()
    }
}

fn packed((lead, s): (&u32, &Score)) -> Packed {
    let sums = [s.actual, s.absolute, s.bias, s.naive_absolute, s.naive_actual, s.pinball]
        .map(thousandths);
    let [actual, absolute, bias, naive_absolute, naive_actual, pinball] = sums;
    let more = [thousandths(s.floor), thousandths(s.scaled)];
    (
        *lead,
        [s.n, s.inside80, s.inside95, s.scaled_n],
        [actual, absolute, bias, naive_absolute, naive_actual, pinball, more[0], more[1]],
        s.by_quantile.map(thousandths),
    )
}

fn unpacked((lead, counts, sums, by_quantile): Packed) -> (u32, Score) {
    let [n, inside80, inside95, scaled_n] = counts;
    let [actual, absolute, bias, naive_absolute, naive_actual, pinball, floor, scaled] =
        sums.map(|sum| sum as f64 / SCALE);
    let score = Score {
        n,
        actual,
        absolute,
        bias,
        naive_absolute,
        naive_actual,
        pinball,
        by_quantile: by_quantile.map(|sum| sum as f64 / SCALE),
        by_quantile_actual: actual,
        inside80,
        inside95,
        floor,
        scaled,
        scaled_n,
    };
    (lead, score)
}

fn thousandths(sum: f64) -> i64 {
    (sum * SCALE).round() as i64
}

/// Form of a score in the table `scores`, from before losses by quantile and scales were stored.
#[derive(Serialize, Deserialize)]
pub(super) struct OldScore {
    n: u32,
    actual: f64,
    absolute: f64,
    bias: f64,
    naive_absolute: f64,
    naive_actual: f64,
    pinball: f64,
    inside80: u32,
    inside95: u32,
    floor: f64,
}

impl Body for OldScore {}

impl From<OldScore> for Score {
    fn from(before: OldScore) -> Self {
        let OldScore { n, actual, absolute, bias, naive_absolute, naive_actual, .. } = before;
        Self {
            n,
            actual,
            absolute,
            bias,
            naive_absolute,
            naive_actual,
            pinball: before.pinball,
            inside80: before.inside80,
            inside95: before.inside95,
            floor: before.floor,
            ..Self::default()
        }
    }
}

/// Accuracy
impl Tx<'_> {
    /// Adds to the scores of a series on a day (UTC midnight), by lead in minutes.
    pub fn put_scores(
        &mut self,
        series: &SeriesKey,
        day: Timestamp,
        by_lead: &ByLead,
    ) -> Result<(), StoreError> {
        let (series, day) = (self.series_id(series)?, chunk::day(day));
        let mut sums = day_scores(self.conn, day, series)?.unwrap_or_default();
        for (lead, score) in by_lead {
            sums.entry(*lead).or_default().merge(score);
        }
        self.run(
            "INSERT OR REPLACE INTO score_days (day, series, body, version) VALUES (?1, ?2, ?3, ?4)",
            params![day, series, body::encode(&DayScores::from(&sums))?, DayScores::VERSION],
        )
        .map(drop)
    }

    /// Makes sinks write the scores of a day again.
    pub fn accuracy_changed(&mut self, day: Timestamp) {
        self.changed(Change::Accuracy(chunk::midnight(chunk::day(day))));
    }

    /// Stores a surge that began or continued. Replaces its previous row.
    pub fn put_surge(&mut self, surge: &Surge) -> Result<(), StoreError> {
        self.accuracy_changed(surge.start);
        let series = self.series_id(&surge.series)?;
        self.run(
            "INSERT OR REPLACE INTO surges (series, lead_h, start, upto, called, alarmed, warned)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                series,
                surge.lead_hours,
                surge.start.millis(),
                surge.upto.millis(),
                surge.hit,
                surge.alarmed,
                surge.warned_minutes
            ],
        )
        .map(drop)
    }

    /// Stores a warning. Replaces its previous row.
    pub fn put_warning(&mut self, warning: &Warning) -> Result<(), StoreError> {
        self.accuracy_changed(warning.first);
        let series = self.series_id(&warning.series)?;
        self.run(
            "INSERT OR REPLACE INTO calls (series, lead_h, first, upto, good)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                series,
                warning.lead_hours,
                warning.first.millis(),
                warning.upto.millis(),
                warning.good
            ],
        )
        .map(drop)
    }
}

/// Accuracy
impl Reader {
    /// Scores by day (UTC midnight, in `from_day..to_day`) and lead in minutes.
    pub fn scores(
        &self,
        series: &SeriesKey,
        from_day: Timestamp,
        to_day: Timestamp,
    ) -> Result<Vec<(Timestamp, u32, Score)>, StoreError> {
        self.read(|conn| {
            let Some(id) = find_series(conn, series)? else { return Ok(Vec::new()) };
            let days = chunk::day(from_day)..chunk::day(to_day);
            let mut sums: BTreeMap<(i64, u32), Score> = BTreeMap::new();
            let mut old = conn.prepare_cached(
                "SELECT day, lead_minutes, score FROM scores
                 WHERE series = ?1 AND day >= ?2 AND day < ?3",
            )?;
            let mut rows = old.query([id, days.start, days.end])?;
            while let Some(row) = rows.next()? {
                let before: OldScore = body::decode(0, body::bytes(row, 2)?)?;
                sums.insert((row.get(0)?, row.get(1)?), before.into());
            }
            let known: (Option<i64>, Option<i64>) = conn.query_row(
                "SELECT (SELECT MIN(day) FROM score_days), (SELECT MAX(day) FROM score_days)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (Some(first), Some(last)) = known else { return Ok(listed(sums)) };
            for day in days.start.max(first)..days.end.min(last + 1) {
                for (lead, score) in day_scores(conn, day, id)?.unwrap_or_default() {
                    sums.entry((day, lead)).or_default().merge(&score);
                }
            }
            Ok(listed(sums))
        })
    }

    /// Scores of every series on the day that starts at `day`, by lead in minutes.
    pub fn scores_on(&self, day: Timestamp) -> Result<Vec<(SeriesKey, ByLead)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, d.body, d.version
                 FROM score_days d JOIN series s ON s.id = d.series WHERE d.day = ?1",
            )?;
            let mut rows = found.query([chunk::day(day)])?;
            let mut scores = Vec::new();
            while let Some(row) = rows.next()? {
                let by_lead = body::column::<DayScores>(row, 3)?.into();
                scores.push((columns::series(row, 0)?, by_lead));
            }
            Ok(scores)
        })
    }

    /// Surges that began in `from..to` and whose last window starts at `upto` or later, oldest first.
    pub fn surges(
        &self,
        filter: &Filter,
        (from, to): (Timestamp, Timestamp),
        upto: Timestamp,
    ) -> Result<Vec<Surge>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, x.lead_h, x.start, x.upto, x.called,
                     x.alarmed, x.warned
                 FROM surges x JOIN series s ON s.id = x.series
                 WHERE x.start >= ?1 AND x.start < ?2 AND x.upto >= ?3
                 ORDER BY x.start, x.series, x.lead_h",
            )?;
            let mut rows = found.query([from, to, upto].map(Timestamp::millis))?;
            let mut surges = Vec::new();
            while let Some(row) = rows.next()? {
                surges.push(surge(row)?);
            }
            surges.retain(|surge| filter.admits_series(&surge.series));
            Ok(surges)
        })
    }

    /// Warnings whose first forecast was issued in `from..to` and whose last one at `upto` or later, oldest first.
    pub fn warnings(
        &self,
        filter: &Filter,
        (from, to): (Timestamp, Timestamp),
        upto: Timestamp,
    ) -> Result<Vec<Warning>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, x.lead_h, x.first, x.upto, x.good
                 FROM calls x JOIN series s ON s.id = x.series
                 WHERE x.first >= ?1 AND x.first < ?2 AND x.upto >= ?3
                 ORDER BY x.first, x.series, x.lead_h",
            )?;
            let mut rows = found.query([from, to, upto].map(Timestamp::millis))?;
            let mut warnings = Vec::new();
            while let Some(row) = rows.next()? {
                warnings.push(Warning {
                    series: columns::series(row, 0)?,
                    lead_hours: row.get(3)?,
                    first: columns::time(row, 4)?,
                    upto: columns::time(row, 5)?,
                    good: row.get(6)?,
                });
            }
            warnings.retain(|warning| filter.admits_series(&warning.series));
            Ok(warnings)
        })
    }
}

/// Scores of a series on a day, in days since the epoch.
fn day_scores(conn: &Connection, day: i64, series: i64) -> Result<Option<ByLead>, StoreError> {
    let mut found =
        conn.prepare_cached("SELECT body, version FROM score_days WHERE day = ?1 AND series = ?2")?;
    let mut rows = found.query([day, series])?;
    rows.next()?.map(|row| Ok(body::column::<DayScores>(row, 0)?.into())).transpose()
}

fn listed(sums: BTreeMap<(i64, u32), Score>) -> Vec<(Timestamp, u32, Score)> {
    sums.into_iter().map(|((day, lead), score)| (chunk::midnight(day), lead, score)).collect()
}

fn surge(row: &Row<'_>) -> Result<Surge, StoreError> {
    Ok(Surge {
        series: columns::series(row, 0)?,
        lead_hours: row.get(3)?,
        start: columns::time(row, 4)?,
        upto: columns::time(row, 5)?,
        hit: row.get(6)?,
        alarmed: row.get(7)?,
        warned_minutes: row.get(8)?,
    })
}
