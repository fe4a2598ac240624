//! How often the counts of the last hours were outside the band of their last forecast, by scope.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::anomaly::{RecentScores, WindowCase};
use crate::domain::{Scope, Timestamp};
use crate::forecast::{ForecastPoint, HORIZON};

/// Length of the history of windows.
pub const REACH: Duration = HORIZON;
/// Indices of the 80 % band in the quantiles of a forecast point.
const LOW: usize = 1;
const HIGH: usize = 5;

/// Windows of a scope's series, and those whose count was outside the band.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    windows: u32,
    outside: u32,
}

/// Tallies of the last windows.
#[derive(Debug, Default)]
pub struct RecentCoverage(BTreeMap<Timestamp, BTreeMap<Scope, Tally>>);

impl RecentCoverage {
    /// Takes the counts of a finalized window, which ends at `end`, and their last forecasts. Roll-ups are left out.
    pub fn take(&mut self, window: Timestamp, end: Timestamp, cases: &[WindowCase]) {
        for case in cases.iter().filter(|case| !case.series.is_roll_up()) {
            self.add(window, case.series.scope(), &case.target, case.actual);
        }
        self.0.retain(|start, _| *start + REACH > end);
    }

    /// Takes one count.
    pub fn add(&mut self, window: Timestamp, scope: Scope, target: &ForecastPoint, actual: f64) {
        let is_outside = actual < target.quantiles[LOW] || actual > target.quantiles[HIGH];
        let tally = self.0.entry(window).or_default().entry(scope).or_default();
        tally.windows += 1;
        tally.outside += u32::from(is_outside);
    }

    /// The sums of each scope.
    pub fn scores(&self) -> Vec<RecentScores> {
        let mut sums: BTreeMap<&Scope, RecentScores> = BTreeMap::new();
        for (start, scopes) in &self.0 {
            for (scope, tally) in scopes {
                let fresh =
                    RecentScores { scope: scope.clone(), windows: 0, outside: 0, since: *start };
                let sum = sums.entry(scope).or_insert(fresh);
                sum.windows += tally.windows;
                sum.outside += tally.outside;
            }
        }
        sums.into_values().collect()
    }
}
