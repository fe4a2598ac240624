//! The inputs of the rules: values of one finalized window.

use std::time::Duration;

use crate::anomaly::Anomaly;
pub use crate::anomaly::{AlarmActivity, RecentScores, SourceState};
use crate::domain::{HOUR, Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::Vintage;
use crate::staffing::Plan;

/// The span in which alarms are counted together.
pub const ALARMS_REACH: Duration = HOUR;

/// Open tickets of a series whose number is known.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklogState {
    pub series: SeriesKey,
    /// Open tickets at the end of the last windows, the newest last.
    pub recent: Vec<u32>,
    /// The daily maximum of open tickets for the last days.
    pub days: Vec<f64>,
}

/// Open tickets of a scope with a clock of an agreement that is at risk or breached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub scope: Scope,
    /// Open tickets for which most of the time is over.
    pub at_risk: u32,
    pub breached: u32,
}

/// The plan of a series, and the share of contacts that it has to answer in time.
#[derive(Clone, Copy, Debug)]
pub struct ServicePlan<'a> {
    pub plan: &'a Plan,
    pub target: f64,
}

/// All inputs of the rules as of the end of a finalized window.
#[derive(Clone, Debug, Default)]
pub struct RuleInputs<'a> {
    pub now: Timestamp,
    pub width: Option<WindowWidth>,
    pub alarms: Vec<AlarmActivity>,
    /// Anomalies of the window.
    pub anomalies: Vec<&'a Anomaly>,
    pub sources: Vec<SourceState>,
    pub backlogs: Vec<BacklogState>,
    pub deadlines: Vec<Deadlines>,
    /// Forecasts of region and service, over all channels.
    pub forecasts: Vec<&'a Vintage>,
    pub plans: Vec<ServicePlan<'a>>,
    pub scores: Vec<RecentScores>,
}

impl RuleInputs<'_> {
    /// Number of windows in a span, at least two: one window alone tells little.
    pub(super) fn windows(&self, span: Duration) -> usize {
        self.width.map_or(2, |width| width.per(span)).max(2)
    }

    /// End of the window that starts at `start`.
    pub(super) fn end(&self, start: Timestamp) -> Timestamp {
        self.width.map_or(start, |width| width.end(start))
    }
}
