//! Alarms, sources and forecasts in a finalized window. Rules of anomalies and of alerts measure them in the same way.

use std::time::Duration;

use super::budget::AnomalyRules;
use super::episodes::Ongoing;
use super::rules::STATE_RULES;
use super::types::Anomaly;
use crate::domain::{Scope, SourceId, Timestamp, WindowWidth};
use crate::stats::median;

/// Minimum number of days from which the usual number of alarms is computed.
const DAYS_MIN: usize = 3;

/// Critical, major and minor alarms of a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmActivity {
    pub scope: Scope,
    /// Alarms that were raised in the last hour.
    pub raised: u32,
    /// Time of the first of them.
    pub since: Timestamp,
    /// How many alarms were raised at the same time of day, on each of the last days with known counts.
    pub days: Vec<f64>,
}

impl AlarmActivity {
    /// The median of the same hour on the last days; `None` while it is not known.
    pub fn usual(&self) -> Option<f64> {
        median(&mut self.days.clone()).filter(|_| self.days.len() >= DAYS_MIN)
    }

    /// The number of alarms divided by the usual number, which is at least 1.
    pub fn times_usual(&self) -> Option<f64> {
        Some(f64::from(self.raised) / self.usual()?.max(1.0))
    }
}

/// How long a source has sent nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceState {
    pub source: SourceId,
    /// End of its last window with events.
    pub last: Timestamp,
    /// The longest usual silence of the source; `None` while it is not known.
    pub usual: Option<Duration>,
    /// The number of windows with events from which `usual` is computed.
    pub windows: u32,
}

impl SourceState {
    /// The time since its last window with events, divided by the longest usual silence; `None` while that is not known.
    pub fn times_usual(&self, now: Timestamp) -> Option<f64> {
        let usual = self.usual?.as_secs_f64().max(1.0);
        Some(self.minutes(now) * 60.0 / usual)
    }

    /// Minutes since its last window with events.
    pub fn minutes(&self, now: Timestamp) -> f64 {
        now.since(self.last).as_secs_f64() / 60.0
    }

    /// Whether it has sent nothing for longer than usual.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.times_usual(now).is_some_and(|times| times > 1.0)
    }
}

/// How accurate the newest forecasts of a scope's windows were.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentScores {
    pub scope: Scope,
    /// Number of windows of its series from `since` on, and how many of their counts were outside the 80 % band.
    pub windows: u32,
    pub outside: u32,
    pub since: Timestamp,
}

impl RecentScores {
    /// The share of counts outside the 80 % band; 0.2 is expected. `None` without windows.
    pub fn share(&self) -> Option<f64> {
        (self.windows > 0).then(|| f64::from(self.outside) / f64::from(self.windows))
    }
}

/// A finalized window, as the rules of alarms, sources and forecasts see it.
#[derive(Clone, Copy, Debug)]
pub struct StateCase<'a> {
    /// Start of the window.
    pub window: Timestamp,
    pub width: WindowWidth,
    pub alarms: &'a [AlarmActivity],
    pub sources: &'a [SourceState],
    pub scores: &'a [RecentScores],
    /// Series whose counts are unusual.
    pub ongoing: &'a Ongoing,
}

impl StateCase<'_> {
    /// End of the window.
    pub(super) fn end(&self) -> Timestamp {
        self.width.end(self.window)
    }
}

/// Anomalies of alarms, sources and forecasts in a finalized window.
pub fn judge_states(case: &StateCase<'_>, rules: &AnomalyRules) -> Vec<Anomaly> {
    let flagged = STATE_RULES.iter().flat_map(|rule| {
        let mut found = rule.check(case);
        let scores = found.iter().map(|found| found.score);
        let smallest = rules.smallest((case.width, rule.weight()), scores, rule.tests(case));
        found.retain(|found| found.score >= smallest);
        found
    });
    flagged.collect()
}
