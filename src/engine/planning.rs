//! Makes plans from vintages, staffing profiles and the roster.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::issue_config::{IssueConfig, RosterSource};
use super::issued::{Issued, Plans};
use super::staffing_tables::StaffingTables;
use crate::domain::{DAY, Name, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::Vintage;
use crate::staffing::{Plan, Planner, Shift};
use crate::telemetry::Metrics;

/// Planners by channel, and shifts from yesterday on.
pub struct Planning {
    width: WindowWidth,
    /// One for each profile.
    planners: Vec<Planner>,
    by_channel: BTreeMap<Name, usize>,
    tables: StaffingTables,
    shifts: BTreeMap<SeriesKey, Vec<Shift>>,
    roster: Option<RosterSource>,
}

impl Planning {
    /// Planning without shifts. It starts to build tables in the background.
    pub fn new(config: &IssueConfig, width: WindowWidth, metrics: &Arc<Metrics>) -> Self {
        let profiles: Vec<_> = config.profiles.values().cloned().collect();
        Self {
            width,
            planners: profiles.iter().cloned().map(Planner::new).collect(),
            by_channel: config.profiles.keys().cloned().zip(0..).collect(),
            tables: StaffingTables::start(profiles, Arc::clone(metrics)),
            shifts: BTreeMap::new(),
            roster: config.roster.clone(),
        }
    }

    /// Replaces all shifts.
    pub fn restore(&mut self, shifts: Vec<Shift>) {
        self.shifts.clear();
        self.add_shifts(shifts);
    }

    /// Adds shifts. As in the store, they replace overlapping shifts of the same series.
    pub fn add_shifts(&mut self, shifts: Vec<Shift>) {
        let mut by_series: BTreeMap<SeriesKey, Vec<Shift>> = BTreeMap::new();
        for shift in shifts {
            by_series.entry(shift.series.clone()).or_default().push(shift);
        }
        for (series, mut fresh) in by_series {
            let from = fresh.iter().map(|s| s.start).min().unwrap_or(Timestamp::MIN);
            let to = fresh.iter().map(|s| s.end).max().unwrap_or(Timestamp::MAX);
            let known = self.shifts.entry(series).or_default();
            known.retain(|shift| shift.end <= from || shift.start >= to);
            known.append(&mut fresh);
            known.sort_by_key(|shift| shift.start);
        }
    }

    /// Generates further shifts, if a roster is generated, and drops shifts that ended a day ago. Returns the new shifts.
    pub fn extend_roster(&mut self, end: Timestamp) -> Vec<Shift> {
        let Some(roster) = &self.roster else { return Vec::new() };
        let is_midnight = end == end.utc_midnight();
        let mut shifts = Vec::new();
        if self.shifts.is_empty() {
            let today = end.utc_midnight();
            shifts.extend(roster(today));
            shifts.extend(roster(today + DAY));
        } else if is_midnight {
            shifts = roster(end + DAY);
        }
        self.add_shifts(shifts.clone());
        for known in self.shifts.values_mut() {
            known.retain(|shift| shift.end + DAY > end);
        }
        shifts
    }

    /// Plans of served vintages.
    pub fn plans(&mut self, issued: &Issued) -> Plans {
        for (at, table) in self.tables.ready() {
            self.planners[at].use_table(table);
        }
        let served = issued.served();
        let plans =
            served.filter_map(|(key, vintage)| Some((key.clone(), self.plan(key, vintage)?)));
        plans.collect()
    }

    /// The plan of a leaf that has a profile.
    fn plan(&mut self, series: &SeriesKey, vintage: &Vintage) -> Option<Plan> {
        let at = *self.by_channel.get(&series.channel).filter(|_| !series.is_roll_up())?;
        let known = self.shifts.get(series).map_or(&[][..], Vec::as_slice);
        let usual: Vec<f64> = vintage.targets.iter().map(|t| t.baseline).collect();
        Some(self.planners[at].plan(vintage, self.width, known, &usual))
    }
}
