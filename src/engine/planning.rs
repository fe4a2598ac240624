//! Makes plans from vintages, staffing rules and the roster.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::issue_config::{IssueConfig, RosterSource};
use super::issued::{Issued, Plans};
use super::staffing_tables::StaffingTables;
use crate::domain::{DAY, Name, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::Vintage;
use crate::staffing::{
    HandlingTimes, LearnedAht, Plan, Presence, Profile, Rules, Shift, Team, TeamShift, pooled,
    shares,
};
use crate::telemetry::Metrics;
use crate::window::{self, TicketBook};

mod bench;
mod planners;

pub use bench::RosteredDesks;
use planners::Planners;

/// Planners by profile, and shifts from yesterday on.
pub struct Planning {
    width: WindowWidth,
    rules: Arc<Rules>,
    planners: Planners,
    /// `None` if this instance makes no plans.
    tables: Option<StaffingTables>,
    /// The planner of each series that was planned.
    by_series: BTreeMap<SeriesKey, Option<usize>>,
    shifts: BTreeMap<SeriesKey, Vec<Shift>>,
    team_shifts: BTreeMap<Name, Vec<TeamShift>>,
    roster: Option<RosterSource>,
    /// The zones of regions, and the zone of all other regions.
    zones: (BTreeMap<Name, Zone>, Zone),
    /// The newest plan of each team as a whole.
    wholes: BTreeMap<Name, Whole>,
    /// Open tickets of series whose number is known.
    backlogs: BTreeMap<SeriesKey, f64>,
    /// Handling times of series whose profile learns them.
    handling: BTreeMap<SeriesKey, HandlingTimes>,
    /// The handling times of the newest plans of series without a team.
    learned: BTreeMap<SeriesKey, LearnedAht>,
}

/// The plan of a team as a whole, and the data from which it was made.
struct Whole {
    /// With learned handling times, the contacts are scaled to the handling time of the queueing model.
    vintage: Vintage,
    learned: Option<LearnedAht>,
    plan: Plan,
    members: Vec<SeriesKey>,
    /// The outage that causes contacts of one of the team's series.
    outage: Option<String>,
    /// Open tickets of all members, if their number is known.
    opening: Option<f64>,
}

/// The vintages of one team's series.
type Members<'a> = BTreeMap<&'a SeriesKey, &'a Vintage>;

impl Planning {
    /// Planning without shifts. It starts to build tables in the background.
    pub fn new(config: &IssueConfig, width: WindowWidth, metrics: &Arc<Metrics>) -> Self {
        let mut profiles: Vec<Profile> = Vec::new();
        for profile in config.staffing.profiles() {
            if !profiles.contains(profile) {
                profiles.push(profile.clone());
            }
        }
        Self {
            width,
            rules: config.staffing.clone(),
            planners: Planners::new(config.staffing.clone(), &profiles),
            tables: config.tables_patience.map(|patience| {
                let (rules, metrics) = (config.staffing.clone(), Arc::clone(metrics));
                StaffingTables::start(rules, profiles, patience, metrics)
            }),
            by_series: BTreeMap::new(),
            shifts: BTreeMap::new(),
            team_shifts: BTreeMap::new(),
            roster: config.roster.clone(),
            zones: (config.zones.clone(), config.zone),
            wholes: BTreeMap::new(),
            backlogs: BTreeMap::new(),
            handling: BTreeMap::new(),
            learned: BTreeMap::new(),
        }
    }

    /// Replaces all shifts.
    pub fn restore(&mut self, shifts: Vec<Shift>, team_shifts: Vec<TeamShift>) {
        self.shifts.clear();
        self.team_shifts.clear();
        self.add_shifts(shifts);
        self.add_team_shifts(team_shifts);
    }

    /// Shifts of a series.
    #[cfg(test)]
    pub fn shifts_of(&self, series: &SeriesKey) -> &[Shift] {
        self.shifts.get(series).map_or(&[], Vec::as_slice)
    }

    /// Adds shifts. As in the store, they replace overlapping shifts of the same series.
    pub fn add_shifts(&mut self, shifts: Vec<Shift>) {
        let series = |shift: &Shift| (shift.series.clone(), shift.start, shift.end);
        replace_overlapping(&mut self.shifts, shifts, series);
    }

    /// Adds shifts of teams. As in the store, they replace overlapping shifts of the same team.
    pub fn add_team_shifts(&mut self, shifts: Vec<TeamShift>) {
        let team = |shift: &TeamShift| (shift.team.clone(), shift.start, shift.end);
        replace_overlapping(&mut self.team_shifts, shifts, team);
    }

    /// Generates further shifts, if the roster is generated, and drops shifts that ended more than a day ago. Returns the new
    /// shifts.
    pub fn extend_roster(&mut self, end: Timestamp) -> Vec<Shift> {
        for known in self.team_shifts.values_mut() {
            known.retain(|shift| shift.end + DAY > end);
        }
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

    /// Takes the open tickets of each series, as of `end`. They are used if their number is known: see
    /// [`Backlog::is_known`](crate::window::Backlog::is_known).
    pub fn take_backlogs(&mut self, tickets: &TicketBook, end: Timestamp) {
        let rules = &self.rules;
        let known = tickets.backlogs().filter(|(series, own)| {
            let within = rules.profile_of(series).map(|profile| profile.target.within);
            within.is_some_and(|within| own.is_known(end, within))
        });
        self.backlogs = known.map(|(series, own)| (series.clone(), f64::from(own.open))).collect();
        let learns = |series: &SeriesKey| {
            rules.profile_of(series).is_some_and(|profile| profile.aht_learning.is_some())
        };
        let known = tickets.backlogs().filter(|(series, _)| learns(series));
        self.handling = known.map(|(series, own)| (series.clone(), handling_times(own))).collect();
    }

    /// The learned handling times for series that are planned together; `None` unless the profile with this index learns them.
    fn learn<'k>(
        &self,
        at: usize,
        series: impl IntoIterator<Item = &'k SeriesKey>,
        (vintage, zone): (&Vintage, Zone),
    ) -> Option<LearnedAht> {
        let profile = self.planners.profile(at);
        profile.aht_learning?;
        let mut all = HandlingTimes::default();
        series.into_iter().filter_map(|key| self.handling.get(key)).for_each(|own| all.plus(own));
        LearnedAht::new(profile, &all, vintage, zone)
    }

    /// Open tickets of each series whose number is known.
    pub fn backlogs(&self) -> &BTreeMap<SeriesKey, f64> {
        &self.backlogs
    }

    /// Open tickets of some series together; `None` unless the number of each is known.
    fn backlog_of<'k>(&self, series: impl IntoIterator<Item = &'k SeriesKey>) -> Option<f64> {
        series.into_iter().map(|series| self.backlogs.get(series).copied()).sum()
    }

    /// Plans of served vintages. A team is planned as a whole, so `rest` has the served vintages of other series for which no
    /// plans are requested.
    pub fn plans<'a>(
        &mut self,
        issued: &'a Issued,
        rest: impl IntoIterator<Item = (&'a SeriesKey, &'a Vintage)>,
    ) -> Plans {
        for (at, table) in self.tables.iter_mut().flat_map(StaffingTables::ready) {
            self.planners.use_table(at, table);
        }
        let mut plans = Plans::new();
        let mut teams: BTreeMap<&Name, (&Team, Members<'a>)> = BTreeMap::new();
        let rules = Arc::clone(&self.rules);
        for (key, vintage) in issued.served().filter(|(key, _)| !key.is_roll_up()) {
            match rules.team_of(key) {
                Some(team) => {
                    let (_, members) = teams.entry(&team.name).or_insert((team, Members::new()));
                    members.insert(key, vintage);
                }
                None => plans.extend(self.plan(key, vintage).map(|plan| (key.clone(), plan))),
            }
        }
        if !teams.is_empty() {
            for (key, vintage) in rest.into_iter().filter(|(key, _)| !key.is_roll_up()) {
                let team = rules.team_of(key).and_then(|team| teams.get_mut(&team.name));
                if let Some((_, members)) = team {
                    members.entry(key).or_insert(vintage);
                }
            }
        }
        for (team, members) in teams.into_values() {
            let wanted = |key: &SeriesKey| issued.served_of(key).is_some();
            let found = self.team_plans(team, &members).into_iter();
            plans.extend(found.filter(|(key, _)| wanted(key)));
        }
        plans
    }

    /// The plan of a leaf without a team that has a profile.
    fn plan(&mut self, series: &SeriesKey, vintage: &Vintage) -> Option<Plan> {
        let at = match self.by_series.get(series) {
            Some(known) => *known,
            None => {
                let found = self.rules.profile_of(series).and_then(|own| self.planner_of(own));
                self.by_series.insert(series.clone(), found);
                found
            }
        }?;
        let roster = self.roster_of_series(series);
        let learned = self.learn(at, [series], (vintage, self.zone_of(series)));
        let scaled = learned.as_ref().map(|own| own.same_load(vintage));
        let used = scaled.as_ref().unwrap_or(vintage);
        let usual: Vec<f64> = used.targets.iter().map(|t| t.baseline).collect();
        let opening = self.backlog_of([series]);
        let planner = self.planners.with(at, learned.as_ref()).opens_with(opening);
        let plan = planner.plan(used, self.width, &roster, &usual, None);
        let Some(learned) = learned else { return Some(plan) };
        let plan = learned.plan_of(plan, vintage);
        self.learned.insert(series.clone(), learned);
        Some(plan)
    }

    /// The plans of a team's series. If the team has no roster of its own, the rosters of its series are added up.
    fn team_plans(&mut self, team: &Team, members: &Members<'_>) -> Plans {
        let planner = self.planner_of(&team.profile);
        let (Some(whole), Some(at)) = (pooled(members.values().copied()), planner) else {
            return Plans::new();
        };
        let keys: Vec<SeriesKey> = members.keys().map(|key| (*key).clone()).collect();
        let roster = self.roster_of_team(team, &keys);
        let learned = self.learn(at, &keys, (&whole, team.zone));
        let scaled = learned.as_ref().map(|own| own.same_load(&whole));
        let used = scaled.as_ref().unwrap_or(&whole);
        let usual: Vec<f64> = used.targets.iter().map(|t| t.baseline).collect();
        let opening = self.backlog_of(&keys);
        let planner = self.planners.with(at, learned.as_ref()).opens_with(opening);
        let plan = planner.plan(used, self.width, &roster, &usual, Some(team));
        let plan = match &learned {
            Some(own) => own.plan_of(plan, &whole),
            None => plan,
        };
        let parts: Vec<(&SeriesKey, &Vintage)> = members.iter().map(|(k, v)| (*k, *v)).collect();
        let planner = self.planners.with(at, learned.as_ref());
        let work = parts.iter().map(|(key, vintage)| {
            let own = opening.and_then(|_| self.backlogs.get(*key).copied());
            let scaled = learned.as_ref().map(|own| own.same_load(vintage));
            planner.opens_with(own).work_of(scaled.as_ref().unwrap_or(vintage), self.width, team)
        });
        let shared = shares(&plan, &parts, &work.collect::<Vec<_>>());
        let outage = members.values().find_map(|vintage| bench::outage(vintage));
        let vintage = scaled.unwrap_or(whole);
        let whole = Whole { vintage, learned, plan, members: keys, outage, opening };
        self.wholes.insert(team.name.clone(), whole);
        shared
    }

    /// The roster of a series.
    fn roster_of_series(&self, series: &SeriesKey) -> Vec<Presence> {
        let known = self.shifts.get(series).map_or(&[][..], Vec::as_slice);
        known.iter().map(Presence::from).collect()
    }

    /// The roster of a team; if it has none of its own, the sum of the rosters of its series.
    fn roster_of_team(&self, team: &Team, members: &[SeriesKey]) -> Vec<Presence> {
        match self.team_shifts.get(&team.name) {
            Some(own) if !own.is_empty() => {
                own.iter().map(|shift| shift.presence(&team.profile)).collect()
            }
            _ => {
                let of = |key| self.shifts.get(key).into_iter().flatten();
                members.iter().flat_map(of).map(Presence::from).collect()
            }
        }
    }

    /// The team that serves a series.
    pub fn team_of(&self, series: &SeriesKey) -> Option<Name> {
        self.rules.team_of(series).map(|team| team.name.clone())
    }

    /// The zone of a series' region.
    fn zone_of(&self, series: &SeriesKey) -> Zone {
        self.zones.0.get(&series.region).copied().unwrap_or(self.zones.1)
    }

    fn planner_of(&self, profile: &Profile) -> Option<usize> {
        self.planners.place_of(profile)
    }
}

/// Handling times of a series.
fn handling_times(own: &window::Backlog) -> HandlingTimes {
    let sums = |mean: &window::Mean| (mean.weight, mean.seconds);
    HandlingTimes {
        all: sums(&own.handling),
        by_hour: own.handling_by_hour.iter().map(sums).collect(),
    }
}

/// Adds shifts to those of their series or team, and removes existing shifts that overlap the span from the first start to the
/// last end.
fn replace_overlapping<K: Ord + Clone, T>(
    known: &mut BTreeMap<K, Vec<T>>,
    fresh: Vec<T>,
    of: impl Fn(&T) -> (K, Timestamp, Timestamp),
) {
    let mut by_owner: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for shift in fresh {
        by_owner.entry(of(&shift).0).or_default().push(shift);
    }
    for (owner, mut fresh) in by_owner {
        let from = fresh.iter().map(|shift| of(shift).1).min().unwrap_or(Timestamp::MIN);
        let to = fresh.iter().map(|shift| of(shift).2).max().unwrap_or(Timestamp::MAX);
        let known = known.entry(owner).or_default();
        known.retain(|shift| of(shift).2 <= from || of(shift).1 >= to);
        known.append(&mut fresh);
        known.sort_by_key(|shift| of(shift).1);
    }
}
