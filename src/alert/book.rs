//! The life of alerts: pending, firing, acknowledged, resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::causes;
use super::known::Known;
use super::need::{Need, needs};
use super::{ActiveAlarm, Alert, AlertSeverity, AlertState, Notification, NotificationKind, Trend};
use crate::anomaly::EarlySign;
use crate::domain::{Name, Scope, Timestamp, WindowWidth, Zone};
use crate::forecast::Vintage;
use crate::staffing::Plan;

/// The rule's name in alerts.
const RULE: &str = "understaffed";
/// Of pages that test a receiver.
pub(super) const TEST_RULE: &str = "page-test";
/// The rule of what stands for an alert in the notification of a report.
pub(super) const REPORT_RULE: &str = "report";
/// All rules that begin alerts.
pub const RULES: &[&str] = &[RULE];
/// Number of consecutive vintages that must agree before an alert fires, and before it is resolved.
const FIRE_AFTER: u32 = 2;
const RESOLVE_AFTER: u32 = 4;
/// Number of consecutive forecasts that must be clearly less than critical before the severity falls.
const EASE_AFTER: u32 = 2;
/// Complaints with this score (one in ten thousand) confirm a gap: the alert is sent at once.
const CONFIRMS: f64 = 4.0;
/// An alert escalates if the gap has grown by this factor and this many agents, this long after the last page.
const WORSE_SHARE: f64 = 1.5;
const WORSE_BY: i32 = 3;
const WORSE_AFTER: Duration = Duration::from_secs(1800);

/// Plan and vintage of one leaf series.
pub struct SeriesNeed<'a> {
    pub plan: &'a Plan,
    pub vintage: &'a Vintage,
}

/// Input of a step, all as of the same instant.
pub struct AlertInputs<'a> {
    pub needs: Vec<SeriesNeed<'a>>,
    /// Alarms that are active as of the newest forecast of their scope.
    pub alarms: Vec<ActiveAlarm>,
    /// Issue times of newer forecasts, whose plans are among `needs`, by scope.
    pub newer: BTreeMap<Scope, Timestamp>,
    /// Causes besides alarms.
    pub known: Known,
    /// Scopes with more complaints than usual.
    pub complaints: Vec<EarlySign>,
    pub width: WindowWidth,
    pub zones: &'a BTreeMap<Name, Zone>,
    /// The time zone of regions without their own.
    pub zone: Zone,
}

/// Effects that the shell carries out.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertEffect {
    /// Store and show an alert.
    Changed(Alert),
    /// Send a notification.
    Notify(Notification),
}

/// Open alerts: one per rule and scope, so that a shift lead gets one page and not forty.
#[derive(Clone, Debug, Default)]
pub struct AlertBook {
    open: BTreeMap<Scope, Alert>,
}

impl AlertInputs<'_> {
    /// The time as of which the facts of a scope hold, in a step at `now`.
    pub(super) fn as_of(&self, scope: &Scope, now: Timestamp) -> Timestamp {
        self.newer.get(scope).copied().unwrap_or(now).max(now)
    }

    fn zone_of(&self, scope: &Scope) -> Zone {
        self.zones.get(&scope.region).copied().unwrap_or(self.zone)
    }

    fn is_confirmed(&self, scope: &Scope) -> bool {
        self.complaints.iter().any(|sign| sign.scope == *scope && sign.score >= CONFIRMS)
    }
}

impl AlertBook {
    /// Restores stored alerts; resolved ones are left out.
    pub fn restore(alerts: Vec<Alert>) -> Self {
        let open = alerts.into_iter().filter(|alert| alert.state != AlertState::Resolved);
        Self { open: open.map(|alert| (alert.scope.clone(), alert)).collect() }
    }

    /// Open alerts.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values()
    }

    /// Notifications of firing alerts that nobody has acknowledged, after a start.
    pub fn pending_notifications(&self) -> Vec<Notification> {
        let firing = self.open.values().filter(|alert| alert.state == AlertState::Firing);
        let news = |alert: &Alert| {
            notice(alert, NotificationKind::Firing, alert.notified_at.unwrap_or(alert.updated_at))
        };
        firing.map(news).collect()
    }

    /// Examines the plans issued at `now`. The same inputs always lead to the same effects.
    pub fn step(&mut self, inputs: &AlertInputs<'_>, now: Timestamp) -> Vec<AlertEffect> {
        let mut needs = needs(inputs, now);
        let mut effects = Vec::new();
        let scopes: BTreeSet<Scope> = self.open.keys().chain(needs.keys()).cloned().collect();
        for scope in scopes {
            let need = needs.remove(&scope).flatten();
            match (self.open.remove(&scope), need) {
                (None, None) => {}
                (known, Some(need)) => {
                    let alert = known.unwrap_or_else(|| begin(&scope, inputs.zone_of(&scope), now));
                    let alert = calmer(alert, need.stays_critical, inputs.as_of(&scope, now));
                    let alert = short(alert, &need, inputs, now, &mut effects);
                    self.open.insert(scope, alert);
                }
                (Some(alert), None) => {
                    let alert = calmer(alert, false, inputs.as_of(&scope, now));
                    if let Some(alert) = enough(alert, inputs, now, &mut effects) {
                        self.open.insert(scope, alert);
                    }
                }
            }
        }
        effects
    }

    /// Examines only plans that nowcasts changed within a window: it can begin and escalate alerts,
    /// but not end them. An alert whose shortage is gone says so.
    pub fn nowcast(&mut self, inputs: &AlertInputs<'_>, now: Timestamp) -> Vec<AlertEffect> {
        let mut effects = Vec::new();
        for (scope, need) in needs(inputs, now) {
            let known = self.open.remove(&scope);
            let alert = match (known, need) {
                (None, None) => continue,
                (known, Some(need)) => {
                    let alert = known.unwrap_or_else(|| begin(&scope, inputs.zone_of(&scope), now));
                    short(alert, &need, inputs, now, &mut effects)
                }
                (Some(mut alert), None) => {
                    no_longer(&mut alert, inputs, now);
                    effects.push(AlertEffect::Changed(alert.clone()));
                    alert
                }
            };
            self.open.insert(scope, alert);
        }
        effects
    }

    /// Acknowledges an alert. `None` if there is no such open alert.
    pub fn acknowledge(&mut self, id: &str, by: &str, now: Timestamp) -> Option<Alert> {
        let alert = self.open.values_mut().find(|alert| alert.id == id)?;
        if alert.state == AlertState::Firing {
            alert.state = AlertState::Acknowledged;
        }
        // The first stays: others rely on that person.
        alert.acknowledged_by.get_or_insert_with(|| by.to_owned());
        alert.acknowledged_at.get_or_insert(now);
        alert.updated_at = alert.updated_at.max(now);
        Some(alert.clone())
    }

    /// A further page of an alert that fires and that nobody has acknowledged: to someone who has heard nothing of it, or
    /// as a reminder. `None` if there is no such alert any more.
    pub fn page_again(
        &self,
        id: &str,
        kind: NotificationKind,
        now: Timestamp,
    ) -> Option<Notification> {
        let open = self.open.values().find(|alert| alert.id == id)?;
        (open.state == AlertState::Firing).then(|| notice(open, kind, now))
    }

    /// Stores feedback on an alert. `None` if there is no such open alert.
    pub fn feedback(&mut self, id: &str, text: &str) -> Option<Alert> {
        let alert = self.open.values_mut().find(|alert| alert.id == id)?;
        alert.feedback = Some(text.to_owned());
        Some(alert.clone())
    }
}

/// A page that tests whether a receiver is reached; no alert is behind it.
pub fn test_page(scope: &Scope, kind: NotificationKind, now: Timestamp) -> Notification {
    let is_over = kind == NotificationKind::Resolved;
    let alert = Alert {
        id: format!("{TEST_RULE}.{}", now.secs()),
        rule: TEST_RULE.into(),
        state: if is_over { AlertState::Resolved } else { AlertState::Firing },
        ended_at: is_over.then_some(now),
        to: now + WORSE_AFTER,
        ..begin(scope, Zone::UTC, now)
    };
    notice(&alert, kind, now)
}

/// What stands for an alert in the notification of a report.
pub(super) fn report_alert(id: String, zone: Zone, due: Timestamp, to: Timestamp) -> Alert {
    let scope = Scope { region: Name::all(), service: Name::all() };
    let state = AlertState::Resolved;
    Alert { id, rule: REPORT_RULE.into(), state, to, ..begin(&scope, zone, due) }
}

/// A new alert; its id consists of rule, scope and start.
fn begin(scope: &Scope, zone: Zone, now: Timestamp) -> Alert {
    Alert {
        id: format!("{RULE}.{}.{}.{}", scope.region, scope.service, now.secs()),
        rule: RULE.into(),
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
        recommended: Vec::new(),
    }
}

/// Takes a plan with too few agents.
fn short(
    mut alert: Alert,
    need: &Need,
    inputs: &AlertInputs<'_>,
    now: Timestamp,
    effects: &mut Vec<AlertEffect>,
) -> Alert {
    let was_critical = alert.severity == AlertSeverity::Critical;
    if need.critical {
        alert.severity = AlertSeverity::Critical;
    }
    facts(&mut alert, inputs, now);
    (alert.from, alert.to) = need.span().unwrap_or((alert.from, alert.to));
    alert.agents_short = need.gap();
    alert.steps.clone_from(&need.steps);
    alert.shortfalls.clone_from(&need.shortfalls);
    if alert.worst.as_ref().is_none_or(|worst| worst.agents_short < alert.agents_short) {
        alert.worst = Some(alert.as_it_is());
    }
    let told = match alert.state {
        AlertState::Pending => {
            alert.streak += 1;
            let is_sure = need.critical || inputs.is_confirmed(&alert.scope);
            let fires = alert.streak >= FIRE_AFTER || is_sure;
            if fires {
                alert.state = AlertState::Firing;
                alert.streak = 0;
            }
            fires.then_some(NotificationKind::Firing)
        }
        AlertState::Firing | AlertState::Acknowledged => {
            alert.streak = 0;
            let is_due = alert.notified_at.is_none_or(|at| now.since(at) >= WORSE_AFTER);
            let grown = f64::from(alert.agents_short)
                >= WORSE_SHARE * f64::from(alert.notified_gap)
                && alert.agents_short >= alert.notified_gap + WORSE_BY
                && is_due;
            // No second page if it was critical a short while ago.
            let turned =
                need.critical && !was_critical && (alert.trend.eased_at.is_none() || is_due);
            (turned || grown).then_some(NotificationKind::Escalated)
        }
        AlertState::Resolved => None,
    };
    if let Some(kind) = told {
        alert.notified_gap = alert.agents_short;
        alert.notified_at = Some(now);
        effects.push(AlertEffect::Notify(notice(&alert, kind, now)));
    }
    effects.push(AlertEffect::Changed(alert.clone()));
    alert
}

/// Updates what every open alert shows as of the newest forecast, with or without a shortage.
fn facts(alert: &mut Alert, inputs: &AlertInputs<'_>, now: Timestamp) {
    let as_of = inputs.as_of(&alert.scope, now);
    alert.updated_at = as_of;
    alert.zone = inputs.zone_of(&alert.scope);
    alert.because = causes::causes(&alert.scope, &inputs.alarms, &inputs.known);
    alert.trend.as_of = Some(as_of);
    alert.trend.next_at = Some(inputs.width.end(inputs.width.floor(as_of)));
}

/// The newest forecast shows no shortage.
fn no_longer(alert: &mut Alert, inputs: &AlertInputs<'_>, now: Timestamp) {
    facts(alert, inputs, now);
    alert.agents_short = 0;
    alert.steps.clear();
    alert.shortfalls.clear();
}

/// Lets the severity fall once enough forecasts in a row were clearly less than critical.
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

/// A vintage without a shortage. `None` if the alert is over; a pending one ends without a page.
fn enough(
    mut alert: Alert,
    inputs: &AlertInputs<'_>,
    now: Timestamp,
    effects: &mut Vec<AlertEffect>,
) -> Option<Alert> {
    alert.streak += 1;
    no_longer(&mut alert, inputs, now);
    let was_told = alert.notified_at.is_some();
    let over = !was_told || alert.streak >= RESOLVE_AFTER;
    if over {
        alert.state = AlertState::Resolved;
        alert.ended_at = Some(alert.updated_at);
        if was_told {
            effects.push(AlertEffect::Notify(notice(&alert, NotificationKind::Resolved, now)));
        }
    }
    effects.push(AlertEffect::Changed(alert.clone()));
    (!over).then_some(alert)
}

fn notice(alert: &Alert, kind: NotificationKind, now: Timestamp) -> Notification {
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
