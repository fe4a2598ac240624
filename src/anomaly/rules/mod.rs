//! The rules for anomalies.
//!
//! One file per rule. A new one is a file with a type that implements [`Rule`], its `mod` line, and its name in [`RULES`].

mod complaints;
mod phrase;
mod surprise;

pub(super) use complaints::TROUBLE;

use super::scope_history::ScopeHistory;
use super::types::{AlarmSummary, Anomaly};
use crate::domain::{Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::ForecastPoint;

/// All rules, in the order in which their anomalies are reported.
pub(super) const RULES: [&dyn Rule; 3] =
    [&surprise::Surprise, &complaints::Complaints, &phrase::Phrase];

/// Smallest score of an anomaly: a probability of one in ten thousand.
const SCORE_MIN: f64 = 4.0;
/// Smallest difference in tickets: nobody acts on two tickets instead of none.
const OFF_BY_MIN: f64 = 5.0;

/// A finalized window of a series with its forecast.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowCase<'a> {
    pub(super) series: &'a SeriesKey,
    pub(super) target: &'a ForecastPoint,
    /// Tickets.
    pub(super) actual: f64,
}

/// A finalized window of a scope with the history of its topics and phrases.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeCase<'a> {
    pub(super) scope: &'a Scope,
    pub(super) history: &'a ScopeHistory,
    pub(super) width: WindowWidth,
    pub(super) window: Timestamp,
    /// Active alarms of the scope.
    pub(super) alarms: Option<&'a AlarmSummary>,
}

impl ScopeCase<'_> {
    fn index(&self) -> i64 {
        self.width.index(self.window)
    }
}

/// A rule for anomalies. It implements the cases that it covers.
pub(super) trait Rule: Sync {
    /// Checks a window of a series.
    fn of_window(&self, _: &WindowCase<'_>) -> Option<Anomaly> {
        None
    }

    /// Checks a window of a scope.
    fn of_scope(&self, _: &ScopeCase<'_>) -> Option<Anomaly> {
        None
    }
}
