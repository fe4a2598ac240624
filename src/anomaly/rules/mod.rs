//! What is abnormal.
//!
//! One file a rule. A new one is a file with a type that implements [`Rule`], its `mod` line, and its name in [`RULES`].

mod complaints;
mod phrase;
mod surprise;

pub(super) use complaints::TROUBLE;

use super::scope_history::ScopeHistory;
use super::types::{AlarmSummary, Anomaly};
use crate::domain::{Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::ForecastPoint;

/// All rules, in the order in which their anomalies are told.
pub(super) const RULES: [&dyn Rule; 3] =
    [&surprise::Surprise, &complaints::Complaints, &phrase::Phrase];

/// Surprise from which a window is flagged: one in ten thousand.
const SCORE_MIN: f64 = 4.0;
/// Tickets that a window must be off by: nobody acts on two instead of none.
const OFF_BY_MIN: f64 = 5.0;

/// A settled window of a series beside its forecast.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowCase<'a> {
    pub(super) series: &'a SeriesKey,
    pub(super) target: &'a ForecastPoint,
    /// Tickets.
    pub(super) actual: f64,
}

/// A settled window of a scope beside what its customers said before.
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

/// One way in which a window may be abnormal. A rule answers the cases that it knows something of.
pub(super) trait Rule: Sync {
    /// Judges a window of a series.
    fn of_window(&self, _: &WindowCase<'_>) -> Option<Anomaly> {
        None
    }

    /// Judges a window of a scope.
    fn of_scope(&self, _: &ScopeCase<'_>) -> Option<Anomaly> {
        None
    }
}
