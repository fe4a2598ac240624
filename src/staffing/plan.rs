//! A vintage against the roster: who is needed when, and what the next six hours hold.

use std::collections::HashMap;

use super::{
    Basis, Outlook, Plan, PlanTarget, Profile, Shift, Staffing, evaluate, required, with_shrinkage,
};
use crate::domain::{Timestamp, WindowWidth};
use crate::forecast::{ForecastPoint, Vintage};

/// Answers that a planner remembers; all of them are forgotten beyond that.
const REMEMBERED_MAX: usize = 100_000;

/// Plans the series of one profile, and remembers what it worked out: thousands of series ask the same.
#[derive(Clone, Debug)]
pub struct Planner {
    profile: Profile,
    basis: Basis,
    /// By [step](step) of the arrivals an hour.
    needs: HashMap<i64, Staffing>,
    /// Service levels, by step and seats.
    levels: HashMap<(i64, u32), f64>,
}

impl Planner {
    /// For the series of one profile.
    pub fn new(profile: Profile) -> Self {
        let basis = Basis::of(&profile);
        Self { profile, basis, needs: HashMap::new(), levels: HashMap::new() }
    }

    /// Staffing for every target of a vintage.
    ///
    /// `shifts` are those of this series; `usual` is what the targets' baseline expects, tickets a window,
    /// and stands in for the roster where there is none. Arrivals are rounded to three digits: far finer than any
    /// forecast. A target that no number of agents reaches is planned by its load alone.
    pub fn plan(
        &mut self,
        vintage: &Vintage,
        width: WindowWidth,
        shifts: &[Shift],
        usual: &[f64],
    ) -> Plan {
        if self.needs.len() + self.levels.len() > REMEMBERED_MAX {
            self.needs.clear();
            self.levels.clear();
        }
        let targets = vintage.targets.iter().enumerate().map(|(step, target)| {
            let usual = usual.get(step).copied().unwrap_or(target.baseline);
            self.target(target, width, shifts, usual)
        });
        let targets = targets.collect();
        let (series, issued_at) = (vintage.series.clone(), vintage.issued_at);
        Plan { series, issued_at, basis: self.basis.clone().into(), targets }
    }

    fn target(
        &mut self,
        target: &ForecastPoint,
        width: WindowWidth,
        shifts: &[Shift],
        usual: f64,
    ) -> PlanTarget {
        let per_hour = 3600.0 / f64::from(width.secs());
        let mean = self.need(target.mean * per_hour);
        let scheduled = scheduled(shifts, target.start, width.end(target.start));
        let present = scheduled.unwrap_or_else(|| self.need(usual * per_hour).agents);
        let agents = f64::from(scheduled.unwrap_or(mean.agents));
        let seats = (agents * (1.0 - self.profile.shrinkage)).floor() as u32;
        let level = self.level(target.mean * per_hour, seats).unwrap_or(mean.service_level);
        let [low, high] = [1, 5].map(|q| self.need(target.quantiles[q] * per_hour).agents);
        PlanTarget {
            start: target.start,
            arrivals: target.mean,
            positions: mean.positions,
            agents: mean.agents,
            agents_low: low.min(mean.agents),
            agents_high: high.max(mean.agents),
            scheduled,
            gap: i32::try_from(i64::from(mean.agents) - i64::from(present)).unwrap_or(i32::MAX),
            service_level: (level * 1e4).round() / 1e4,
        }
    }

    fn need(&mut self, per_hour: f64) -> Staffing {
        let (step, rounded) = step(per_hour);
        *self.needs.entry(step).or_insert_with(|| needed(rounded, &self.profile))
    }

    fn level(&mut self, per_hour: f64, seats: u32) -> Option<f64> {
        let (step, rounded) = step(per_hour);
        if let Some(known) = self.levels.get(&(step, seats)) {
            return Some(*known);
        }
        let level = evaluate(rounded, seats, &self.profile).ok()?.service_level;
        self.levels.insert((step, seats), level);
        Some(level)
    }
}

/// A number to three digits, and that as a whole number of thousandths: what lies within half a step is the same.
fn step(per_hour: f64) -> (i64, f64) {
    let magnitude = per_hour.abs().max(1.0).log10().floor().min(12.0) as i32;
    let unit = 10f64.powi(magnitude - 2);
    let rounded = (per_hour / unit).round() * unit;
    ((rounded * 1000.0).round() as i64, rounded)
}

fn needed(per_hour: f64, profile: &Profile) -> Staffing {
    required(per_hour, profile).unwrap_or_else(|_| {
        let load = (per_hour / 3600.0 * profile.aht.as_secs_f64()).clamp(0.0, 1e6);
        let positions = (load / profile.max_occupancy.unwrap_or(1.0).max(0.05)).ceil() as u32;
        Staffing {
            offered_load: load,
            positions,
            agents: with_shrinkage(positions, profile.shrinkage),
            service_level: 0.0,
            asa_seconds: 0.0,
            occupancy: 1.0,
            p_wait: 1.0,
            p_abandon: 0.0,
            carry_over: None,
            offered_per_hour: None,
        }
    })
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
