//! The rules for anomalies.
//!
//! One file per rule. A new one for scopes is a file with a type that implements [`ScopeRule`], its `mod` line, and its name in
//! [`SCOPE_RULES`].

mod complaints;
mod phrase;
pub(super) mod surprise;

pub(super) use complaints::TROUBLE;

use super::scope_history::ScopeHistory;
use super::types::{AlarmSummary, Anomaly};
use crate::domain::{Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::ForecastPoint;

/// Rules for a window of a scope, in the order in which their anomalies are reported.
pub(super) const SCOPE_RULES: [&dyn ScopeRule; 2] = [&complaints::Complaints, &phrase::Phrase];
/// Number of all rules.
pub(super) const RULES: usize = SCOPE_RULES.len() + 1;

/// Smallest score of an anomaly: a probability of one in ten thousand.
pub(super) const SCORE_MIN: f64 = 4.0;
/// Smallest difference in tickets: nobody acts on two tickets instead of none.
const OFF_BY_MIN: f64 = 5.0;

/// A finalized window of a series with its forecast.
#[derive(Clone, Debug)]
pub struct WindowCase {
    pub series: SeriesKey,
    pub target: ForecastPoint,
    /// Tickets.
    pub actual: f64,
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

/// A rule for windows of scopes.
pub(super) trait ScopeRule: Sync {
    /// Number of tests of a window: everything that the rule could flag.
    fn tests(&self, case: &ScopeCase<'_>) -> usize;

    /// The anomaly of a window by itself.
    fn check(&self, case: &ScopeCase<'_>) -> Option<Anomaly>;
}
