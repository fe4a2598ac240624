//! Which pages are sent: one for each incident, and none while something holds it back.
//!
//! Alerts of several services of a region that share their causes are one **incident**. Its first alert leads: its id is the
//! incident's, and all pages are pages of this alert. The others follow: they send no pages of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::book::{AlertBook, AlertEffect, notice};
use super::incident::{Incident, Part};
use super::inputs::AlertInputs;
use super::key::AlertKey;
use super::silence::{Silence, Silenced};
use super::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, HoldReason, Notification, NotificationKind,
};
use crate::domain::{DAY, HOUR, Scope, Severity, Timestamp};
use crate::forecast::PlannedWork;

/// An alert escalates if the gap has grown by this factor and by this many agents, and this time has passed since the last
/// page.
const ESCALATE_SHARE: f64 = 1.5;
const ESCALATE_BY: i32 = 3;
pub(super) const ESCALATE_AFTER: Duration = Duration::from_secs(1800);
/// Alerts with active alarms belong together if they began within this time.
const TOGETHER: Duration = Duration::from_secs(1800);

/// Planned work explains a need that ends at most this long after the work.
const AFTER_WORK: Duration = HOUR;

/// What a step found about one alert.
pub(super) struct Look {
    pub key: AlertKey,
    /// Whether the alert fires for the first time.
    pub fires: bool,
    /// Whether the alert has become critical.
    pub turned: bool,
    /// Whether agents are missing, or the rule of the alert still applies.
    pub is_short: bool,
    /// Whether the finding is certain enough for a page that the alert is worse.
    pub may_escalate: bool,
}

/// A page that is due now.
struct Due {
    kind: NotificationKind,
    /// The time in the id of the page: that of the decision, even if the page was held back in the meantime.
    decided_at: Timestamp,
}

impl AlertBook {
    /// Decides on the pages of a step that ended at `now`. Returns all alerts that changed.
    pub(super) fn page(
        &mut self,
        looks: &[Look],
        inputs: &AlertInputs<'_>,
        now: Timestamp,
        effects: &mut Vec<AlertEffect>,
    ) -> BTreeSet<AlertKey> {
        let mut changed: BTreeSet<AlertKey> = looks.iter().map(|look| look.key.clone()).collect();
        for key in &changed {
            let silenced = self.open.get(key).and_then(|alert| self.silenced(alert, now));
            let tuning = self.tuning.get(key).copied().unwrap_or(0);
            if let Some(alert) = self.open.get_mut(key) {
                alert.paging.silenced = silenced;
                alert.paging.planned_until = planned_until(alert, inputs, now);
                alert.paging.tuning = tuning;
            }
        }
        // If alerts fire together, the first one leads: the later ones have not been opened yet.
        let firing = looks.iter().filter(|look| look.fires && look.key.finding.is_none());
        let mut later: BTreeSet<&AlertKey> = firing.map(|look| &look.key).collect();
        let devices = if later.is_empty() { Devices::new() } else { devices(inputs) };
        while let Some(key) = later.pop_first() {
            changed.extend(self.join(key, &later, &devices));
        }
        let mut incidents: BTreeMap<String, Vec<&Look>> = BTreeMap::new();
        for look in looks.iter().filter(|look| look.is_short) {
            let open = self.open.get(&look.key).filter(|alert| self.has_pages(alert));
            if let Some(alert) = open.filter(|alert| alert.is_active()) {
                incidents.entry(alert.incident_id().to_owned()).or_default().push(look);
            }
        }
        for (id, looks) in incidents {
            let Some(lead) = self.lead(&id) else { continue };
            changed.insert(lead.key());
            let due = self.due(lead, &looks, now);
            changed.extend(self.hold_or_send(&id, due, now, effects));
        }
        changed
    }

    /// Whether pages of an alert are decided at all. Alerts of a rule that no receiver names have no pages.
    pub fn has_pages(&self, alert: &Alert) -> bool {
        alert.finding.is_none() || self.rules.has_pages(&alert.rule)
    }

    /// Adds an alert that fires for the first time to an open incident with the same cause, if there is one.
    fn join(
        &mut self,
        key: &AlertKey,
        later: &BTreeSet<&AlertKey>,
        devices: &Devices<'_>,
    ) -> Vec<AlertKey> {
        let Some(alert) = self.open.get(key) else { return Vec::new() };
        let others = self.open.iter().filter(|(other_key, other)| {
            *other_key != key
                && !later.contains(other_key)
                && other.is_active()
                && belongs(alert, other, devices)
        });
        let others = others.map(|(_, other)| other);
        // The oldest incident, so that the order of scopes does not matter.
        let leads = others.filter_map(|other| self.lead(other.incident_id()));
        let Some(lead) = leads.min_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id))) else {
            return Vec::new();
        };
        let (lead, part, lead_key) = (lead.clone(), Part::of(alert), lead.key());
        if let Some(alert) = self.open.get_mut(key) {
            alert.paging.incident = Some(lead.id.clone());
            if lead.state == AlertState::Acknowledged {
                alert.state = AlertState::Acknowledged;
                alert.acknowledged_by = lead.acknowledged_by;
                alert.acknowledged_at = lead.acknowledged_at;
            }
        }
        if let Some(lead) = self.open.get_mut(&lead_key) {
            lead.paging.incident = Some(lead.id.clone());
            lead.paging.others.retain(|known| known.scope != key.scope);
            lead.paging.others.push(part);
        }
        vec![lead_key]
    }

    /// The page that a step requires.
    fn due(&self, lead: &Alert, looks: &[&Look], now: Timestamp) -> Option<Due> {
        let due = |kind| Some(Due { kind, decided_at: now });
        if looks.iter().any(|look| look.fires && look.key == lead.key()) {
            return due(NotificationKind::Firing);
        }
        let (notified_gap, notified_at) = lead.last_notified();
        let is_late = notified_at.is_none_or(|at| now.since(at) >= ESCALATE_AFTER);
        let short = self.incident_of(lead).agents_short();
        let is_grown = f64::from(short) >= ESCALATE_SHARE * f64::from(notified_gap)
            && short >= notified_gap + ESCALATE_BY
            && is_late;
        let has_turned =
            |alert: &Alert| looks.iter().any(|look| look.turned && look.key == alert.key());
        let members = || self.members(&lead.id).filter(|alert| alert.is_active());
        let was_critical =
            members().any(|a| a.severity == AlertSeverity::Critical && !has_turned(a));
        // No second page if it was critical a short while ago.
        let may_turn = |a: &Alert| a.trend.eased_at.is_none() || is_late;
        let is_turned = !was_critical && members().any(|a| has_turned(a) && may_turn(a));
        let is_sure = looks.iter().any(|look| look.may_escalate);
        if is_sure && (is_grown || is_turned) {
            return due(NotificationKind::Escalated);
        }
        // The page that was held back, if nothing holds it back any more.
        lead.held_page().map(|held| Due { kind: held.kind, decided_at: held.since })
    }

    /// Sends the page of an incident, or records that it is held back. Returns the changed alerts.
    fn hold_or_send(
        &mut self,
        id: &str,
        due: Option<Due>,
        now: Timestamp,
        effects: &mut Vec<AlertEffect>,
    ) -> Vec<AlertKey> {
        let (Some(due), Some(lead)) = (due, self.lead(id)) else { return Vec::new() };
        let Some((reason, until)) = self.hold(lead, now) else {
            let (changed, page) = self.send(id, &due, now);
            effects.extend(page.map(AlertEffect::Notify));
            return changed;
        };
        // A page that is already held back was decided earlier.
        if due.decided_at != now {
            return Vec::new();
        }
        let (key, total) = (lead.key(), self.incident_of(lead).agents_short());
        if let Some(lead) = self.open.get_mut(&key) {
            lead.hold_back(due.kind, (reason, until), total, now);
            effects.push(AlertEffect::Held { alert: lead.id.clone(), reason, until });
        }
        vec![key]
    }

    /// Records in each alert of an incident what its page says. Returns these alerts and the page.
    fn send(
        &mut self,
        id: &str,
        due: &Due,
        now: Timestamp,
    ) -> (Vec<AlertKey>, Option<Notification>) {
        let Some(lead) = self.lead(id) else { return (Vec::new(), None) };
        // Receivers that were not notified yet get a first page, not an escalation.
        let was_told = lead.notified_at.is_some();
        let kind = if was_told { due.kind } else { NotificationKind::Firing };
        let total = self.incident_of(lead).agents_short();
        let mut changed = Vec::new();
        let members = self.open.values_mut().filter(|alert| alert.incident_id() == id);
        for alert in members.filter(|alert| alert.is_active()) {
            alert.notified_gap = alert.agents_short;
            alert.notified_at = Some(now);
            if alert.id == id {
                (alert.paging.total, alert.paging.held) = (total, None);
            }
            changed.push(alert.key());
        }
        let page = self.lead(id).map(|lead| {
            let mut page = self.page_alert(lead);
            page.trend.next_at = self.next_forecast(page.trend.next_at, now);
            notice(&page, kind, due.decided_at)
        });
        (changed, page)
    }

    /// What holds back the page of an incident, and until when if that is known. The page is held back only if every alert that
    /// lacks agents is.
    pub fn hold(&self, lead: &Alert, now: Timestamp) -> Option<(HoldReason, Option<Timestamp>)> {
        let now = now.max(self.seen);
        let lacking: Vec<&Alert> =
            self.members(&lead.id).filter(|a| a.is_active() && a.agents_short > 0).collect();
        let members = if lacking.is_empty() { vec![lead] } else { lacking };
        let silenced = members.iter().map(|alert| self.silenced(alert, now));
        if let Some(all) = silenced.collect::<Option<Vec<Silenced>>>() {
            return Some((HoldReason::Silence, all.iter().map(|own| own.until).min()));
        }
        if self.inhibitor(lead).is_some() {
            return Some((HoldReason::Inhibited, None));
        }
        if members.iter().any(|a| a.severity == AlertSeverity::Critical) {
            return None;
        }
        let planned = members.iter().map(|a| a.paging.planned_until.filter(|until| now < *until));
        if let Some(all) = planned.collect::<Option<Vec<Timestamp>>>() {
            return Some((HoldReason::PlannedWork, all.into_iter().min()));
        }
        let quiet = self.quiet.as_ref().filter(|quiet| quiet.covers(now, lead.zone))?;
        Some((HoldReason::QuietHours, quiet.end(now, lead.zone)))
    }

    /// The silence that holds back an alert; the last one to end.
    pub(super) fn silenced(&self, alert: &Alert, now: Timestamp) -> Option<Silenced> {
        let now = now.max(self.seen);
        let holding = self.silences.iter().filter(|silence| silence.holds(alert, now));
        holding.max_by_key(|silence| (silence.ends_at, silence.id.clone())).map(Silenced::from)
    }

    /// Adds a silence that a person entered or ended. Returns the alerts that it holds back now. Alerts that are no longer held
    /// back are released by [`Self::release`].
    pub fn put_silence(&mut self, silence: Silence) -> Vec<Alert> {
        self.seen = self.seen.max(silence.changed_at());
        let now = self.seen;
        self.silences.retain(|known| known.id != silence.id && known.ends_at > now - DAY);
        self.silences.push(silence);
        let silenced = |alert: &Alert| self.silenced(alert, now);
        let new: Vec<(AlertKey, Silenced)> = self
            .open
            .iter()
            .filter_map(|(key, alert)| Some((key.clone(), silenced(alert)?)))
            .collect();
        let mut changed = Vec::new();
        for (key, silenced) in new {
            let Some(alert) = self.open.get_mut(&key) else { continue };
            if alert.paging.silenced.as_ref() != Some(&silenced) {
                alert.paging.silenced = Some(silenced);
                changed.push(alert.clone());
            }
        }
        changed
    }

    /// A silence by its id.
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.iter().find(|silence| silence.id == id)
    }

    /// Ids of alerts whose silence begins or ends by `now`, or whose quiet hours are over.
    pub fn releases(&self, now: Timestamp) -> Vec<String> {
        let is_due = |alert: &&Alert| {
            let is_held = alert.leads() && alert.paging.held.is_some();
            self.silenced(alert, now) != alert.paging.silenced
                || (is_held && self.hold(alert, now).is_none())
        };
        self.open.values().filter(is_due).map(|alert| alert.id.clone()).collect()
    }

    /// Applies the silences and quiet hours of `now` to an alert, and releases it if nothing holds it back any more. Returns
    /// the changed alerts, and the page if the alert still fires. `None` if there is no such alert.
    pub fn release(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Option<(Vec<Alert>, Option<Notification>)> {
        self.seen = self.seen.max(now);
        let alert = self.open.values().find(|alert| alert.id == id)?;
        let (key, incident) = (alert.key(), alert.incident_id().to_owned());
        let silenced = self.silenced(alert, now);
        let ended = alert.paging.silenced.is_some() && silenced.is_none();
        let leads = alert.leads();
        self.open.get_mut(&key)?.paging.silenced = silenced;
        let lead = self.lead(&incident)?;
        let is_short = match &lead.finding {
            Some(found) => !found.is_over,
            None => self.incident_of(lead).agents_short() > 0,
        };
        let mut changed = vec![key];
        let mut page = None;
        if self.hold(lead, now).is_none() {
            let held = lead.held_page();
            let due = held.map(|held| Due { kind: held.kind, decided_at: held.since });
            // A page was sent before the silence, and the alert still fires.
            let is_again =
                leads && ended && lead.state == AlertState::Firing && lead.notified_at.is_some();
            let again = Due { kind: NotificationKind::Reminder, decided_at: now };
            let due = due.or(is_again.then_some(again));
            match due.filter(|_| is_short) {
                Some(due) => {
                    let (told, sent) = self.send(&incident, &due, now);
                    changed.extend(told);
                    page = sent;
                }
                None => {
                    let lead = self.lead(&incident)?.key();
                    self.open.get_mut(&lead)?.paging.held = None;
                    changed.push(lead);
                }
            }
        }
        let changed: BTreeSet<AlertKey> = changed.into_iter().collect();
        let changed = changed.iter().filter_map(|key| self.open.get(key)).cloned().collect();
        Some((changed, page))
    }

    /// The alert that leads an incident.
    fn lead(&self, incident: &str) -> Option<&Alert> {
        self.open.values().find(|alert| alert.id == incident)
    }

    /// The open alerts of an incident, the leading one included.
    pub fn members<'a>(&'a self, incident: &'a str) -> impl Iterator<Item = &'a Alert> {
        self.open.values().filter(move |alert| alert.incident_id() == incident)
    }

    /// The incident that an alert leads, in its current state.
    pub(super) fn incident_of(&self, lead: &Alert) -> Incident {
        Incident::of(lead, &self.parts(lead))
    }

    /// The other services of the incident that an alert leads. Services whose alerts are over need no agents.
    fn parts(&self, lead: &Alert) -> Vec<Part> {
        let open = |known: &Part| self.open.get(&AlertKey::understaffed(&known.scope));
        let part = |known: &Part| match open(known) {
            Some(open) if open.incident_id() == lead.id => Part::of(open),
            _ => Part { need: Vec::new(), because: Vec::new(), ..known.clone() },
        };
        lead.paging.others.iter().map(part).collect()
    }

    /// The incident as a page would describe it now.
    pub fn incident_page(&self, lead: &Alert) -> Notification {
        notice(&self.page_alert(lead), NotificationKind::Firing, lead.updated_at)
    }

    /// The alert that represents an incident in its page: as urgent as the most urgent alert of the incident, and from the
    /// first start to the last end.
    pub fn page_alert(&self, lead: &Alert) -> Alert {
        let others = self.parts(lead);
        let mut page = lead.clone();
        for part in others.iter().filter(|part| !part.need.is_empty()) {
            page.severity = page.severity.max(part.severity);
            page.to = page.to.max(part.to);
        }
        page.paging.others = others;
        page
    }
}

/// The end of the planned work that explains the need of an alert. It explains the need if the need lies within the work or the
/// hour after it, and no alarm is active that began before the work.
fn planned_until(alert: &Alert, inputs: &AlertInputs<'_>, now: Timestamp) -> Option<Timestamp> {
    let explains = |work: &&PlannedWork| {
        let is_known = work.announced_at <= now && work.cancelled_at.is_none_or(|at| at > now);
        let is_within = inputs.width.end(alert.from) > work.starts_at
            && alert.to <= work.ends_at + AFTER_WORK
            && now < work.ends_at;
        let is_other = |alarm: &ActiveAlarm| {
            alarm.scope == alert.scope
                && alarm.severity <= Severity::Minor
                && alarm.raised_at < work.starts_at
        };
        is_known && is_within && work.covers(&alert.scope) && !inputs.alarms.iter().any(is_other)
    };
    inputs.work.iter().filter(explains).map(|work| work.ends_at).max()
}

/// The devices of active alarms that explain something, by scope. `None` stands for alarms without a device.
type Devices<'a> = BTreeMap<&'a Scope, BTreeSet<Option<&'a str>>>;

fn devices<'a>(inputs: &'a AlertInputs<'_>) -> Devices<'a> {
    let mut devices = Devices::new();
    for alarm in inputs.alarms.iter().filter(|alarm| alarm.severity <= Severity::Minor) {
        devices.entry(&alarm.scope).or_default().insert(alarm.device.as_deref());
    }
    devices
}

/// Whether two alerts of a region have the same cause: the same device has alarms in both services, or both have active
/// alarms and began within a short time.
fn belongs(alert: &Alert, other: &Alert, devices: &Devices<'_>) -> bool {
    if alert.rule != other.rule || alert.scope.region != other.scope.region {
        return false;
    }
    let of = |alert: &Alert| devices.get(&alert.scope);
    let (Some(own), Some(others)) = (of(alert), of(other)) else { return false };
    let apart = (alert.since.millis() - other.since.millis()).unsigned_abs();
    u128::from(apart) <= TOGETHER.as_millis()
        || own.iter().any(|device| device.is_some() && others.contains(device))
}
