//! The life of alerts: pending, firing, acknowledged, resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::causes;
use super::known::Known;
use super::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Notification, NotificationKind, Shortfall,
};
use crate::anomaly::EarlySign;
use crate::domain::{Name, Scope, Timestamp, WindowWidth, Zone};
use crate::forecast::Vintage;
use crate::staffing::Plan;

/// The rule's name in alerts.
const RULE: &str = "understaffed";
/// Of pages that test a receiver.
pub(super) const TEST_RULE: &str = "page-test";
/// All rules that begin alerts.
pub const RULES: &[&str] = &[RULE];
/// Smallest gap that counts: in agents, and as a share of the agents on the roster.
const GAP_MIN: i32 = 3;
const GAP_SHARE: f64 = 0.2;
/// Number of consecutive windows that must have too few agents.
const WINDOWS_MIN: usize = 2;
/// Smallest gap of a critical alert, which is sent at once.
const CRITICAL_GAP: i32 = 5;
const CRITICAL_SHARE: f64 = 0.4;
/// Number of consecutive vintages that must agree before an alert fires, and before it is resolved.
const FIRE_AFTER: u32 = 2;
const RESOLVE_AFTER: u32 = 4;
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
    pub alarms: Vec<ActiveAlarm>,
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

/// The shortage of one scope.
struct Need {
    shortfalls: Vec<Shortfall>,
    from: Timestamp,
    to: Timestamp,
    critical: bool,
}

impl Need {
    fn gap(&self) -> i32 {
        self.shortfalls.iter().map(|s| s.gap).sum()
    }
}

impl AlertInputs<'_> {
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
        let mut needs = needs(inputs);
        let mut effects = Vec::new();
        let scopes: BTreeSet<Scope> = self.open.keys().chain(needs.keys()).cloned().collect();
        for scope in scopes {
            let need = needs.remove(&scope);
            let zone = inputs.zones.get(&scope.region).copied().unwrap_or(inputs.zone);
            match (self.open.remove(&scope), need) {
                (None, None) => {}
                (known, Some(need)) => {
                    let alert = known.unwrap_or_else(|| begin(&scope, zone, now));
                    let alert = self.short(alert, &need, inputs, zone, now, &mut effects);
                    self.open.insert(scope, alert);
                }
                (Some(alert), None) => {
                    if let Some(alert) = enough(alert, now, &mut effects) {
                        self.open.insert(scope, alert);
                    }
                }
            }
        }
        effects
    }

    /// Examines only plans that nowcasts changed within a window: it can begin and escalate alerts,
    /// but not end them.
    pub fn nowcast(&mut self, inputs: &AlertInputs<'_>, now: Timestamp) -> Vec<AlertEffect> {
        let mut effects = Vec::new();
        for (scope, need) in needs(inputs) {
            let zone = inputs.zones.get(&scope.region).copied().unwrap_or(inputs.zone);
            let alert = self.open.remove(&scope).unwrap_or_else(|| begin(&scope, zone, now));
            let alert = self.short(alert, &need, inputs, zone, now, &mut effects);
            self.open.insert(scope, alert);
        }
        effects
    }

    fn short(
        &self,
        mut alert: Alert,
        need: &Need,
        inputs: &AlertInputs<'_>,
        zone: Zone,
        now: Timestamp,
        effects: &mut Vec<AlertEffect>,
    ) -> Alert {
        let was_critical = alert.severity == AlertSeverity::Critical;
        if need.critical {
            alert.severity = AlertSeverity::Critical;
        }
        alert.updated_at = now;
        (alert.from, alert.to) = (need.from, need.to);
        alert.agents_short = need.gap();
        alert.shortfalls.clone_from(&need.shortfalls);
        alert.zone = zone;
        alert.because = causes::causes(&alert.scope, &inputs.alarms, &inputs.known);
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
                let grown = f64::from(alert.agents_short)
                    >= WORSE_SHARE * f64::from(alert.notified_gap)
                    && alert.agents_short >= alert.notified_gap + WORSE_BY
                    && alert.notified_at.is_none_or(|at| now.since(at) >= WORSE_AFTER);
                let turned = need.critical && !was_critical;
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
        recommended: Vec::new(),
    }
}

/// A vintage without a shortage. `None` if a pending alert ends without a page.
fn enough(mut alert: Alert, now: Timestamp, effects: &mut Vec<AlertEffect>) -> Option<Alert> {
    alert.streak += 1;
    alert.updated_at = now;
    let was_told = alert.notified_at.is_some();
    let over = !was_told || alert.streak >= RESOLVE_AFTER;
    if over {
        alert.state = AlertState::Resolved;
        alert.ended_at = Some(now);
        alert.agents_short = 0;
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
    };
    Notification { id: format!("{}.{word}.{}", alert.id, now.secs()), kind, alert: alert.clone() }
}

/// Scopes with too few agents, with their series.
fn needs(inputs: &AlertInputs<'_>) -> BTreeMap<Scope, Need> {
    let mut needs: BTreeMap<Scope, Need> = BTreeMap::new();
    for need in &inputs.needs {
        let Some((shortfall, from, to, critical)) = shortfall(need, inputs.width) else { continue };
        let scope = need.plan.series.scope();
        let sum = needs.entry(scope).or_insert(Need {
            shortfalls: Vec::new(),
            from,
            to,
            critical: false,
        });
        sum.shortfalls.push(shortfall);
        sum.from = sum.from.min(from);
        sum.to = sum.to.max(to);
        sum.critical |= critical;
    }
    for need in needs.values_mut() {
        need.shortfalls.sort_by(|a, b| b.gap.cmp(&a.gap).then_with(|| a.series.cmp(&b.series)));
    }
    needs
}

/// The worst window of a series that has too few agents for long enough, and the span of its shortage.
fn shortfall(
    need: &SeriesNeed<'_>,
    width: WindowWidth,
) -> Option<(Shortfall, Timestamp, Timestamp, bool)> {
    let present = |t: &crate::staffing::PlanTarget| {
        t.scheduled.unwrap_or(t.agents.saturating_add_signed(t.gap.saturating_neg()))
    };
    let targets = &need.plan.targets;
    let short: Vec<bool> = targets
        .iter()
        .map(|t| t.gap >= GAP_MIN && f64::from(t.gap) >= GAP_SHARE * f64::from(present(t)))
        .collect();
    let runs = short.windows(WINDOWS_MIN).position(|run| run.iter().all(|short| *short))?;
    let last = short.windows(WINDOWS_MIN).rposition(|run| run.iter().all(|short| *short))?;
    let (from, to) = (&targets[runs], &targets[last + WINDOWS_MIN - 1]);
    let worst = targets.iter().zip(&short).filter(|(_, short)| **short).map(|(t, _)| t);
    // The first of equally bad windows: the one to act on.
    let worst = worst.reduce(|a, b| if b.gap > a.gap { b } else { a })?;
    let forecast = need.vintage.targets.iter().find(|t| t.start == worst.start)?;
    let critical = worst.gap >= CRITICAL_GAP
        && f64::from(worst.gap) >= CRITICAL_SHARE * f64::from(present(worst));
    let shortfall = Shortfall {
        series: need.plan.series.clone(),
        at: worst.start,
        arrivals: worst.arrivals,
        arrivals_low: forecast.quantiles[1],
        arrivals_high: forecast.quantiles[5],
        agents: worst.agents,
        scheduled: present(worst),
        gap: worst.gap,
        rostered: worst.scheduled.is_some(),
    };
    Some((shortfall, from.start, width.end(to.start), critical))
}
