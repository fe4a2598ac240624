//! The life of alerts: pending, firing, acknowledged, resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::causes;
use super::incident::{Part, together};
use super::inputs::AlertInputs;
use super::key::AlertKey;
use super::need::{Need, all_missing, needs};
use super::paging::{ESCALATE_AFTER, Look};
use super::rules::{RuleSet, UNDERSTAFFED};
use super::silence::Silence;
use super::tuning::Tuning;
use super::{
    Alert, AlertSeverity, AlertState, HoldReason, Notes, Notification, NotificationKind, Paging,
    Trend,
};
use crate::domain::{Hours, Name, Scope, Timestamp, WindowWidth, Zone};

/// The rule named in pages that test a receiver.
pub(super) const TEST_RULE: &str = "page-test";
/// The rule named in the alert that the notification of a report contains.
pub(super) const REPORT_RULE: &str = "report";
/// Number of consecutive vintages whose need is worth a page before an alert fires, and that must see none before it is resolved.
const FIRE_AFTER: u32 = 2;
pub(super) const RESOLVE_AFTER: u32 = 4;
/// Number of consecutive forecasts that must be clearly less than critical before the severity falls.
const EASE_AFTER: u32 = 2;

/// Effects that the shell carries out.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertEffect {
    /// Store and show an alert.
    Changed(Alert),
    /// Send a notification.
    Notify(Notification),
    /// A page of this alert is held back, until this time if it is known.
    Held { alert: String, reason: HoldReason, until: Option<Timestamp> },
}

/// Open alerts: one per rule, scope and label, so that a shift lead gets one page and not forty.
#[derive(Clone, Debug, Default)]
pub struct AlertBook {
    pub(super) open: BTreeMap<AlertKey, Alert>,
    /// The limits of all rules except the lack of agents.
    pub(super) rules: Arc<RuleSet>,
    /// Alerts with the same key that begin before this time do not fire (cool-down).
    pub(super) rests: BTreeMap<AlertKey, Timestamp>,
    /// Silences that have not ended.
    pub(super) silences: Vec<Silence>,
    /// Hours in which pages of warnings are held back, in the time zone of the region.
    pub(super) quiet: Option<Hours>,
    /// How far people's feedback has changed the limits.
    pub(super) tuning: Tuning,
    /// The newest time at which people or the clock changed something.
    pub(super) seen: Timestamp,
    /// Width of the windows; `None` if forecasts do not follow a schedule.
    pub(super) width: Option<WindowWidth>,
}

impl AlertBook {
    /// Restores stored alerts; resolved ones are left out.
    pub fn restore(alerts: Vec<Alert>) -> Self {
        let open = alerts.into_iter().filter(|alert| alert.state != AlertState::Resolved);
        let open = open.map(|alert| (alert.key(), alert)).collect();
        Self { open, ..Self::default() }
    }

    /// Sets the silences and quiet hours that hold back pages.
    #[must_use]
    pub fn held_by(mut self, silences: Vec<Silence>, quiet: Option<Hours>) -> Self {
        self.seen = silences.iter().map(Silence::changed_at).max().unwrap_or_default();
        (self.silences, self.quiet) = (silences, quiet);
        self
    }

    /// Sets the width of windows: there is a forecast after each window.
    #[must_use]
    pub fn with_windows(self, width: WindowWidth) -> Self {
        Self { width: Some(width), ..self }
    }

    /// `at`, or the time of the first later forecast if `at` has passed.
    pub(super) fn next_forecast(&self, at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let at = at?;
        if at > now {
            return Some(at);
        }
        let width = self.width?.length();
        let over = now.since(at).as_secs() / width.as_secs();
        Some(at + width * (u32::try_from(over).ok()? + 1))
    }

    /// Open alerts.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values()
    }

    /// Notifications, after a start, of firing alerts that nobody has acknowledged.
    pub fn pending_notifications(&self) -> Vec<Notification> {
        let is_meant = |alert: &&Alert| {
            alert.state == AlertState::Firing
                && alert.leads()
                && alert.paging.held.is_none()
                && self.has_pages(alert)
        };
        let news = |alert: &Alert| {
            let at = alert.notified_at.unwrap_or(alert.updated_at);
            notice(&self.page_alert(alert), NotificationKind::Firing, at)
        };
        self.open.values().filter(is_meant).map(news).collect()
    }

    /// Examines the plans issued at `now`. The same inputs always lead to the same effects.
    pub fn step(&mut self, inputs: &AlertInputs<'_>, now: Timestamp) -> Vec<AlertEffect> {
        let mut needs = needs(inputs, &self.tuning, &self.rules.page, now);
        let open = self.open.keys().filter(|key| key.finding.is_none()).map(|key| &key.scope);
        let scopes: BTreeSet<Scope> = open.chain(needs.keys()).cloned().collect();
        let mut looks = Vec::new();
        for scope in scopes {
            let need = needs.remove(&scope).flatten();
            let key = AlertKey::understaffed(&scope);
            let known = self.open.remove(&key);
            let (alert, look) = match (known, need) {
                (None, None) => continue,
                (known, Some(need)) => {
                    let alert = known.unwrap_or_else(|| begin(&scope, inputs.zone_of(&scope), now));
                    let alert = calmer(alert, need.stays_critical, inputs.as_of(&scope, now));
                    short(alert, &need, inputs, now)
                }
                (Some(alert), None) => {
                    let mut alert = calmer(alert, false, inputs.as_of(&scope, now));
                    alert.streak += 1;
                    no_longer(alert, inputs, now)
                }
            };
            self.open.insert(key, alert);
            looks.push(look);
        }
        self.conclude(&looks, inputs, now)
    }

    /// Decides on pages, resolves alerts that are over, and returns the changed alerts.
    pub(super) fn conclude(
        &mut self,
        looks: &[Look],
        inputs: &AlertInputs<'_>,
        now: Timestamp,
    ) -> Vec<AlertEffect> {
        let mut effects = Vec::new();
        let mut changed = self.page(looks, inputs, now, &mut effects);
        let over = self.end(looks, now, &mut effects);
        over.iter().for_each(|alert| _ = changed.remove(&alert.key()));
        let open = changed.iter().filter_map(|key| self.open.get(key)).cloned();
        effects.extend(open.chain(over).map(AlertEffect::Changed));
        effects
    }

    /// Resolves alerts for which enough consecutive forecasts showed no shortage. A pending alert is resolved at once and
    /// without a page. An alert that leads an incident stays open until the other alerts of the incident are over.
    pub(super) fn end(
        &mut self,
        looks: &[Look],
        now: Timestamp,
        effects: &mut Vec<AlertEffect>,
    ) -> Vec<Alert> {
        let mut over = Vec::new();
        for leads in [false, true] {
            for look in looks.iter().filter(|look| !look.is_short) {
                let Some(alert) = self.open.get(&look.key) else { continue };
                let is_over = alert.state == AlertState::Pending || alert.streak >= RESOLVE_AFTER;
                let is_last = !leads || self.members(&alert.id).count() <= 1;
                if alert.leads() != leads || !is_over || !is_last {
                    continue;
                }
                let mut page = self.page_alert(alert);
                let Some(mut alert) = self.open.remove(&look.key) else { continue };
                alert.state = AlertState::Resolved;
                alert.ended_at = Some(alert.updated_at);
                alert.paging.held = None;
                (page.state, page.ended_at) = (alert.state, alert.ended_at);
                if leads && alert.notified_at.is_some() {
                    let page = notice(&page, NotificationKind::Resolved, now);
                    effects.push(AlertEffect::Notify(page));
                }
                if alert.finding.is_some() && alert.streak >= RESOLVE_AFTER {
                    self.rest(&alert);
                }
                over.push(alert);
            }
        }
        over
    }

    /// Examines only the plans that nowcasts changed within a window. This can begin and escalate alerts, but not resolve them.
    /// An alert whose shortage is gone says so.
    pub fn nowcast(&mut self, inputs: &AlertInputs<'_>, now: Timestamp) -> Vec<AlertEffect> {
        let mut effects = Vec::new();
        let mut looks = Vec::new();
        for (scope, need) in needs(inputs, &self.tuning, &self.rules.page, now) {
            let key = AlertKey::understaffed(&scope);
            let known = self.open.remove(&key);
            let (alert, look) = match (known, need) {
                (None, None) => continue,
                (known, Some(need)) => {
                    let alert = known.unwrap_or_else(|| begin(&scope, inputs.zone_of(&scope), now));
                    short(alert, &need, inputs, now)
                }
                (Some(alert), None) => no_longer(alert, inputs, now),
            };
            self.open.insert(key, alert);
            looks.push(look);
        }
        let changed = self.page(&looks, inputs, now, &mut effects);
        let open = changed.iter().filter_map(|key| self.open.get(key)).cloned();
        effects.extend(open.map(AlertEffect::Changed));
        effects
    }

    /// Acknowledges an alert and the other alerts of its incident. Returns the changed alerts, the given one first; `None` if
    /// there is no such open alert.
    pub fn acknowledge(&mut self, id: &str, by: &str, now: Timestamp) -> Option<Vec<Alert>> {
        let incident = self.open.values().find(|alert| alert.id == id)?.incident_id().to_owned();
        let mut taken = Vec::new();
        for alert in self.open.values_mut().filter(|alert| alert.incident_id() == incident) {
            if alert.state == AlertState::Firing {
                alert.state = AlertState::Acknowledged;
            }
            // The first acknowledgement is kept, because others rely on that person.
            alert.acknowledged_by.get_or_insert_with(|| by.to_owned());
            alert.acknowledged_at.get_or_insert(now);
            alert.updated_at = alert.updated_at.max(now);
            taken.push(alert.clone());
        }
        taken.sort_by_key(|alert| alert.id != id);
        Some(taken)
    }

    /// Another page of an alert that fires and that nobody has acknowledged: to a receiver that was not notified of it yet, or
    /// as a reminder. `None` if the alert is not open any more.
    pub fn page_again(
        &self,
        id: &str,
        kind: NotificationKind,
        now: Timestamp,
    ) -> Option<Notification> {
        let open = self.open.values().find(|alert| alert.id == id)?;
        let is_meant = open.state == AlertState::Firing && open.leads();
        let mut page = self.page_alert(open);
        page.trend.next_at = self.next_forecast(page.trend.next_at, now);
        is_meant.then(|| notice(&page, kind, now))
    }
}

/// A page that tests whether a receiver is reached. It has no stored alert.
pub fn test_page(scope: &Scope, kind: NotificationKind, now: Timestamp) -> Notification {
    let is_over = kind == NotificationKind::Resolved;
    let alert = Alert {
        id: format!("{TEST_RULE}.{}", now.secs()),
        rule: TEST_RULE.into(),
        state: if is_over { AlertState::Resolved } else { AlertState::Firing },
        ended_at: is_over.then_some(now),
        to: now + ESCALATE_AFTER,
        ..begin(scope, Zone::UTC, now)
    };
    notice(&alert, kind, now)
}

/// The alert that the notification of a report contains, because every notification has one.
pub(super) fn report_alert(id: String, zone: Zone, due: Timestamp, to: Timestamp) -> Alert {
    let scope = Scope { region: Name::all(), service: Name::all() };
    let state = AlertState::Resolved;
    Alert { id, rule: REPORT_RULE.into(), state, to, ..begin(&scope, zone, due) }
}

/// A new alert; its id consists of rule, scope and start.
pub(super) fn begin(scope: &Scope, zone: Zone, now: Timestamp) -> Alert {
    Alert {
        id: format!("{UNDERSTAFFED}.{}.{}.{}", scope.region, scope.service, now.secs()),
        rule: UNDERSTAFFED.into(),
        severity: AlertSeverity::Warning,
        scope: scope.clone(),
        state: AlertState::Pending,
        since: now,
        updated_at: now,
        ended_at: None,
        from: now,
        to: now,
        agents_short: 0,
        shortfalls: Vec::new(),
        because: Vec::new(),
        zone,
        acknowledged_by: None,
        acknowledged_at: None,
        worst: None,
        feedback: None,
        streak: 0,
        notified_gap: 0,
        notified_at: None,
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Paging::default(),
        recommended: Vec::new(),
        finding: None,
        notes: Notes::default(),
    }
}

/// Takes a plan with too few agents.
fn short(mut alert: Alert, need: &Need, inputs: &AlertInputs<'_>, now: Timestamp) -> (Alert, Look) {
    let was_critical = alert.severity == AlertSeverity::Critical;
    let is_pending = alert.state == AlertState::Pending;
    // An alert that fires turns critical with a page, so not before that is sure enough.
    let may_turn = is_pending || was_critical || need.worth.is_escalation;
    let is_critical = need.critical && may_turn;
    if is_critical {
        alert.severity = AlertSeverity::Critical;
    }
    facts(&mut alert, inputs, now);
    (alert.from, alert.to) = need.span().unwrap_or((alert.from, alert.to));
    alert.agents_short = need.gap();
    alert.steps.clone_from(&need.steps);
    alert.shortfalls.clone_from(&need.shortfalls);
    alert.notes.left_over.clone_from(&need.left_over);
    alert.notes.below_limits.clear();
    alert.notes.incident_below_limits.clear();
    if alert.worst.as_ref().is_none_or(|worst| worst.agents_short < alert.agents_short) {
        alert.worst = Some(alert.as_it_is());
    }
    let is_page = need.worth.is_page;
    alert.streak = if is_pending && is_page { alert.streak + 1 } else { 0 };
    let is_sure = need.worth.is_urgent || inputs.is_confirmed(&alert.scope);
    let fires = is_pending && is_page && (alert.streak >= FIRE_AFTER || is_sure);
    if fires {
        alert.state = AlertState::Firing;
        alert.streak = 0;
    }
    let turned = is_critical && (fires || !was_critical);
    let may_escalate = need.worth.is_escalation;
    let look = Look { key: alert.key(), fires, turned, is_short: true, may_escalate };
    (alert, look)
}

/// Updates what every open alert shows as of the newest forecast, with or without a shortage.
pub(super) fn facts(alert: &mut Alert, inputs: &AlertInputs<'_>, now: Timestamp) {
    let as_of = inputs.as_of(&alert.scope, now);
    alert.updated_at = as_of;
    alert.zone = inputs.zone_of(&alert.scope);
    alert.because = match &alert.finding {
        Some(_) => causes::causes(&alert.scope, &inputs.alarms, &inputs.known),
        None => causes::causes(&alert.scope, &inputs.explaining(&alert.scope), &inputs.known),
    };
    alert.trend.as_of = Some(as_of);
    alert.trend.next_at = Some(inputs.next_at());
    alert.notes.complaints_upto = Some(inputs.finalized_upto).filter(|upto| *upto < as_of);
}

/// Stores how many agents the alert lacks, and the services of the incident that it leads, even if the numbers are below the
/// limits.
fn note_below_limits(alert: &mut Alert, inputs: &AlertInputs<'_>, now: Timestamp) {
    let of = |scope: &Scope| all_missing(inputs, scope, inputs.as_of(scope, now));
    let own = of(&alert.scope);
    let others = alert.paging.others.iter();
    let others = others.map(|part| Part { need: of(&part.scope), ..part.clone() });
    let mut parts: Vec<Part> = others.collect();
    alert.notes.incident_below_limits.clear();
    if !parts.is_empty() {
        parts.push(Part { need: own.clone(), ..Part::of(alert) });
        alert.notes.incident_below_limits = together(&parts);
    }
    alert.notes.below_limits = own;
}

/// The newest forecast shows no shortage.
fn no_longer(mut alert: Alert, inputs: &AlertInputs<'_>, now: Timestamp) -> (Alert, Look) {
    facts(&mut alert, inputs, now);
    alert.agents_short = 0;
    alert.steps.clear();
    alert.shortfalls.clear();
    alert.notes.left_over.clear();
    note_below_limits(&mut alert, inputs, now);
    let key = alert.key();
    (alert, Look { key, fires: false, turned: false, is_short: false, may_escalate: false })
}

/// Lowers the severity once enough consecutive forecasts were clearly less than critical.
fn calmer(mut alert: Alert, stays_critical: bool, as_of: Timestamp) -> Alert {
    let is_calm = alert.severity == AlertSeverity::Critical && !stays_critical;
    alert.trend.calm = if is_calm { alert.trend.calm + 1 } else { 0 };
    if alert.trend.calm >= EASE_AFTER {
        alert.severity = AlertSeverity::Warning;
        alert.trend.calm = 0;
        alert.trend.eased_at = Some(as_of);
    }
    alert
}

/// The page of an alert. The same decision always gets the same id.
pub(super) fn notice(alert: &Alert, kind: NotificationKind, now: Timestamp) -> Notification {
    let word = match kind {
        NotificationKind::Firing => "firing",
        NotificationKind::Escalated => "worse",
        NotificationKind::Resolved => "resolved",
        NotificationKind::Reminder => "reminder",
        NotificationKind::Report => "due",
    };
    let id = format!("{}.{word}.{}", alert.id, now.secs());
    Notification { id, kind, alert: alert.clone(), report: None }
}
