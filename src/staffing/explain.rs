//! Expected service of a plan, the target that determines its size, and plans under other assumptions.

use std::time::Duration;

use serde::Serialize;

use super::plan::Planner;
use super::roster::{Presence, present};
use super::target::ServiceTarget;
use super::types::Profile;
use super::{ArrivalsDistribution, Level, Plan, Team};
use crate::domain::{Timestamp, WindowWidth};
use crate::forecast::{QUANTILES, Vintage};

/// The target that determines the positions of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The team is closed.
    Closed,
    /// The team's minimum.
    Minimum,
    /// With one agent fewer, too few contacts would be answered in time.
    ServiceLevel,
    /// With one agent fewer, the occupancy would be too high.
    Occupancy,
    /// With one agent fewer, the mean wait would be too long.
    Wait,
    /// With one agent fewer, too many callers would hang up.
    Abandonment,
    /// Work that may wait would not be done in time.
    Deadline,
    /// No number of agents meets all targets: only the load determines the positions.
    Load,
}

/// Expected service in one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    pub start: Timestamp,
    /// The window's largest load, Erlang.
    pub offered_load: f64,
    /// People at work: those on the roster after shrinkage, or without a roster those who are needed.
    pub people: f64,
    /// Service level expected over the forecast's quantiles.
    pub expected_service_level: f64,
    /// Mean wait; `None` if it has no limit, and for deferred work.
    pub asa_seconds: Option<f64>,
    pub p_wait: f64,
    pub p_abandon: f64,
    pub occupancy: f64,
    /// Contacts that are not done at the end of the window, whenever they are due; of deferred work.
    pub backlog: Option<f64>,
    pub bound_by: Bound,
}

/// Assumptions that differ from the configuration and the forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WhatIf {
    pub aht: Option<Duration>,
    /// Agents on the schedule in every window.
    pub agents: Option<u32>,
    pub target: Option<ServiceTarget>,
    pub shrinkage: Option<f64>,
    /// Factor on the arrivals.
    pub arrivals_factor: Option<f64>,
}

impl WhatIf {
    /// The profile under these assumptions.
    pub fn profile(&self, own: &Profile) -> Profile {
        let shrinkage = self.shrinkage.unwrap_or(own.shrinkage);
        Profile {
            aht: self.aht.unwrap_or(own.aht),
            target: self.target.unwrap_or(own.target),
            shrinkage,
            absence: own.absence.min(shrinkage),
            ..own.clone()
        }
    }

    /// The forecast under these assumptions. Usual numbers are not changed.
    pub fn vintage(&self, own: &Vintage) -> Vintage {
        let factor = self.arrivals_factor.unwrap_or(1.0);
        let mut vintage = own.clone();
        for target in &mut vintage.targets {
            target.mean *= factor;
            target.quantiles.iter_mut().for_each(|quantile| *quantile *= factor);
        }
        vintage
    }

    /// The roster under these assumptions.
    pub fn roster(&self, own: Vec<Presence>) -> Vec<Presence> {
        let everywhere = |agents| Presence {
            start: Timestamp::MIN,
            end: Timestamp::MAX,
            agents: f64::from(agents),
        };
        self.agents.map_or(own, |agents| vec![everywhere(agents)])
    }
}

impl Planner {
    /// Figures of each window of a plan that this planner made from the same vintage, roster and team.
    pub fn figures(
        &mut self,
        plan: &Plan,
        (vintage, width): (&Vintage, WindowWidth),
        roster: &[Presence],
        team: Option<&Team>,
    ) -> Vec<Figures> {
        let open: Vec<bool> =
            vintage.targets.iter().map(|p| team.is_none_or(|team| team.is_open(p.start))).collect();
        let minimum = team.map_or(0, |team| team.minimum);
        let when = (width, open.as_slice(), minimum);
        let mean: Vec<f64> = vintage.targets.iter().map(|point| point.mean).collect();
        let work = self.needs(&mean, when).work;
        let by_quantile: Vec<Vec<f64>> = (0..QUANTILES.len())
            .map(|at| {
                let path: Vec<f64> = vintage.targets.iter().map(|p| p.quantiles[at]).collect();
                self.needs(&path, when).work
            })
            .collect();
        let (mut overdue, mut waiting) = (0.0, self.waiting(mean.first().copied(), width));
        // Deferred work that the windows before leave undone, on each path of the quantiles.
        let mut left = [0.0; QUANTILES.len()];
        let mut figures = Vec::with_capacity(plan.targets.len());
        for (step, target) in plan.targets.iter().enumerate() {
            let (Some(own), Some(is_open)) = (work.get(step), open.get(step)) else { break };
            let end = width.end(target.start);
            let people = present(roster, target.start, end).unwrap_or(f64::from(target.agents));
            let people = people * (1.0 - self.profile().shrinkage);
            let spread: Vec<f64> = by_quantile.iter().map(|path| path[step]).collect();
            let mut expected = 0.0;
            if let Some(arrivals) = ArrivalsDistribution::new(&QUANTILES, &spread) {
                arrivals.each(&mut left, |work, weight, left| {
                    expected += weight * self.attained(work, people, left);
                });
            }
            let bound_by = match (is_open, target.positions <= minimum && minimum > 0) {
                (false, _) => Bound::Closed,
                (_, true) => Bound::Minimum,
                _ => self.bound(*own, target.positions),
            };
            let before = *own + overdue;
            let found = self.at(*own, people, &mut overdue);
            if let Some(waiting) = &mut waiting {
                let done = self.contacts(before - overdue, width);
                *waiting = (*waiting + mean[step] - done).max(0.0);
            }
            figures.push(Figures {
                start: target.start,
                expected_service_level: expected,
                backlog: waiting,
                bound_by,
                ..found
            });
        }
        figures
    }

    /// Service levels in each window for arrivals that are known by their quantiles: one sequence of windows for each of
    /// `levels`. `people` are the people on the schedule in each window.
    pub fn levels(
        &mut self,
        (starts, width): (&[Timestamp], WindowWidth),
        (levels, paths): (&[f64], &[Vec<f64>]),
        people: &[f64],
        team: Option<&Team>,
    ) -> Vec<Level> {
        let open: Vec<bool> =
            starts.iter().map(|at| team.is_none_or(|team| team.is_open(*at))).collect();
        let when = (width, open.as_slice(), team.map_or(0, |team| team.minimum));
        let work: Vec<Vec<f64>> = paths.iter().map(|path| self.needs(path, when).work).collect();
        let target = self.profile().target.fraction - 1e-9;
        let at_work = 1.0 - self.profile().shrinkage;
        let mut found = Vec::with_capacity(starts.len());
        let mut left = vec![0.0; levels.len()];
        for step in 0..starts.len() {
            let spread: Vec<f64> = work.iter().map(|path| path[step]).collect();
            let people = people.get(step).copied().unwrap_or(0.0) * at_work;
            let (mut expected, mut met) = (0.0, 0.0);
            if let Some(arrivals) = ArrivalsDistribution::new(levels, &spread) {
                arrivals.each(&mut left, |work, weight, left| {
                    let level = self.attained(work, people, left);
                    expected += weight * level;
                    met += if level >= target { weight } else { 0.0 };
                });
            }
            found.push(Level { expected, met });
        }
        found
    }
}
