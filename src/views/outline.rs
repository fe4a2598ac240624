//! Plans beyond the forecasts: agents for the usual number of tickets, compared with the roster.

use std::collections::{BTreeMap, BTreeSet};

use super::gaps::Group;
use crate::domain::{DAY, Name, SeriesKey, Timestamp, WEEK};
use crate::forecast::{ForecastPoint, Vintage, quantiles};
use crate::staffing::{PlanTarget, Presence, Profile, Rules, Team, pooled};
use crate::stats::median;
use crate::store::{Filter, Reader, StoreError};
use crate::window::AggregationKey;

/// Number of past weeks from which the usual number is computed.
const WEEKS: u32 = 4;
/// Maximum number of series. With more, the answer would be slow.
const SERIES_MAX: usize = 500;

/// The windows that need an outline, and their series.
pub(super) struct Outline<'a> {
    pub(super) reader: &'a Reader,
    pub(super) rules: &'a Rules,
    pub(super) filter: &'a Filter,
    pub(super) span: (Timestamp, Timestamp),
    /// End of the last finalized window.
    pub(super) finalized_upto: Timestamp,
}

impl Outline<'_> {
    /// Plans from a start on, of teams and of series without a team, with the service level of their target.
    pub(super) fn windows(
        &self,
        begin: impl Fn(&Group) -> Timestamp,
    ) -> Result<Vec<(Group, f64, Vec<PlanTarget>)>, StoreError> {
        let mut groups: BTreeMap<Group, Vec<SeriesKey>> = BTreeMap::new();
        let mut first = BTreeMap::new();
        for own in self.reader.series()? {
            let is_planned = self.rules.profile_of(&own.series).is_some();
            if is_planned && self.filter.admits_series(&own.series) {
                groups
                    .entry(Group::of(self.rules, &own.series))
                    .or_default()
                    .push(own.series.clone());
                first.insert(own.series, own.first);
            }
        }
        if first.len() > SERIES_MAX {
            return Ok(Vec::new());
        }
        let rosters = Rosters::read(self)?;
        let mut found = Vec::new();
        for (group, leaves) in groups {
            let span = (begin(&group).max(self.span.0), self.span.1);
            if span.0 >= span.1 {
                continue;
            }
            let mut vintages = Vec::new();
            for leaf in &leaves {
                let since = first.get(leaf).copied().unwrap_or(Timestamp::MAX);
                vintages.push(self.usual(leaf, since, span)?);
            }
            let team = match &group {
                Group::Team(name) => self.rules.team(name.as_str()),
                Group::Place(..) => None,
            };
            if let Some(team) = team {
                let Some(whole) = pooled(&vintages) else { continue };
                let roster = rosters.of_team(team);
                let targets = self.planned(&team.profile, &whole, &roster, Some(team));
                found.push((group, team.profile.target.fraction, targets));
                continue;
            }
            for vintage in &vintages {
                let Some(profile) = self.rules.profile_of(&vintage.series) else { continue };
                let roster = rosters.of_series(&vintage.series);
                let targets = self.planned(profile, vintage, &roster, None);
                found.push((group.clone(), profile.target.fraction, targets));
            }
        }
        Ok(found)
    }

    /// The usual number of tickets of a series in each window of a span: the median of the same time in past weeks.
    fn usual(
        &self,
        leaf: &SeriesKey,
        since: Timestamp,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vintage, StoreError> {
        let width = self.reader.width();
        let key = AggregationKey::Tickets(leaf.clone());
        let mut counts: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
        for weeks in 1..=WEEKS {
            let back = WEEK * weeks;
            let found = self.reader.windows(&key, from - back, to - back)?;
            let missing: BTreeSet<Timestamp> =
                found.iter().filter(|(_, own)| own.missing).map(|(at, _)| *at).collect();
            let found: BTreeMap<Timestamp, u32> =
                found.into_iter().map(|(at, own)| (at, own.counts.tickets)).collect();
            let mut start = from;
            while start < to {
                let at = start - back;
                // A window without tickets has no row.
                let is_final = width.end(at) <= self.finalized_upto;
                if at >= since && is_final && !missing.contains(&at) {
                    let count = found.get(&at).copied().unwrap_or_default();
                    counts.entry(start).or_default().push(f64::from(count));
                }
                start = width.end(start);
            }
        }
        let point = |(start, mut counts): (Timestamp, Vec<f64>)| {
            let mean = median(&mut counts)?;
            Some(ForecastPoint {
                start,
                mean,
                quantiles: quantiles(mean, 0.0),
                baseline: mean,
                level: 1.0,
                alarm_effect: 0.0,
            })
        };
        Ok(Vintage {
            series: leaf.clone(),
            issued_at: from,
            targets: counts.into_iter().filter_map(point).collect(),
            members: Vec::new(),
            causes: Vec::new(),
            surges: None,
            fallback: None,
        })
    }

    fn planned(
        &self,
        profile: &Profile,
        vintage: &Vintage,
        roster: &[Presence],
        team: Option<&Team>,
    ) -> Vec<PlanTarget> {
        let usual: Vec<f64> = vintage.targets.iter().map(|target| target.baseline).collect();
        let mut planner = self.rules.planner(profile.clone());
        planner.plan(vintage, self.reader.width(), roster, &usual, team).targets
    }
}

/// The roster of a span.
struct Rosters {
    series: Vec<(SeriesKey, Presence)>,
    teams: BTreeMap<Name, Vec<Presence>>,
}

impl Rosters {
    fn read(of: &Outline<'_>) -> Result<Self, StoreError> {
        let (from, to) = (of.span.0 - DAY, of.span.1);
        let series = of.reader.shifts(&Filter::default(), from, to)?;
        let series = series.iter().map(|shift| (shift.series.clone(), Presence::from(shift)));
        let mut teams: BTreeMap<Name, Vec<Presence>> = BTreeMap::new();
        for shift in of.reader.team_shifts(from, to)? {
            if let Some(team) = of.rules.team(shift.team.as_str()) {
                teams.entry(team.name.clone()).or_default().push(shift.presence(&team.profile));
            }
        }
        Ok(Self { series: series.collect(), teams })
    }

    fn of_series(&self, series: &SeriesKey) -> Vec<Presence> {
        let own = self.series.iter().filter(|(of, _)| of == series);
        own.map(|(_, presence)| *presence).collect()
    }

    /// The roster of the team, or if it has none, those of its series.
    fn of_team(&self, team: &Team) -> Vec<Presence> {
        self.teams.get(&team.name).cloned().unwrap_or_else(|| {
            let own = self.series.iter().filter(|(of, _)| team.serves(of));
            own.map(|(_, presence)| *presence).collect()
        })
    }
}
