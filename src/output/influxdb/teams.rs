//! `team_staffing`: the plan of each team as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Fields, Line, line, nanos, tag};
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::staffing::{PlanTarget, Rules};

/// The plans of a team's series, added up.
#[derive(Default)]
struct Team<'a> {
    series: BTreeSet<&'a SeriesKey>,
    windows: BTreeMap<Timestamp, Sum>,
}

/// One window of a team.
#[derive(Default)]
struct Sum {
    /// Number of series that are in it.
    series: usize,
    positions: u32,
    agents: u32,
    scheduled: Option<u32>,
    gap: i32,
    service_level: f64,
}

impl Sum {
    /// A team has one service level. After a nowcast of a part of its series, plans differ: then the lowest counts.
    fn add(&mut self, target: &PlanTarget) {
        let first = self.series == 0;
        self.series += 1;
        self.positions = self.positions.saturating_add(target.positions);
        self.agents = self.agents.saturating_add(target.agents);
        self.gap = self.gap.saturating_add(target.gap);
        if let Some(scheduled) = target.scheduled {
            self.scheduled = Some(self.scheduled.unwrap_or(0).saturating_add(scheduled));
        }
        let level = target.service_level;
        self.service_level = if first { level } else { self.service_level.min(level) };
    }
}

/// `team_staffing` from the plans of single series: the shares of a team's series add up to the numbers of the team. Series without a
/// team are left out, and so are windows that only a part of a team's plans reaches.
pub(super) fn staffing<'a>(
    rules: &Rules,
    plans: impl IntoIterator<Item = (&'a SeriesKey, &'a [PlanTarget])>,
) -> Vec<Line> {
    if rules.teams().is_empty() {
        return Vec::new();
    }
    let mut teams: BTreeMap<&Name, Team<'a>> = BTreeMap::new();
    for (series, targets) in plans {
        let Some(team) = rules.team_of(series) else { continue };
        let team = teams.entry(&team.name).or_default();
        team.series.insert(series);
        for target in targets {
            team.windows.entry(target.start).or_default().add(target);
        }
    }
    let lines = teams.into_iter().flat_map(|(name, Team { series, windows })| {
        let complete = windows.into_iter().filter(move |(_, sum)| sum.series == series.len());
        complete.filter_map(move |(start, sum)| point(name, start, &sum))
    });
    lines.collect()
}

fn point(team: &Name, start: Timestamp, sum: &Sum) -> Option<Line> {
    let mut fields =
        Fields::new().integer("positions", sum.positions).integer("agents", sum.agents);
    if let Some(scheduled) = sum.scheduled {
        fields = fields.integer("scheduled", scheduled);
    }
    fields
        .integer("gap", sum.gap)
        .float("service_level", sum.service_level)
        .at(line("team_staffing").tag("team", &tag(team.as_str())), nanos(start))
}
