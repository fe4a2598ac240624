//! The life of alerts with a finding: the part that is the same for all rules.
//!
//! An alert begins when the level of its rule reaches the threshold, fires once it has stayed there for `for`, goes on while the level is
//! at least `clear_below`, and is resolved after the same number of windows as a lack of agents. It does not fire again within the
//! cool-down. Everything is a function of event time and the stored alerts, so a restart changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::book::{AlertBook, AlertEffect, RESOLVE_AFTER, begin, facts};
use super::inputs::AlertInputs;
use super::key::AlertKey;
use super::paging::Look;
use super::rules::{RuleInputs, RuleLimits, RuleSet, Sighting};
use super::tuning::limit_factor;
use super::{Alert, AlertSeverity, AlertState, Cause, Finding};
use crate::domain::{HOUR, Timestamp};
use crate::text::Stored;

/// A sighting, and the limits of its rule after people's feedback.
type Seen = BTreeMap<AlertKey, (Sighting, RuleLimits)>;

impl AlertBook {
    /// Sets the limits of the rules.
    #[must_use]
    pub fn with_rules(mut self, rules: Arc<RuleSet>) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the alerts that ended recently: another alert with the same key has to wait for the cool-down.
    #[must_use]
    pub fn after(mut self, ended: impl Iterator<Item = Alert>) -> Self {
        for alert in ended.filter(|alert| alert.streak >= RESOLVE_AFTER) {
            self.rest(&alert);
        }
        self
    }

    /// Starts the cool-down after an alert: until its end no alert with the same key fires.
    pub(super) fn rest(&mut self, alert: &Alert) {
        let Some(limits) = self.rules.limits(&alert.rule) else { return };
        let until = alert.ended_at.unwrap_or(alert.updated_at) + limits.cool_down;
        let known = self.rests.entry(alert.key()).or_insert(until);
        *known = until.max(*known);
    }

    /// Lets all rules look at a finalized window. Call it after [`Self::step`] of that window: alerts of missing agents inhibit others.
    pub fn examine(
        &mut self,
        inputs: &AlertInputs<'_>,
        seen: &RuleInputs<'_>,
        now: Timestamp,
    ) -> Vec<AlertEffect> {
        self.rests.retain(|_, until| *until > now);
        let mut seen = self.sightings(seen);
        let open = self.open.keys().filter(|key| key.finding.is_some());
        let keys: BTreeSet<AlertKey> = open.chain(seen.keys()).cloned().collect();
        let mut looks = Vec::new();
        for key in keys {
            let sighting = seen.remove(&key);
            let (alert, look) = match (self.open.remove(&key), sighting) {
                (None, Some((sighting, limits))) if sighting.begins(&limits) => {
                    let alert = begin_of(&key, inputs, now);
                    self.found(alert, &sighting, &limits, inputs, now)
                }
                (Some(alert), Some((sighting, limits))) if goes_on(&alert, &sighting, &limits) => {
                    self.found(alert, &sighting, &limits, inputs, now)
                }
                (Some(alert), seen) => no_more(alert, seen.map(|(seen, _)| seen), inputs, now),
                (None, _) => continue,
            };
            self.open.insert(key, alert);
            looks.push(look);
        }
        self.conclude(&looks, inputs, now)
    }

    /// The sighting with the highest level for each alert key.
    fn sightings(&self, inputs: &RuleInputs<'_>) -> Seen {
        let mut seen = Seen::new();
        for (rule, sighting) in self.rules.look(inputs) {
            let Some(limits) = self.rules.limits(rule) else { continue };
            let key = AlertKey::of_rule(rule, &sighting.scope, sighting.label.as_deref());
            let factor = limit_factor(self.tuning.get(&key).copied().unwrap_or(0));
            match seen.get(&key) {
                Some((known, _)) if known.level >= sighting.level => {}
                _ => _ = seen.insert(key, (sighting, limits.tuned(factor))),
            }
        }
        seen
    }

    /// Begins or updates an alert for what a rule found.
    fn found(
        &self,
        mut alert: Alert,
        sighting: &Sighting,
        limits: &RuleLimits,
        inputs: &AlertInputs<'_>,
        now: Timestamp,
    ) -> (Alert, Look) {
        shared_facts(&mut alert, inputs, now);
        alert.severity = limits.severity;
        (alert.from, alert.to) = sighting.span.unwrap_or((alert.since, now + HOUR));
        let key = alert.key();
        let peak = alert.finding.as_ref().map_or(0.0, |known| known.peak).max(sighting.level);
        let facts = sighting.facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone()));
        alert.finding = Some(Box::new(Finding {
            label: sighting.label.clone(),
            level: sighting.level,
            threshold: limits.threshold,
            peak,
            variant: sighting.variant.map(str::to_owned),
            facts: facts.collect(),
            is_over: false,
            inhibited_by: self.inhibitor(&alert).map(|other| other.id.clone()),
        }));
        if peak <= sighting.level {
            alert.worst = Some(alert.as_it_is());
        }
        alert.streak = 0;
        let is_rested = self.rests.get(&key).is_none_or(|until| *until <= now);
        let held: Duration = now.since(alert.since);
        let fires = alert.state == AlertState::Pending && held >= limits.hold && is_rested;
        if fires {
            alert.state = AlertState::Firing;
        }
        (alert, Look { key, fires, turned: false, is_short: true, may_escalate: true })
    }

    /// The alert of missing agents that sends the pages of the same outage as this alert.
    pub(super) fn inhibitor(&self, alert: &Alert) -> Option<&Alert> {
        alert.finding.as_ref().filter(|found| found.label.is_none())?;
        // If several places are concerned, the cause may be another one than too few agents in one of them.
        let is_there = |other: &Alert| alert.scope == other.scope;
        let short = self.open.values().filter(|other| other.finding.is_none());
        let active = short.filter(|other| other.is_active() && is_there(other));
        active.min_by_key(|other| (other.since, other.id.as_str()))
    }
}

/// Whether an open alert goes on, given what its rule finds now. A pending alert has to meet the conditions of its beginning.
fn goes_on(alert: &Alert, sighting: &Sighting, limits: &RuleLimits) -> bool {
    match alert.state {
        AlertState::Pending => sighting.begins(limits),
        _ => sighting.level >= limits.clear_below,
    }
}

/// A new alert of a rule.
fn begin_of(key: &AlertKey, inputs: &AlertInputs<'_>, now: Timestamp) -> Alert {
    let (rule, label) = key.finding.clone().unwrap_or_default();
    let scope = &key.scope;
    let about = label.as_ref().map(|label| format!(".{label}")).unwrap_or_default();
    Alert {
        id: format!("{rule}.{}.{}{about}.{}", scope.region, scope.service, now.secs()),
        rule,
        severity: AlertSeverity::Info,
        finding: Some(Box::new(Finding { label, ..Finding::default() })),
        ..begin(scope, inputs.zone_of(scope), now)
    }
}

/// The newest window no longer shows what the alert is about, or its level is below `clear_below`.
fn no_more(
    mut alert: Alert,
    seen: Option<Sighting>,
    inputs: &AlertInputs<'_>,
    now: Timestamp,
) -> (Alert, Look) {
    shared_facts(&mut alert, inputs, now);
    alert.streak += 1;
    if let Some(found) = &mut alert.finding {
        found.is_over = true;
        found.level = seen.map_or(0.0, |seen| seen.level);
    }
    let key = alert.key();
    (alert, Look { key, fires: false, turned: false, is_short: false, may_escalate: true })
}

/// Updates what every alert shows. Only alerts of missing agents say that no alarm is active.
fn shared_facts(alert: &mut Alert, inputs: &AlertInputs<'_>, now: Timestamp) {
    facts(alert, inputs, now);
    alert.because.retain(|cause| *cause != Stored::Value(Cause::NoAlarm));
}
