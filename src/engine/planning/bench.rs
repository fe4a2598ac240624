//! Desks for recommendations, and the service that their agents attain.

use std::time::Duration;

use super::{Planning, Whole};
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::engine::histories::Histories;
use crate::engine::issued::{Issued, Plans};
use crate::forecast::{ADJUSTMENT, QUANTILES, Vintage};
use crate::staffing::{
    AdviceRules, Desk, DeskWindow, Kind, Level, Model, Outcome, Plan, Planner, Presence, Profile,
    Recommendation, Service, Team, present,
};

/// The desks of one issue time.
pub struct RosteredDesks<'a> {
    planning: &'a mut Planning,
    issued: &'a Issued,
    keys: Vec<Key>,
}

/// A desk: a team, by its index in the rules, or a series.
enum Key {
    Team(usize),
    Series(SeriesKey),
}

impl<'a> RosteredDesks<'a> {
    /// All desks that have a roster, teams first.
    pub fn new(
        planning: &'a mut Planning,
        issued: &'a Issued,
        plans: &Plans,
        rules: &AdviceRules,
    ) -> (Vec<Desk>, Self) {
        let (mut desks, mut keys) = (Vec::new(), Vec::new());
        for (at, team) in planning.rules.teams().iter().enumerate() {
            let Some(whole) = planning.wholes.get(&team.name).filter(|own| is_rostered(&own.plan))
            else {
                continue;
            };
            let roster = planning.roster_of_team(team, &whole.members);
            let mut desk =
                desk(team.name.to_string(), &whole.plan, (&roster, planning.width), rules);
            desk.series.clone_from(&team.series);
            desk.zone = team.zone;
            desk.can_announce = answers_calls(&team.profile);
            desk.outage.clone_from(&whole.outage);
            for window in &mut desk.windows {
                window.is_open = team.is_open(window.start);
            }
            desks.push(desk);
            keys.push(Key::Team(at));
        }
        let teams = planning.rules.teams();
        let place = |key: &Key| if let Key::Team(at) = key { Some(&teams[*at]) } else { None };
        for (from, desk) in desks.iter_mut().enumerate() {
            let own = place(&keys[from]);
            let can = |to: &usize| {
                own.zip(place(&keys[*to])).is_some_and(|(own, other)| own.can_help(other))
            };
            desk.helps = (0..keys.len()).filter(can).collect();
        }
        for (series, plan) in plans {
            if planning.rules.team_of(series).is_some() || !is_rostered(plan) {
                continue;
            }
            let (Some(profile), Some(vintage)) =
                (planning.rules.profile_of(series), issued.served_of(series))
            else {
                continue;
            };
            let roster = planning.roster_of_series(series);
            let mut desk = desk(series.to_string(), plan, (&roster, planning.width), rules);
            desk.series = vec![series.clone()];
            desk.zone = planning.zone_of(series);
            desk.can_announce = answers_calls(profile);
            desk.outage = outage(vintage);
            desks.push(desk);
            keys.push(Key::Series(series.clone()));
        }
        (desks, Self { planning, issued, keys })
    }

    /// The outcome of a recommendation that was carried out; `None` while it is not known. `all` are the recommendations of the
    /// same days.
    pub fn outcome(
        &mut self,
        own: &Recommendation,
        all: &[Recommendation],
        histories: &Histories,
    ) -> Option<Outcome> {
        let width = self.planning.width;
        let team = self.planning.rules.team(&own.team).cloned();
        let (members, roster, profile, learned) = match &team {
            Some(team) => {
                let whole = self.planning.wholes.get(&team.name)?;
                let (members, learned) = (whole.members.clone(), whole.learned.clone());
                let roster = self.planning.roster_of_team(team, &members);
                (members, roster, team.profile.clone(), learned)
            }
            None => {
                let series = SeriesKey::parse(&own.team).ok()?;
                let profile = self.planning.rules.profile_of(&series)?.clone();
                let roster = self.planning.roster_of_series(&series);
                let learned = self.planning.learned.get(&series).cloned();
                (vec![series], roster, profile, learned)
            }
        };
        let mut starts = Vec::new();
        let mut at = width.floor(own.from);
        while at < own.to {
            starts.push(at);
            at = width.end(at);
        }
        let actual = |start: &Timestamp| {
            let counts =
                members.iter().map(|key| f64::from(histories.count(key, width.index(*start))));
            counts.filter(|count| !count.is_nan()).sum::<f64>()
        };
        let known = starts.iter().any(|start| {
            members.iter().any(|key| !histories.count(key, width.index(*start)).is_nan())
        });
        if !known {
            return None;
        }
        let actual: Vec<f64> = starts.iter().map(actual).collect();
        let mut with = Vec::with_capacity(starts.len());
        for start in &starts {
            let agreed = all.iter().filter(|own| own.is_agreed() && own.covers(*start));
            let more: i64 = agreed.map(|other| other.beside_roster(&own.team)).sum();
            with.push((present(&roster, *start, width.end(*start))? + more as f64).max(0.0));
        }
        let people = own.people(&own.team) as f64;
        let without: Vec<f64> = with.iter().map(|with| (with - people).max(0.0)).collect();
        let arrivals: f64 = actual.iter().sum();
        let deflected = own.kind == Kind::Announcement && own.arrivals > 0.0;
        // Without the announcement, the number of contacts would have been as forecast.
        let factor = if deflected && arrivals > 0.0 { own.arrivals / arrivals } else { 1.0 };
        let at = self.planning.planner_of(&profile)?;
        // The number of contacts that waited then is no longer known.
        let planner = self.planning.planners.with(at, learned.as_ref()).opens_with(None);
        let load = |start: &Timestamp| learned.as_ref().map_or(1.0, |own| own.factor(*start));
        let mut level = |people: &[f64], factor: f64| {
            let path = starts.iter().zip(&actual).map(|(at, count)| count * factor * load(at));
            let path: Vec<f64> = path.collect();
            let levels = planner.levels((&starts, width), (&[0.5], &[path]), people, team.as_ref());
            mean(&levels, &actual)
        };
        Some(Outcome {
            arrivals,
            expected_arrivals: own.arrivals,
            level_with: level(&with, 1.0),
            level_without: level(&without, factor),
            deflected: deflected.then(|| ((1.0 - arrivals / own.arrivals) * 1e4).round() / 1e4),
        })
    }
}

impl Service for RosteredDesks<'_> {
    fn levels(&mut self, desk: usize, people: &[f64], factor: f64) -> Vec<Level> {
        let Planning { planners, wholes, rules, by_series, width, backlogs, learned, .. } =
            &mut *self.planning;
        match &self.keys[desk] {
            Key::Team(at) => {
                let team = &rules.teams()[*at];
                let place = planners.place_of(&team.profile);
                let (Some(place), Some(Whole { vintage, opening, learned, .. })) =
                    (place, wholes.get(&team.name))
                else {
                    return Vec::new();
                };
                let planner = planners.with(place, learned.as_ref()).opens_with(*opening);
                levels(planner, vintage, (*width, factor), people, Some(team))
            }
            Key::Series(series) => {
                let planner = by_series.get(series).copied().flatten();
                let (Some(at), Some(vintage)) = (planner, self.issued.served_of(series)) else {
                    return Vec::new();
                };
                let learned = learned.get(series);
                let scaled = learned.map(|own| own.same_load(vintage));
                let vintage = scaled.as_ref().unwrap_or(vintage);
                let planner = planners.with(at, learned).opens_with(backlogs.get(series).copied());
                levels(planner, vintage, (*width, factor), people, None)
            }
        }
    }
}

fn levels(
    planner: &mut Planner,
    vintage: &Vintage,
    (width, factor): (WindowWidth, f64),
    people: &[f64],
    team: Option<&Team>,
) -> Vec<Level> {
    let starts: Vec<Timestamp> = vintage.targets.iter().map(|target| target.start).collect();
    let path = |at: usize| vintage.targets.iter().map(|t| t.quantiles[at] * factor).collect();
    let paths: Vec<Vec<f64>> = (0..QUANTILES.len()).map(path).collect();
    planner.levels((&starts, width), (&QUANTILES, &paths), people, team)
}

/// The mean service level, weighted by actual contacts, and rounded like the levels of plans.
fn mean(levels: &[Level], actual: &[f64]) -> f64 {
    let weight = |actual: &f64| actual + 1e-6;
    let sum: f64 =
        levels.iter().zip(actual).map(|(level, actual)| level.expected * weight(actual)).sum();
    let all: f64 = actual.iter().map(weight).sum();
    if all > 0.0 { (sum / all * 1e4).round() / 1e4 } else { 1.0 }
}

fn is_rostered(plan: &Plan) -> bool {
    plan.targets.iter().any(|target| target.scheduled.is_some())
}

fn answers_calls(profile: &Profile) -> bool {
    matches!(profile.model, Model::ErlangA(_) | Model::ErlangC(_))
}

/// The largest cause of extra contacts that is not a planner's adjustment.
pub(super) fn outage(vintage: &Vintage) -> Option<String> {
    let mut causes = vintage.causes.iter();
    let found = causes.find(|cause| cause.tickets > 0.0 && !cause.what.starts_with(ADJUSTMENT));
    found.map(|cause| cause.what.clone())
}

fn desk(
    name: String,
    plan: &Plan,
    (roster, width): (&[Presence], WindowWidth),
    rules: &AdviceRules,
) -> Desk {
    let windows = plan.targets.iter().map(|target| DeskWindow {
        start: target.start,
        needed: target.agents,
        needed_high: target.agents_high,
        scheduled: present(roster, target.start, width.end(target.start))
            .map(|people| (people + 1e-9) as u32),
        is_open: true,
        arrivals: target.arrivals,
        just_ended: just_ended(roster, target.start, rules.overtime_length),
    });
    Desk {
        name,
        series: Vec::new(),
        zone: crate::domain::Zone::UTC,
        helps: Vec::new(),
        can_announce: false,
        outage: None,
        windows: windows.collect(),
    }
}

/// By how many people the schedule shrank within `length` before an instant: people whose shift ended.
fn just_ended(roster: &[Presence], at: Timestamp, length: Duration) -> u32 {
    let mut ends: Vec<Timestamp> =
        roster.iter().map(|own| own.end).filter(|end| *end <= at && *end + length > at).collect();
    ends.sort_unstable();
    ends.dedup();
    let people = |holds: &dyn Fn(&Presence) -> bool| {
        roster.iter().filter(|own| holds(own)).map(|own| own.agents).sum::<f64>()
    };
    let left = |end: &Timestamp| {
        let before = people(&|own| own.start < *end && *end <= own.end);
        let after = people(&|own| own.start <= *end && *end < own.end);
        (before - after).max(0.0)
    };
    (ends.iter().map(left).sum::<f64>() + 1e-9) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_home_may_stay_and_who_is_relieved_is_counted_once() {
        let at = |hour: i64| Timestamp::from_secs(1_767_225_600 + hour * 3600);
        let shift = |from, to, agents| Presence { start: at(from), end: at(to), agents };
        let ended =
            |roster: &[Presence], hour| just_ended(roster, at(hour), Duration::from_secs(2 * 3600));
        // The same people hour by hour: nobody leaves.
        assert_eq!(ended(&[shift(8, 9, 10.0), shift(9, 10, 10.0)], 9), 0);
        let day = [shift(6, 14, 20.0), shift(14, 22, 14.0)];
        assert_eq!([13, 14, 15, 16].map(|hour| ended(&day, hour)), [0, 6, 6, 0]);
        assert_eq!([22, 23, 24].map(|hour| ended(&day, hour)), [14, 14, 0]);
    }
}
