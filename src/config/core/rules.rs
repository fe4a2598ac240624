//! `[alerts.rules.NAME]`: the limits of all alert rules except the lack of agents.

use std::time::Duration;

use crate::alert::{AlertSeverity, PageLimits, RuleLimits, RuleSet, configurable_rules};
use crate::config::Reader;
use crate::domain::{DAY, HOUR};

/// Largest threshold or minimum.
const NUMBER_MAX: f64 = 1e6;

/// Reads the tables under `rules` of the section `[alerts]`.
pub fn read(alerts: &Reader<'_>) -> RuleSet {
    let mut rules = RuleSet::default();
    rules.page = page_limits(alerts);
    for (name, section) in alerts.named("rules") {
        let name = name.map(|name| name.to_string()).unwrap_or_default();
        match rules.limits_mut(&name) {
            Some(limits) => limits_of(section, limits),
            None => {
                let known: Vec<&str> = configurable_rules().collect();
                let text = format!("no rule has this name: use {}", known.join(", "));
                section.problem_here(text);
                // Its keys are checked all the same.
                if let Some(any) = RuleSet::default().limits_mut(known[0]) {
                    limits_of(section, any);
                }
            }
        }
    }
    rules
}

/// Reads the required probabilities of a lack of agents for a page.
fn page_limits(alerts: &Reader<'_>) -> PageLimits {
    let own = PageLimits::default();
    let share = |key, own: f64| {
        let found = alerts.number(key);
        if let Some(value) = found.filter(|value| !(0.0..=1.0).contains(value)) {
            alerts.problem(key, format!("found {value}: use a number from 0 to 1"));
        }
        found.filter(|value| (0.0..=1.0).contains(value)).unwrap_or(own)
    };
    PageLimits {
        ahead: alerts.length("page_ahead", Duration::ZERO..=HOUR * 6).unwrap_or(own.ahead),
        probability: share("page_probability", own.probability),
        with_alarms: share("page_probability_alarms", own.with_alarms),
        with_complaints: share("page_probability_complaints", own.with_complaints),
        later: share("page_probability_later", own.later),
        worse: share("page_probability_worse", own.worse),
    }
}

fn limits_of(section: Reader<'_>, limits: &mut RuleLimits) {
    let number = |key, own: f64, least: f64| {
        let found = section.number(key);
        let is_allowed = |value: &f64| (least..=NUMBER_MAX).contains(value);
        if let Some(value) = found.filter(|value| !is_allowed(value)) {
            section
                .problem(key, format!("found {value}: use a number from {least} to {NUMBER_MAX}"));
        }
        found.filter(is_allowed).unwrap_or(own)
    };
    let length = |key, own: Duration| section.length(key, Duration::ZERO..=DAY * 7).unwrap_or(own);
    let allowed = "use \"info\", \"warning\" or \"critical\"";
    *limits = RuleLimits {
        enabled: section.flag("enabled").unwrap_or(limits.enabled),
        threshold: number("threshold", limits.threshold, 0.01),
        clear_below: number("clear_below", limits.clear_below, 0.0),
        minimum: number("minimum", limits.minimum, 0.0),
        hold: length("for", limits.hold),
        cool_down: length("cool_down", limits.cool_down),
        severity: section
            .parse("severity", allowed, str::parse::<AlertSeverity>)
            .unwrap_or(limits.severity),
    };
    if limits.clear_below > limits.threshold {
        let (clear, from) = (limits.clear_below, limits.threshold);
        let text = format!("found {clear}, more than the threshold ({from}): use at most that");
        section.problem("clear_below", text);
    }
    section.finish();
}
