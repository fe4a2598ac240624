//! The rules for anomalies.
//!
//! One file per rule. A new one is a file with a type that implements [`SeriesRule`], [`ScopeRule`] or [`StateRule`], its `mod` line,
//! and its name in [`SERIES_RULES`], [`SCOPE_RULES`] or [`STATE_RULES`].

mod alarm_storm;
mod complaints;
mod forecast_unreliable;
mod phrase;
mod shift;
mod silent_source;
pub(super) mod surprise;
mod vanished;

use std::collections::VecDeque;

pub use alarm_storm::{STORM_ALARMS, STORM_TIMES};
pub(super) use complaints::TROUBLE;
pub use forecast_unreliable::{UNRELIABLE_SHARE, UNRELIABLE_WINDOWS};
pub use silent_source::{SILENT_MINUTES, SILENT_TIMES};

use super::run::Run;
use super::scope_history::ScopeHistory;
use super::states::StateCase;
use super::types::{AlarmSummary, Anomaly, AnomalyKind};
use super::watch::Total;
use crate::domain::{Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::ForecastPoint;

/// Rules for a window of a series or roll-up.
pub(super) const SERIES_RULES: [&dyn SeriesRule; 3] =
    [&surprise::Surprise, &shift::Shift, &vanished::Vanished];
/// Rules for a window of a scope, in the order in which their anomalies are reported.
pub(super) const SCOPE_RULES: [&dyn ScopeRule; 2] = [&complaints::Complaints, &phrase::Phrase];
/// Rules for the state of alarms, sources and forecasts in a window.
pub(super) const STATE_RULES: [&dyn StateRule; 3] = [
    &alarm_storm::AlarmStorm,
    &silent_source::SilentSource,
    &forecast_unreliable::ForecastUnreliable,
];

/// Weight of a rule that judges every window by itself. By chance, such rules flag most often.
const WINDOW_WEIGHT: u32 = 3;

/// The sum of the weights of all rules.
pub(super) fn weights() -> u32 {
    let series = SERIES_RULES.iter().map(|rule| rule.weight());
    let scopes = SCOPE_RULES.iter().map(|rule| rule.weight());
    series.chain(scopes).chain(STATE_RULES.iter().map(|rule| rule.weight())).sum()
}

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

/// A finalized window of a series with the windows before it.
#[derive(Clone, Copy)]
pub(super) struct SeriesCase<'a> {
    pub(super) window: &'a WindowCase,
    /// Its last windows, this one included.
    pub(super) run: &'a Run,
    /// All leaves together in the windows of the last hour, this one included.
    pub(super) totals: &'a VecDeque<Total>,
    /// Since when sources have been silent for longer than usual.
    pub(super) quiet: &'a [Timestamp],
    pub(super) width: WindowWidth,
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

/// A rule for windows of series and roll-ups.
pub(super) trait SeriesRule: Sync {
    /// Its part of the budget of false flags, beside those of the other rules.
    fn weight(&self) -> u32 {
        1
    }

    /// Number of tests of a window of a series.
    fn tests(&self) -> usize;

    /// Tickets in a window above the value that the rule compares with. A part explains its roll-up by this difference.
    fn off_by(&self, case: &SeriesCase<'_>) -> f64;

    /// The kinds of a part's episodes that explain an anomaly of its roll-up, for more or for fewer tickets.
    fn explained_by(&self, is_more: bool) -> &'static [AnomalyKind];

    /// The anomaly of a series, judged by itself.
    fn check(&self, case: &SeriesCase<'_>) -> Option<Anomaly>;
}

/// A rule for windows of scopes.
pub(super) trait ScopeRule: Sync {
    /// Its part of the budget of false flags, beside those of the other rules.
    fn weight(&self) -> u32 {
        1
    }

    /// Number of tests of a window: everything that the rule could flag.
    fn tests(&self, case: &ScopeCase<'_>) -> usize;

    /// The anomaly of a window, judged by itself.
    fn check(&self, case: &ScopeCase<'_>) -> Option<Anomaly>;
}

/// A rule for alarms, sources and forecasts.
pub(super) trait StateRule: Sync {
    /// Its part of the budget of false flags, beside those of the other rules.
    fn weight(&self) -> u32 {
        1
    }

    /// Number of tests of a window: everything that the rule could flag.
    fn tests(&self, case: &StateCase<'_>) -> usize;

    /// The anomalies of a window, each judged by itself.
    fn check(&self, case: &StateCase<'_>) -> Vec<Anomaly>;
}
