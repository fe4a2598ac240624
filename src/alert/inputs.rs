//! The input of a step.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ActiveAlarm;
use super::known::Known;
use crate::anomaly::EarlySign;
use crate::domain::{Name, Scope, Severity, Timestamp, WindowWidth, Zone};
use crate::forecast::{PlannedWork, Vintage};
use crate::staffing::Plan;

/// The name that forecasts give to rare types of alarms.
const OTHER_TYPES: &str = "other";
/// Complaints with this score (probability one in ten thousand) confirm a gap: the alert is sent at once.
const CONFIRMS: f64 = 4.0;

/// Plan and vintage of one leaf series.
pub struct SeriesNeed<'a> {
    pub plan: &'a Plan,
    pub vintage: &'a Vintage,
}

/// Input of a step, all as of the same instant.
pub struct AlertInputs<'a> {
    pub needs: Vec<SeriesNeed<'a>>,
    /// Alarms that are active as of the newest forecast of their scope.
    pub alarms: Vec<ActiveAlarm>,
    /// Issue times of newer forecasts, whose plans are among `needs`, by scope.
    pub newer: BTreeMap<Scope, Timestamp>,
    /// Causes besides alarms.
    pub known: Known,
    /// Scopes with more complaints than usual.
    pub complaints: Vec<EarlySign>,
    pub width: WindowWidth,
    /// End of the last finalized window. Complaints are counted up to this time.
    pub finalized_upto: Timestamp,
    /// A window is finalized, and a forecast made, this long after its end.
    pub lateness: Duration,
    pub zones: &'a BTreeMap<Name, Zone>,
    /// The time zone of regions without their own.
    pub zone: Zone,
    /// Planned work: pages about a need that it explains wait until its end.
    pub work: &'a [PlannedWork],
}

impl AlertInputs<'_> {
    /// The time as of which the facts of a scope hold, in a step at `now`: the issue time of its newest forecast.
    pub(super) fn as_of(&self, scope: &Scope, now: Timestamp) -> Timestamp {
        self.newer.get(scope).copied().unwrap_or(now).max(now)
    }

    pub(super) fn zone_of(&self, scope: &Scope) -> Zone {
        self.zones.get(&scope.region).copied().unwrap_or(self.zone)
    }

    /// When the next window is finalized, on the clock.
    pub(super) fn next_at(&self) -> Timestamp {
        self.width.end(self.finalized_upto) + self.lateness
    }

    /// The active alarms of a scope that explain tickets: all severe ones, and minor ones whose type causes tickets according
    /// to the newest forecasts.
    pub(super) fn explaining(&self, scope: &Scope) -> Vec<ActiveAlarm> {
        let vintages = || self.needs.iter().map(|need| need.vintage);
        let causes = || vintages().filter(|v| v.series.scope() == *scope).flat_map(|v| &v.causes);
        let brings = |kind: &str| causes().any(|cause| cause.what == kind && cause.tickets > 0.0);
        let explains = |alarm: &&ActiveAlarm| {
            alarm.severity <= Severity::Major
                || alarm.alarm_type.as_deref().is_some_and(brings)
                || brings(OTHER_TYPES)
        };
        self.alarms.iter().filter(explains).cloned().collect()
    }

    pub(super) fn is_confirmed(&self, scope: &Scope) -> bool {
        self.complaints.iter().any(|sign| sign.scope == *scope && sign.score >= CONFIRMS)
    }
}
