//! Anomalies, alerts, the outbox and the roster.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, ToSql, params};

use super::bodies::AlertBody;
use super::body::{self, Body};
use super::codes::Code;
use super::columns::{self, count};
use super::{Change, DeliveryOutcome, DeliveryState, Filter, OutboxRow, Reader, StoreError, Tx};
use crate::alert::{Alert, AlertState, Notification, Worst};
use crate::anomaly::Anomaly;
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::staffing::Shift;

/// Condition for the notifications of an alert: their ids are the id of the alert, a dot and more. A slash is the character
/// after the dot.
const OF_ALERT: &str = "notice >= ?1 || '.' AND notice < ?1 || '/'";

/// A filter of alerts.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertFilter {
    /// Only alerts of this rule: their ids begin with the name of the rule and a dot.
    pub rule: Option<&'static str>,
    /// Only alerts that are not resolved.
    pub open_only: bool,
}

/// Alerts, outbox, roster
impl Tx<'_> {
    /// Stores an anomaly. Replaces the one of the same series, window and kind.
    pub fn put_anomaly(&mut self, anomaly: &Anomaly) -> Result<(), StoreError> {
        self.changed(Change::Anomalies(anomaly.window));
        let series = self.series_id(&anomaly.series)?;
        self.run(
            "INSERT INTO anomalies (series, start, kind, body, version) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (series, start, kind)
             DO UPDATE SET body = excluded.body, version = excluded.version",
            params![
                series,
                anomaly.window.millis(),
                anomaly.kind.code(),
                body::encode(anomaly)?,
                Anomaly::VERSION
            ],
        )
        .map(drop)
    }

    /// Stores an alert's current state. Replaces the previous one.
    pub fn put_alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        self.changed(Change::Alert(alert.since, alert.id.clone()));
        self.run(
            "INSERT OR REPLACE INTO alerts (id, state, region, service, since, updated_at, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                alert.id,
                alert.state.code(),
                alert.scope.region.as_str(),
                alert.scope.service.as_str(),
                alert.since.millis(),
                alert.updated_at.millis(),
                body::encode(&AlertBody::from(alert))?,
                AlertBody::VERSION
            ],
        )
        .map(drop)
    }

    /// Adds a notification to the outbox, one row per receiver, due at `at`. Existing rows stay.
    pub fn put_notification(
        &mut self,
        notice: &Notification,
        receivers: &[&str],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (body, due) = (body::encode(notice)?, DeliveryState::Pending.code());
        for receiver in receivers {
            self.run(
                "INSERT OR IGNORE INTO outbox
                     (notice, receiver, state, attempts, created_at, next_at, body, version)
                 VALUES (?1, ?2, ?3, 0, ?4, ?4, ?5, ?6)",
                params![notice.id, receiver, due, at.millis(), body, Notification::VERSION],
            )?;
        }
        Ok(())
    }

    /// Whether the outbox holds a notification of an alert.
    pub fn has_notification_of(&self, alert_id: &str) -> Result<bool, StoreError> {
        let mut found =
            self.conn.prepare_cached(&format!("SELECT 1 FROM outbox WHERE {OF_ALERT}"))?;
        Ok(found.exists([alert_id])?)
    }

    /// Receivers with a notification of this alert in the outbox.
    pub fn receivers_of(&self, alert_id: &str) -> Result<BTreeSet<String>, StoreError> {
        let mut found = self
            .conn
            .prepare_cached(&format!("SELECT DISTINCT receiver FROM outbox WHERE {OF_ALERT}"))?;
        let rows = found.query_map([alert_id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores the outcome of a delivery attempt. The same outcome twice counts once. An unknown notification is ignored.
    pub fn mark_delivery(
        &mut self,
        notice_id: &str,
        receiver: &str,
        outcome: &DeliveryOutcome,
    ) -> Result<(), StoreError> {
        let (state, at, error) = match outcome {
            DeliveryOutcome::Retry { at, error } => (DeliveryState::Pending, at, Some(error)),
            DeliveryOutcome::Delivered { at } => (DeliveryState::Delivered, at, None),
            DeliveryOutcome::Dead { at, error } => (DeliveryState::Dead, at, Some(error)),
        };
        self.run(
            "UPDATE outbox SET state = ?3, attempts = attempts + 1, next_at = ?4,
                 last_error = coalesce(?5, last_error)
             WHERE notice = ?1 AND receiver = ?2 AND (state <> ?3 OR next_at <> ?4)",
            params![notice_id, receiver, state.code(), at.millis(), error],
        )
        .map(drop)
    }

    /// Makes a notification that was given up due again at `at`. Others do not change.
    pub fn resend(
        &mut self,
        notice_id: &str,
        receiver: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "UPDATE outbox SET state = ?4, attempts = 0, next_at = ?3
             WHERE notice = ?1 AND receiver = ?2 AND state = ?5",
            params![
                notice_id,
                receiver,
                at.millis(),
                DeliveryState::Pending.code(),
                DeliveryState::Dead.code()
            ],
        )
        .map(drop)
    }

    /// Stores shifts. Replaces shifts of the same series that overlap the span from the first start to the last end.
    pub fn put_shifts(&mut self, shifts: &[Shift]) -> Result<(), StoreError> {
        let mut spans: BTreeMap<&SeriesKey, (Timestamp, Timestamp)> = BTreeMap::new();
        for shift in shifts {
            let span = spans.entry(&shift.series).or_insert((shift.start, shift.end));
            *span = (span.0.min(shift.start), span.1.max(shift.end));
        }
        for (series, (start, end)) in spans {
            let series = self.series_id(series)?;
            self.run(
                "DELETE FROM shifts WHERE series = ?1 AND ends_at > ?2 AND starts_at < ?3",
                params![series, start.millis(), end.millis()],
            )?;
        }
        for shift in shifts {
            let series = self.series_id(&shift.series)?;
            self.run(
                "INSERT INTO shifts (series, starts_at, ends_at, agents) VALUES (?1, ?2, ?3, ?4)",
                params![series, shift.start.millis(), shift.end.millis(), shift.agents],
            )?;
        }
        Ok(())
    }
}

/// Alerts, outbox, roster
impl Reader {
    /// Anomalies of windows that start in `from..to`, newest first. The returned cursors continue a list as `after`.
    pub fn anomalies(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, Anomaly)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT a.id, a.body, a.version FROM anomalies a JOIN series s ON s.id = a.series
                 WHERE a.start >= ?1 AND a.start < ?2
                     AND (?3 IS NULL OR s.region = ?3) AND (?4 IS NULL OR s.service = ?4)
                     AND (?5 IS NULL OR s.channel = ?5)
                     AND (?6 IS NULL
                         OR (a.start, a.id) < (SELECT start, id FROM anomalies WHERE id = ?6))
                 ORDER BY a.start DESC, a.id DESC LIMIT ?7",
            )?;
            let mut rows = found.query(params![
                from.millis(),
                to.millis(),
                text(&filter.region),
                text(&filter.service),
                text(&filter.channel),
                after,
                count(limit)
            ])?;
            let mut anomalies = Vec::new();
            while let Some(row) = rows.next()? {
                anomalies.push((row.get(0)?, body::column(row, 1)?));
            }
            Ok(anomalies)
        })
    }

    /// Alerts, newest first, starting after the alert with id `after`. Open alerts are those that are not resolved; they
    /// include pending ones. The filter's channel is ignored, because alerts have none.
    pub fn alerts(
        &self,
        filter: &Filter,
        open_only: bool,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Vec<Alert>, StoreError> {
        self.alerts_of(filter, AlertFilter { rule: None, open_only }, limit, after)
    }

    /// As [`Self::alerts`], also by rule.
    pub fn alerts_of(
        &self,
        filter: &Filter,
        AlertFilter { rule, open_only }: AlertFilter,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Vec<Alert>, StoreError> {
        // A literal, so that SQLite uses the index of open alerts.
        let is_open = format!("state <> {}", AlertState::Resolved.code());
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT body, version, acknowledged_at, worst FROM alerts
                 WHERE {} AND (?1 IS NULL OR region = ?1) AND (?2 IS NULL OR service = ?2)
                     AND (?3 IS NULL
                         OR (since, id) < (SELECT since, id FROM alerts WHERE id = ?3))
                     AND (?5 IS NULL OR (id >= ?5 || '.' AND id < ?5 || '/'))
                 ORDER BY since DESC, id DESC LIMIT ?4",
                if open_only { is_open } else { "1".to_owned() }
            ))?;
            let mut rows = found.query(params![
                text(&filter.region),
                text(&filter.service),
                after,
                count(limit),
                rule
            ])?;
            let mut alerts = Vec::new();
            while let Some(row) = rows.next()? {
                alerts.push(alert_of(row)?);
            }
            Ok(alerts)
        })
    }

    /// Alerts that were resolved at `from` or later.
    pub fn alerts_ended_since(&self, from: Timestamp) -> Result<Vec<Alert>, StoreError> {
        let resolved = AlertState::Resolved.code();
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT body, version, acknowledged_at, worst FROM alerts
                 WHERE state = {resolved} AND updated_at >= ?1 ORDER BY since, id"
            ))?;
            let mut rows = found.query([from.millis()])?;
            let mut alerts = Vec::new();
            while let Some(row) = rows.next()? {
                alerts.push(alert_of(row)?);
            }
            Ok(alerts)
        })
    }

    /// Alerts with feedback, resolved ones included.
    pub fn judged_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let mut judged = Vec::new();
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT body, version, acknowledged_at, worst FROM alerts")?;
            let mut rows = found.query([])?;
            while let Some(row) = rows.next()? {
                let alert = alert_of(row)?;
                judged.extend(alert.feedback.is_some().then_some(alert));
            }
            Ok(())
        })?;
        Ok(judged)
    }

    /// An alert by id.
    pub fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version, acknowledged_at, worst FROM alerts WHERE id = ?1",
            )?;
            let mut rows = found.query([id])?;
            rows.next()?.map(alert_of).transpose()
        })
    }

    /// Pending deliveries to a receiver, due or not, in the order in which they were stored.
    pub fn outbox_pending(
        &self,
        receiver: &str,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        // A literal, so that SQLite uses the index of pending deliveries.
        let pending = DeliveryState::Pending.code();
        let which = format!("WHERE state = {pending} AND receiver = ?1 ORDER BY id LIMIT ?2");
        Ok(self.deliveries(&which, params![receiver, count(limit)])?.into_values().collect())
    }

    /// Receivers with pending deliveries.
    pub fn outbox_receivers(&self) -> Result<BTreeSet<String>, StoreError> {
        let pending = DeliveryState::Pending.code();
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT DISTINCT receiver FROM outbox WHERE state = {pending}"
            ))?;
            let rows = found.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries, newest first, with cursors that continue the list as `after`; of one state or receiver, or all.
    pub fn outbox(
        &self,
        state: Option<DeliveryState>,
        receiver: Option<&str>,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, OutboxRow)>, StoreError> {
        let which = "WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR receiver = ?2)
                         AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4";
        let state = state.map(DeliveryState::code);
        let found = self.deliveries(which, params![state, receiver, after, count(limit)])?;
        Ok(found.into_iter().rev().collect())
    }

    /// Deliveries of a notification.
    pub fn page(&self, notice: &str) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.deliveries("WHERE notice = ?1", params![notice])?.into_values().collect())
    }

    /// Deliveries of all notifications of an alert, in the order in which they were stored.
    pub fn pages_of(&self, alert_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        let which = format!("WHERE {OF_ALERT}");
        Ok(self.deliveries(&which, params![alert_id])?.into_values().collect())
    }

    /// Deliveries by the number of their row.
    fn deliveries(
        &self,
        which: &str,
        values: &[&dyn ToSql],
    ) -> Result<BTreeMap<i64, OutboxRow>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT body, version, receiver, state, attempts, created_at, next_at, last_error, id
                 FROM outbox {which}"
            ))?;
            let mut rows = found.query(values)?;
            let mut deliveries = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let delivery = OutboxRow {
                    notice: body::column(row, 0)?,
                    receiver: row.get(2)?,
                    state: DeliveryState::of_code(row.get(3)?)?,
                    attempts: row.get(4)?,
                    created_at: columns::time(row, 5)?,
                    next_at: columns::time(row, 6)?,
                    last_error: row.get(7)?,
                };
                deliveries.insert(row.get(8)?, delivery);
            }
            Ok(deliveries)
        })
    }

    /// Shifts that overlap `from..to`, in order of series and start.
    pub fn shifts(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Shift>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT s.region, s.service, s.channel, h.starts_at, h.ends_at, h.agents
                 FROM shifts h JOIN series s ON s.id = h.series
                 WHERE h.ends_at > ?1 AND h.starts_at < ?2
                 ORDER BY s.region, s.service, s.channel, h.starts_at",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut shifts = Vec::new();
            while let Some(row) = rows.next()? {
                let series = columns::series(row, 0)?;
                if filter.admits_series(&series) {
                    shifts.push(Shift {
                        series,
                        start: columns::time(row, 3)?,
                        end: columns::time(row, 4)?,
                        agents: row.get(5)?,
                    });
                }
            }
            Ok(shifts)
        })
    }
}

/// An alert from its body, its version, and the two further columns that rows of version 0 have.
fn alert_of(row: &Row<'_>) -> Result<Alert, StoreError> {
    let at: Option<i64> = row.get(2)?;
    let worst: Option<Vec<u8>> = row.get(3)?;
    let worst = worst.map(|bytes| body::decode::<Worst>(0, &bytes)).transpose()?;
    let body: AlertBody = body::column(row, 0)?;
    Ok(body.alert((at.map(Timestamp::from_millis), worst)))
}

fn text(name: &Option<Name>) -> Option<&str> {
    name.as_ref().map(Name::as_str)
}
