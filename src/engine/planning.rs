//! Makes plans from vintages, staffing profiles and the roster.

use std::collections::BTreeMap;

use super::issue_config::{IssueConfig, RosterSource};
use super::issued::{Issued, Plans};
use crate::domain::{DAY, Name, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::Vintage;
use crate::staffing::{Plan, Planner, Profile, Shift};

/// Planners by channel, and shifts from yesterday on.
pub struct Planning {
    width: WindowWidth,
    /// By channel.
    planners: BTreeMap<Name, Planner>,
    shifts: BTreeMap<SeriesKey, Vec<Shift>>,
    roster: Option<RosterSource>,
}

impl Planning {
    /// Planning without shifts.
    pub fn new(config: &IssueConfig, width: WindowWidth) -> Self {
        let planner = |(channel, profile): (&Name, &Profile)| {
            (channel.clone(), Planner::new(profile.clone()))
        };
        let planners = config.profiles.iter().map(planner).collect();
        Self { width, planners, shifts: BTreeMap::new(), roster: config.roster.clone() }
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
        let served = issued.served();
        let plans =
            served.filter_map(|(key, vintage)| Some((key.clone(), self.plan(key, vintage)?)));
        plans.collect()
    }

    /// The plan of a leaf that has a profile.
    fn plan(&mut self, series: &SeriesKey, vintage: &Vintage) -> Option<Plan> {
        let planner = self.planners.get_mut(&series.channel).filter(|_| !series.is_roll_up())?;
        let known = self.shifts.get(series).map_or(&[][..], Vec::as_slice);
        let usual: Vec<f64> = vintage.targets.iter().map(|t| t.baseline).collect();
        Some(planner.plan(vintage, self.width, known, &usual))
    }
}
