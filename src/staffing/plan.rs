//! A vintage against the roster: who is needed when, and what the next six hours hold.

use super::models::Model;
use super::table::{Table, by_load, spread_work};
use super::time_varying::equivalent_arrivals;
use super::{Basis, Outlook, Plan, PlanTarget, Profile, Shift, with_shrinkage};
use crate::domain::{Timestamp, WindowWidth};
use crate::forecast::{ForecastPoint, Vintage};

/// Plans the series of one profile, from a table: thousands of series ask the same.
#[derive(Clone, Debug)]
pub struct Planner {
    profile: Profile,
    basis: Basis,
    table: Table,
}

/// Positions that are needed for the same arrivals throughout the windows of a vintage.
struct Needs {
    /// The window's largest load of live contacts, as arrivals an hour; Erlang of deferred work.
    work: Vec<f64>,
    positions: Vec<u32>,
}

impl Planner {
    /// For the series of one profile.
    pub fn new(profile: Profile) -> Self {
        let basis = Basis::of(&profile);
        Self { table: Table::new(profile.clone()), profile, basis }
    }

    /// Plans from a table that was built ahead for the same profile.
    pub fn use_table(&mut self, table: Table) {
        self.table = table;
    }

    /// Staffing for every target of a vintage.
    ///
    /// `shifts` are those of this series; `usual` is what the targets' baseline expects, tickets a window,
    /// and stands in for the roster where there is none. Live contacts are planned for the largest load of each window (modified
    /// offered load), deferred work is spread until its deadline. A target that no number of agents reaches is planned by its
    /// load alone.
    pub fn plan(
        &mut self,
        vintage: &Vintage,
        width: WindowWidth,
        shifts: &[Shift],
        usual: &[f64],
    ) -> Plan {
        let points = &vintage.targets;
        let arrivals = |of: fn(&ForecastPoint) -> f64| points.iter().map(of).collect::<Vec<f64>>();
        let usual = points
            .iter()
            .enumerate()
            .map(|(step, point)| usual.get(step).copied().unwrap_or(point.baseline))
            .collect::<Vec<f64>>();
        let mean = self.needs(&arrivals(|point| point.mean), width);
        let low = self.needs(&arrivals(|point| point.quantiles[1]), width);
        let high = self.needs(&arrivals(|point| point.quantiles[5]), width);
        let usual = self.needs(&usual, width);
        let agents = |positions: u32| with_shrinkage(positions, self.profile.shrinkage);
        let mut targets = Vec::with_capacity(points.len());
        // Deferred work that was not done in its window, Erlang.
        let mut overdue = 0.0;
        for (step, point) in points.iter().enumerate() {
            let scheduled = scheduled(shifts, point.start, width.end(point.start));
            let needed = agents(mean.positions[step]);
            let present = scheduled.unwrap_or_else(|| agents(usual.positions[step]));
            let people = f64::from(scheduled.unwrap_or(needed)) * (1.0 - self.profile.shrinkage);
            let level = if self.is_deferred() {
                let work = mean.work[step] + overdue;
                let done = work.min(people * self.profile.max_occupancy.unwrap_or(1.0) + 1e-9);
                overdue = work - done;
                if work > 0.0 { done / work } else { 1.0 }
            } else {
                self.table.level(mean.work[step], people + 1e-9).unwrap_or(0.0)
            };
            targets.push(PlanTarget {
                start: point.start,
                arrivals: point.mean,
                positions: mean.positions[step],
                agents: needed,
                agents_low: agents(low.positions[step]).min(needed),
                agents_high: agents(high.positions[step]).max(needed),
                scheduled,
                gap: i32::try_from(i64::from(needed) - i64::from(present)).unwrap_or(i32::MAX),
                service_level: (level * 1e4).round() / 1e4,
            });
        }
        let (series, issued_at) = (vintage.series.clone(), vintage.issued_at);
        Plan { series, issued_at, basis: self.basis.clone().into(), targets }
    }

    fn is_deferred(&self) -> bool {
        matches!(self.profile.model, Model::Deferred(_))
    }

    /// What so many arrivals in each window need.
    fn needs(&mut self, arrivals: &[f64], width: WindowWidth) -> Needs {
        let seconds = f64::from(width.secs());
        if let Model::Deferred(deferred) = self.profile.model {
            let aht = self.profile.aht.as_secs_f64();
            let within = self.profile.target.within.as_secs_f64();
            let work = spread_work(arrivals, deferred.backlog, (aht, within, seconds));
            let occupancy = self.profile.max_occupancy.unwrap_or(1.0);
            let positions = |work: &f64| (work.clamp(0.0, 1e6) / occupancy - 1e-9).ceil() as u32;
            return Needs { positions: work.iter().map(positions).collect(), work };
        }
        let mut work = equivalent_arrivals(arrivals, seconds, self.profile.seconds_in_progress());
        work.iter_mut().for_each(|arrivals| *arrivals *= 3600.0 / seconds);
        let need = |per_hour: &f64| {
            self.table.positions(*per_hour).unwrap_or_else(|_| by_load(*per_hour, &self.profile))
        };
        Needs { positions: work.iter().map(need).collect(), work }
    }
}

/// People on the roster all through a window; `None` where the roster does not speak of it.
fn scheduled(shifts: &[Shift], start: Timestamp, end: Timestamp) -> Option<u32> {
    let mut present = shifts.iter().filter(|s| s.start <= start && s.end >= end).peekable();
    present.peek()?;
    Some(present.map(|shift| shift.agents).sum())
}

/// What the horizon holds for a series, as present-time numbers.
pub fn outlook(vintage: &Vintage, plan: Option<&Plan>) -> Outlook {
    let mut peak = (0.0, vintage.issued_at);
    let (mut expected, mut baseline) = (0.0, 0.0);
    for target in &vintage.targets {
        if target.mean > peak.0 {
            peak = (target.mean, target.start);
        }
        expected += target.mean;
        baseline += target.baseline;
    }
    let mut worst: Option<(i32, Timestamp)> = None;
    for target in plan.map_or(&[][..], |plan| &plan.targets) {
        if worst.is_none_or(|(gap, _)| target.gap > gap) {
            worst = Some((target.gap, target.start));
        }
    }
    let breach = plan.and_then(|plan| {
        plan.targets.iter().find(|t| t.scheduled.is_some_and(|scheduled| t.agents > scheduled))
    });
    Outlook {
        series: vintage.series.clone(),
        issued_at: vintage.issued_at,
        peak: peak.0,
        peak_at: peak.1,
        over_baseline: if baseline > 0.0 { expected / baseline } else { 1.0 },
        gap_max: worst.map(|(gap, _)| gap),
        gap_at: worst.map(|(_, at)| at),
        minutes_to_breach: breach
            .map(|t| u32::try_from(t.start.since(vintage.issued_at).as_secs() / 60).unwrap_or(0)),
    }
}
