//! Needed and scheduled agents over a span, by team; by region and service for series without a team. `gap_service` adds what
//! contacts attained.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::gap_service::Missing;
use super::outline::Outline;
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::staffing::{Plan, PlanTarget, Rules};
use crate::store::{Filter, Reader, StoreError};

/// Agents of a team, or of a region and service, in one window.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct GapTarget {
    pub start: String,
    #[serde(skip)]
    pub(super) at: Timestamp,
    /// Whether no forecast reaches the window yet: then it is planned for the usual number of tickets, the median of the same time in
    /// up to four past weeks.
    pub outline: bool,
    /// Whether the team is closed when the window begins; false without hours.
    pub closed: bool,
    pub arrivals: f64,
    pub agents: u32,
    /// Agents on the roster; null where at least one series has none.
    pub scheduled: Option<u32>,
    /// For a team: needed less scheduled agents. For a region and service: the sum over the series that lack agents, because
    /// agents of one channel do not help in another. If no series lacks agents: the sum over all series.
    pub gap: i32,
    /// Expected service level, weighted by arrivals; null without arrivals.
    pub service_level: Option<f64>,
    /// Service level that the contacts of the window attained; null where `attained_missing` says why.
    pub attained_service_level: Option<f64>,
    /// Contacts behind `attained_service_level`.
    pub judged: u32,
    /// Share of the contacts that were abandoned; null without contacts.
    pub abandonment: Option<f64>,
    #[schema(value_type = Option<String>)]
    pub attained_missing: Option<Missing>,
    /// Open tickets at the end of the window; null where `backlog_missing` says why.
    pub backlog: Option<u32>,
    #[schema(value_type = Option<String>)]
    pub backlog_missing: Option<Missing>,
}

/// The windows of one team, or of one region and service.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapRow {
    /// Null where no team serves: then `region` and `service` say what the row is.
    pub team: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// The largest gap of its windows.
    pub gap_max: i32,
    /// Service level that the target asks for, 0 to 1; the lowest where the series of the row have different ones.
    pub target_service_level: Option<f64>,
    #[serde(skip)]
    pub(super) group: Group,
    pub targets: Vec<GapTarget>,
}

/// The series of a row: those of a team, or of a region and service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Team(Name),
    Place(Name, Name),
}

impl Group {
    /// The group to which a series belongs.
    pub(super) fn of(rules: &Rules, series: &SeriesKey) -> Self {
        let place = || Self::Place(series.region.clone(), series.service.clone());
        rules.team_of(series).map_or_else(place, |team| Self::Team(team.name.clone()))
    }

    /// Team, region and service, as in answers.
    pub(super) fn names(&self) -> (Option<String>, Option<String>, Option<String>) {
        match self {
            Self::Team(team) => (Some(team.to_string()), None, None),
            Self::Place(region, service) => {
                (None, Some(region.to_string()), Some(service.to_string()))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    arrivals: f64,
    agents: u32,
    scheduled: Option<u32>,
    series: u32,
    gap: i32,
    short: i32,
    answered: f64,
    outline: bool,
}

impl Sum {
    fn add(&mut self, target: &PlanTarget) {
        let all_before = self.series == 0 || self.scheduled.is_some();
        let scheduled = self.scheduled.unwrap_or_default();
        self.scheduled = target.scheduled.filter(|_| all_before).map(|own| own + scheduled);
        self.series += 1;
        self.arrivals += target.arrivals;
        self.agents += target.agents;
        self.gap += target.gap;
        self.short += target.gap.max(0);
        self.answered += target.service_level * target.arrivals;
    }

    fn gap(&self, group: &Group) -> i32 {
        match group {
            Group::Place(..) if self.short > 0 => self.short,
            _ => self.gap,
        }
    }

    fn target(&self, start: Timestamp, group: &Group) -> GapTarget {
        let share = (self.answered / self.arrivals * 1e4).round() / 1e4;
        GapTarget {
            start: start.to_string(),
            at: start,
            arrivals: crate::forecast::rounded(self.arrivals),
            agents: self.agents,
            scheduled: self.scheduled,
            gap: self.gap(group),
            service_level: (self.arrivals > 0.0).then_some(share),
            outline: self.outline,
            ..GapTarget::default()
        }
    }
}

/// Rows of the windows that start in `from..to`, the largest gap first. Windows that have begun have the plan with which they
/// began, the others the newest plan. With `outlined`, windows that no forecast reaches yet are planned for the usual number of
/// tickets.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn gaps(
    reader: &Reader,
    rules: &Rules,
    filter: &Filter,
    (from, to): (Timestamp, Timestamp),
    outlined: bool,
) -> Result<Vec<GapRow>, StoreError> {
    let mut sums: BTreeMap<Group, Row> = BTreeMap::new();
    let mut add = |series: &SeriesKey, target: &PlanTarget| {
        let row = sums.entry(Group::of(rules, series)).or_default();
        row.windows.entry(target.start).or_default().add(target);
        let wanted = rules.profile_of(series).map(|profile| profile.target.fraction);
        row.wanted = wanted.into_iter().chain(row.wanted).reduce(f64::min);
    };
    let mut planned: BTreeSet<(SeriesKey, Timestamp)> = BTreeSet::new();
    for (plan, _) in reader.plans()? {
        let Some(plan) = plan.filter(|plan| filter.admits_series(&plan.series)) else { continue };
        for target in plan.targets.iter().filter(|target| (from..to).contains(&target.start)) {
            planned.insert((plan.series.clone(), target.start));
            add(&plan.series, target);
        }
    }
    for (series, target) in reader.staffed_between(None, from, to)? {
        let is_new = !planned.contains(&(series.clone(), target.start));
        if is_new && filter.admits_series(&series) {
            add(&series, &target);
        }
    }
    let finalized_upto = reader.state::<i64>("next_window")?.map(Timestamp::from_millis);
    if let Some(finalized_upto) = finalized_upto.filter(|upto| outlined && *upto < to) {
        outline(&Outline { reader, rules, filter, span: (from, to), finalized_upto }, &mut sums)?;
    }
    let mut rows: Vec<GapRow> = sums.into_iter().map(|row| row_of(row, rules)).collect();
    rows.sort_by_key(|row| Reverse(row.gap_max));
    Ok(rows)
}

/// Adds outlines after the last planned window of each row.
fn outline(of: &Outline<'_>, sums: &mut BTreeMap<Group, Row>) -> Result<(), StoreError> {
    let reader = of.reader;
    let planned = |plan: &Plan| plan.targets.last().map(|last| reader.width().end(last.start));
    let mut ends: BTreeMap<Group, Timestamp> = BTreeMap::new();
    for (plan, _) in reader.plans()? {
        let Some((plan, end)) = plan.and_then(|plan| planned(&plan).map(|end| (plan, end))) else {
            continue;
        };
        let own = ends.entry(Group::of(of.rules, &plan.series)).or_insert(end);
        *own = (*own).max(end);
    }
    let begin = |group: &Group| ends.get(group).copied().unwrap_or(of.finalized_upto);
    for (group, wanted, targets) in of.windows(begin)? {
        let row = sums.entry(group).or_default();
        row.wanted = row.wanted.into_iter().chain([wanted]).reduce(f64::min);
        for target in targets {
            let sum = row.windows.entry(target.start).or_default();
            sum.add(&target);
            sum.outline = true;
        }
    }
    sums.retain(|_, row| !row.windows.is_empty());
    Ok(())
}

/// The windows of a row, and the lowest service level among its targets.
#[derive(Default)]
struct Row {
    windows: BTreeMap<Timestamp, Sum>,
    wanted: Option<f64>,
}

fn row_of((group, row): (Group, Row), rules: &Rules) -> GapRow {
    let team = match &group {
        Group::Team(name) => rules.team(name.as_str()),
        Group::Place(..) => None,
    };
    let is_closed = |at: Timestamp| team.is_some_and(|team| !team.is_open(at));
    let target = |(start, sum): (&Timestamp, &Sum)| GapTarget {
        closed: is_closed(*start),
        ..sum.target(*start, &group)
    };
    let targets: Vec<GapTarget> = row.windows.iter().map(target).collect();
    let gap_max = targets.iter().map(|target| target.gap).max().unwrap_or_default();
    let (team, region, service) = group.names();
    let target_service_level = row.wanted;
    GapRow { team, region, service, gap_max, target_service_level, group, targets }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(gap: i32, scheduled: Option<u32>) -> PlanTarget {
        PlanTarget {
            start: Timestamp::from_millis(0),
            arrivals: 10.0,
            positions: 5,
            agents: 8,
            agents_low: 6,
            agents_high: 10,
            scheduled,
            gap,
            service_level: 0.8,
        }
    }

    #[test]
    fn spare_agents_of_one_channel_do_not_help_another() {
        let name = |text| Name::new(text).expect("a name");
        let groups = [Group::Team(name("desk")), Group::Place(name("north"), name("mobile"))];
        let cases =
            [([3, -2], [1, 3]), ([-1, -2], [-3, -3]), ([2, 2], [4, 4]), ([0, -5], [-5, -5])];
        for (gaps, expected) in cases {
            let mut sum = Sum::default();
            gaps.iter().for_each(|gap| sum.add(&target(*gap, Some(5))));
            assert_eq!(groups.each_ref().map(|group| sum.gap(group)), expected, "{gaps:?}");
            assert_eq!((sum.scheduled, sum.agents), (Some(10), 16));
        }
    }

    #[test]
    fn a_row_is_scheduled_where_all_its_series_are() {
        let cases = [
            (vec![Some(1), Some(2)], Some(3)),
            (vec![None, Some(2)], None),
            (vec![Some(2), None, Some(1)], None),
        ];
        for (scheduled, expected) in cases {
            let mut sum = Sum::default();
            scheduled.iter().for_each(|own| sum.add(&target(1, *own)));
            assert_eq!(sum.scheduled, expected, "{scheduled:?}");
        }
    }
}
