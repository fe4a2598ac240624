//! The rules of alerts besides the lack of agents.
//!
//! One file per rule. A new one is a file with a type that implements [`Rule`], its `mod` line, its place in [`ALL`], and its
//! texts (`rule-NAME-…` in `rules.ftl`). A rule looks at one finalized window and returns the level of what it measures. `for`,
//! hysteresis, cool-down, pages and silences are the same for all rules: `examine.rs`.

mod alarm_storm;
mod anomaly_now;
mod backlog_growing;
mod forecast_unreliable;
mod inputs;
mod silent_source;
mod sla_at_risk;
mod surge_ahead;
#[cfg(test)]
mod tests;
mod ticket_deadline;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use inputs::{
    ALARMS_REACH, AlarmActivity, BacklogState, Deadlines, RecentScores, RuleInputs, ServicePlan,
    SourceState,
};

use super::{AlertSeverity, Fact, PageLimits};
use crate::domain::{HOUR, MINUTE, Scope, Timestamp};

/// The rule of missing agents. It is not in the list of the other rules, because its alerts count agents.
pub const UNDERSTAFFED: &str = "understaffed";
/// All rules, in the order of the documentation.
const ALL: [&dyn Rule; 8] = [
    &surge_ahead::SurgeAhead,
    &sla_at_risk::SlaAtRisk,
    &anomaly_now::AnomalyNow,
    &alarm_storm::AlarmStorm,
    &silent_source::SilentSource,
    &forecast_unreliable::ForecastUnreliable,
    &backlog_growing::BacklogGrowing,
    &ticket_deadline::TicketDeadline,
];

/// Names of all rules that begin alerts.
pub fn rule_names() -> Vec<&'static str> {
    [UNDERSTAFFED].into_iter().chain(ALL.iter().map(|rule| rule.name())).collect()
}

/// Names of the rules that `[alerts.rules.NAME]` configures.
pub fn configurable_rules() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.name())
}

/// Whether a receiver that names no rules gets pages of this rule.
pub fn pages_by_default(rule: &str) -> bool {
    ALL.iter().all(|known| known.name() != rule)
}

/// A rule.
pub(super) trait Rule: Sync {
    /// Its name in configs, alerts and the API.
    fn name(&self) -> &'static str;

    /// Its limits unless they are configured.
    fn defaults(&self) -> RuleLimits;

    /// The levels that it finds in a window. A scope that is left out has the level 0.
    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting>;
}

/// When an alert of a rule begins, fires and ends. The unit of the level is the rule's own.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleLimits {
    pub enabled: bool,
    /// The level from which an alert begins.
    pub threshold: f64,
    /// An open alert goes on as long as the level is at least this value.
    pub clear_below: f64,
    /// The minimum number of alarms, tickets, windows or minutes, depending on the rule. Below it no alert begins.
    pub minimum: f64,
    /// How long the level has to stay at the threshold before the alert fires.
    pub hold: Duration,
    /// After an alert ends, another alert with the same key does not fire for this long.
    pub cool_down: Duration,
    pub severity: AlertSeverity,
}

impl RuleLimits {
    /// Limits of a rule that only informs: it fires after a quarter of an hour and has a cool-down of an hour.
    fn of(threshold: f64, clear_below: f64, minimum: f64) -> Self {
        Self {
            enabled: true,
            threshold,
            clear_below,
            minimum,
            hold: 15 * MINUTE,
            cool_down: HOUR,
            severity: AlertSeverity::Info,
        }
    }

    fn warning(self) -> Self {
        Self { severity: AlertSeverity::Warning, ..self }
    }

    fn hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// The limits after people's feedback: the threshold is multiplied by `factor`.
    pub(super) fn tuned(&self, factor: f64) -> Self {
        let threshold = self.threshold * factor;
        Self { threshold, clear_below: self.clear_below.min(threshold), ..self.clone() }
    }
}

/// The limits of all rules, and which of them have pages.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    limits: BTreeMap<&'static str, RuleLimits>,
    /// Rules besides the lack of agents that a receiver names.
    paged: BTreeSet<String>,
    /// How probable a lack of agents has to be for a page.
    pub page: PageLimits,
}

impl Default for RuleSet {
    fn default() -> Self {
        let limits = ALL.iter().map(|rule| (rule.name(), rule.defaults())).collect();
        Self { limits, paged: BTreeSet::new(), page: PageLimits::default() }
    }
}

impl RuleSet {
    /// The limits of a rule, to be changed by the configuration.
    pub fn limits_mut(&mut self, rule: &str) -> Option<&mut RuleLimits> {
        self.limits.get_mut(rule)
    }

    /// The limits of a rule; `None` for an unknown rule.
    pub fn limits(&self, rule: &str) -> Option<&RuleLimits> {
        self.limits.get(rule)
    }

    /// Enables pages for the rules that receivers name.
    #[must_use]
    pub fn paged<'n>(mut self, named: impl Iterator<Item = &'n String>) -> Self {
        self.paged = named.cloned().collect();
        self
    }

    /// Whether pages of a rule are decided at all.
    pub(super) fn has_pages(&self, rule: &str) -> bool {
        pages_by_default(rule) || self.paged.contains(rule)
    }

    /// The sightings of all enabled rules, by rule.
    pub(super) fn look(&self, inputs: &RuleInputs<'_>) -> Vec<(&'static str, Sighting)> {
        let mut seen = Vec::new();
        for rule in ALL {
            let Some(limits) = self.limits(rule.name()).filter(|limits| limits.enabled) else {
                continue;
            };
            seen.extend(rule.look(inputs, limits).into_iter().map(|own| (rule.name(), own)));
        }
        seen
    }
}

/// The level that a rule found in a scope.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sighting {
    pub scope: Scope,
    pub label: Option<String>,
    pub level: f64,
    /// Whether the rule's minimum is reached, so that an alert can begin.
    pub is_enough: bool,
    /// The span of the alert; by default the following hour.
    pub span: Option<(Timestamp, Timestamp)>,
    pub variant: Option<&'static str>,
    pub facts: Vec<(&'static str, Fact)>,
}

impl Sighting {
    fn new(scope: &Scope, level: f64, is_enough: bool) -> Self {
        Self {
            scope: scope.clone(),
            label: None,
            level: (level * 1e4).round() / 1e4,
            is_enough,
            span: None,
            variant: None,
            facts: Vec::new(),
        }
    }

    fn fact(mut self, name: &'static str, fact: Fact) -> Self {
        self.facts.push((name, fact));
        self
    }

    fn count(self, name: &'static str, n: f64) -> Self {
        self.fact(name, Fact::Count(n.round().max(0.0) as u64))
    }

    fn over(mut self, from: Timestamp, to: Timestamp) -> Self {
        self.span = Some((from, to));
        self.fact("from", Fact::At(from)).fact("to", Fact::At(to))
    }

    /// Whether an alert begins with this sighting.
    pub(super) fn begins(&self, limits: &RuleLimits) -> bool {
        self.is_enough && self.level >= limits.threshold
    }
}
