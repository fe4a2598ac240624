//! Pages that are due because time has passed: to the next receiver of the escalation list, and reminders.

use std::collections::BTreeMap;

use super::forecaster::Forecaster;
use super::messages::{CommandError, ReplicatedCommand};
use super::state::State;
use crate::alert::{Alert, AlertState, DueReport, NotificationKind, Notified, Schedule};
use crate::domain::{Name, Timestamp};
use crate::store::{DeliveryState, OutboxRow, StoreError};

impl Forecaster {
    /// Pages that are due at `now`, for alerts that nobody has acknowledged. Only the leader calls this, and replicates the
    /// result to standbys.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn overdue_pages(&self, now: Timestamp) -> Result<Vec<ReplicatedCommand>, StoreError> {
        let State { config, issuer, .. } = self.state();
        let (escalation, alerts) = (&config.escalation, &issuer.alerts);
        let released = alerts.releases(now).into_iter();
        let mut due: Vec<ReplicatedCommand> =
            released.map(|alert| ReplicatedCommand::Released { alert, at: now }).collect();
        let has_duty = config.receivers.iter().any(|(_, route)| route.duty.is_some());
        if escalation.order.is_empty() && escalation.remind_after.is_none() && !has_duty {
            return Ok(due);
        }
        let is_meant = |alert: &&Alert| {
            alert.state == AlertState::Firing
                && alert.leads()
                && alert.paging.held.is_none()
                && alerts.hold(alert, now).is_none()
                && alerts.has_pages(alert)
        };
        for alert in alerts.open().filter(is_meant) {
            let alert = &alerts.page_alert(alert);
            let notified = notified(&self.reader().pages_of(&alert.id)?);
            let takes = |name: &str| {
                config.receivers.iter().any(|(known, route)| {
                    known == name && route.takes_alert(alert) && route.is_on_duty(alert, now)
                })
            };
            let late = config.receivers.iter().filter(|(_, route)| route.duty.is_some());
            let late = late.map(|(name, _)| name.as_str());
            if let Some(receivers) = escalation.on_duty_now(alert, late, &notified, takes, now) {
                let (alert, kind) = (alert.id.clone(), NotificationKind::Firing);
                due.push(ReplicatedCommand::Paged { alert, kind, receivers, at: now });
                continue;
            }
            if let Some((kind, receivers)) = escalation.next(alert, &notified, takes, now) {
                let alert = alert.id.clone();
                due.push(ReplicatedCommand::Paged { alert, kind, receivers, at: now });
            }
        }
        Ok(due)
    }

    /// Reports that are due at `now` and not in the outbox yet. A report waits until the windows that it covers are finalized.
    /// Its id is always the same, so that the outbox stores it once. Only the leader calls this.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn due_reports(&self, now: Timestamp) -> Result<Vec<ReplicatedCommand>, StoreError> {
        let mut due = Vec::new();
        for schedule in &self.state().config.reports {
            for report in self.reports_of(schedule, now)? {
                if self.finalized_upto().is_none_or(|upto| upto < report.covers_upto()) {
                    continue;
                }
                let sent = self.reader().page(&report.page().id)?;
                if sent.iter().all(|row| row.receiver != schedule.receiver) {
                    let receiver = schedule.receiver.clone();
                    due.push(ReplicatedCommand::ReportDue { report, receiver, at: now });
                }
            }
        }
        Ok(due)
    }

    /// The reports of a schedule entry that are due at `now`, sent or not: the newest one, or the briefs on planned work.
    fn reports_of(
        &self,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<Vec<DueReport>, StoreError> {
        let Some((from, to)) = schedule.work_span(now) else {
            return Ok(schedule.last_due(now).into_iter().collect());
        };
        let config = &self.state().config;
        let zone = |region: Option<&Name>| config.zone(region.unwrap_or(&Name::all()));
        let work = self.reader().maintenance(from, to)?;
        let briefs = work.iter().map(|own| schedule.briefs(own, zone(own.region.as_ref()), now));
        Ok(briefs.flatten().collect())
    }

    /// Receivers whose delivery of a page was given up: the receiver of this name, or all.
    pub(super) fn lost_deliveries(
        &self,
        page: &str,
        receiver: Option<&str>,
    ) -> Result<Vec<String>, CommandError> {
        let rows = self.reader().page(page)?.into_iter();
        let is_meant = |row: &OutboxRow| {
            row.state == DeliveryState::Dead && receiver.is_none_or(|name| row.receiver == name)
        };
        let lost: Vec<String> = rows.filter(is_meant).map(|row| row.receiver).collect();
        if lost.is_empty() { Err(CommandError::NotFound) } else { Ok(lost) }
    }
}

/// When each receiver was notified of an alert.
fn notified(rows: &[OutboxRow]) -> BTreeMap<String, Notified> {
    let mut all: BTreeMap<String, Notified> = BTreeMap::new();
    for row in rows {
        let (at, is_lost) = (row.created_at, row.state == DeliveryState::Dead);
        let notified =
            all.entry(row.receiver.clone()).or_insert(Notified { first: at, last: at, is_lost });
        notified.first = notified.first.min(at);
        notified.last = notified.last.max(at);
        notified.is_lost &= is_lost;
    }
    all
}
