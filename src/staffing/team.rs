//! Teams: people who serve several series together. A pool needs fewer people than its parts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Plan, PlanTarget, Profile};
use crate::domain::{Hours, Name, SeriesKey, Timestamp, Zone};
use crate::forecast::{ForecastPoint, Vintage};

/// A team of `[teams.NAME]`. Each of its people serves all of its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    pub name: Name,
    /// Its series, all of one channel; `_all` stands for every region or service.
    pub series: Vec<SeriesKey>,
    /// Further series that its people can serve; of any channel.
    pub skills: Vec<SeriesKey>,
    pub profile: Profile,
    /// When the team is open; `None` for always.
    pub hours: Option<Hours>,
    /// The zone of its hours.
    pub zone: Zone,
    /// Minimum number of people at work while the team is open.
    pub minimum: u32,
}

impl Team {
    /// Whether it serves a series.
    pub fn serves(&self, series: &SeriesKey) -> bool {
        self.series.iter().any(|own| own.covers(series))
    }

    /// Whether its people can do all the work of another team.
    pub fn can_help(&self, other: &Self) -> bool {
        let can = |series| self.series.iter().chain(&self.skills).any(|own| own.covers(series));
        other.name != self.name && other.series.iter().all(can)
    }

    /// Whether it is open at an instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.covers(at, self.zone))
    }
}

/// Whether there is a series that both patterns cover.
pub fn overlap(one: &SeriesKey, other: &SeriesKey) -> bool {
    let part = |one: &Name, other: &Name| one.is_all() || other.is_all() || one == other;
    part(&one.region, &other.region)
        && part(&one.service, &other.service)
        && part(&one.channel, &other.channel)
}

/// The forecast of all of a team's series together: their sums, window by window. Quantiles are added as well, as if all series were
/// high or low at the same time. `None` for no forecast.
///
/// It begins where the newest forecast begins: a nowcast has no window before the open one, so earlier sums would lack its contacts.
/// From then on it has each window that any of them has.
pub fn pooled<'a>(parts: impl IntoIterator<Item = &'a Vintage>) -> Option<Vintage> {
    let parts: Vec<&Vintage> = parts.into_iter().collect();
    let issued_at = parts.iter().map(|part| part.issued_at).max()?;
    let newest = parts.iter().filter(|part| part.issued_at == issued_at);
    let begin = newest.filter_map(|part| part.targets.first()).map(|target| target.start).min();
    let mut sums: BTreeMap<Timestamp, ForecastPoint> = BTreeMap::new();
    for target in parts.iter().flat_map(|part| &part.targets) {
        if begin.is_some_and(|begin| target.start < begin) {
            continue;
        }
        match sums.entry(target.start) {
            Entry::Vacant(free) => _ = free.insert(target.clone()),
            Entry::Occupied(mut sum) => add(sum.get_mut(), target),
        }
    }
    let targets = sums.into_values().collect();
    Some(Vintage { issued_at, targets, ..parts.first().map(|first| (*first).clone())? })
}

fn add(sum: &mut ForecastPoint, more: &ForecastPoint) {
    sum.mean += more.mean;
    sum.baseline += more.baseline;
    sum.quantiles.iter_mut().zip(more.quantiles).for_each(|(own, more)| *own += more);
}

/// Plans of a team's series, from the plan of the team: each series has a share of the team's numbers that corresponds to its
/// share of the work, as given by [`Planner::work_of`](super::Planner::work_of) for each window. So agents who are still busy
/// with contacts of the previous window count for the series of these contacts. The numbers are whole, and add up to those of
/// the team.
pub fn shares(
    whole: &Plan,
    parts: &[(&SeriesKey, &Vintage)],
    work: &[Vec<f64>],
) -> BTreeMap<SeriesKey, Plan> {
    let plan = |(series, vintage): &(&SeriesKey, &Vintage)| {
        let (basis, targets) = (whole.basis.clone(), Vec::with_capacity(whole.targets.len()));
        Plan { series: (*series).clone(), issued_at: vintage.issued_at, basis, targets }
    };
    let mut plans: Vec<Plan> = parts.iter().map(plan).collect();
    for target in &whole.targets {
        let place = |(_, vintage): &(&SeriesKey, &Vintage)| {
            vintage.targets.iter().position(|own| own.start == target.start)
        };
        let places: Vec<Option<usize>> = parts.iter().map(place).collect();
        let weight = |(part, at): (&Vec<f64>, &Option<usize>)| {
            at.and_then(|at| part.get(at)).copied().unwrap_or(0.0)
        };
        let weights: Vec<f64> = work.iter().zip(&places).map(weight).collect();
        let present = (i64::from(target.agents) - i64::from(target.gap)).max(0);
        let split = |people: u32| divided(people, &weights);
        let (positions, agents) = (split(target.positions), split(target.agents));
        let (low, high) = (split(target.agents_low), split(target.agents_high));
        let scheduled = target.scheduled.map(split);
        let present = split(u32::try_from(present).unwrap_or(u32::MAX));
        for (at, plan) in plans.iter_mut().enumerate() {
            let gap = i64::from(agents[at]) - i64::from(present[at]);
            plan.targets.push(PlanTarget {
                start: target.start,
                arrivals: places[at].map_or(0.0, |own| parts[at].1.targets[own].mean),
                positions: positions[at],
                agents: agents[at],
                agents_low: low[at].min(agents[at]),
                agents_high: high[at].max(agents[at]),
                scheduled: scheduled.as_ref().map(|scheduled| scheduled[at]),
                gap: i32::try_from(gap).unwrap_or(i32::MAX),
                service_level: target.service_level,
            });
        }
    }
    plans.into_iter().map(|plan| (plan.series.clone(), plan)).collect()
}

/// Distributes people by weights in whole numbers that add up: the largest fractions are rounded up. If all weights are zero,
/// the first gets all people.
fn divided(people: u32, weights: &[f64]) -> Vec<u32> {
    let total: f64 = weights.iter().sum();
    let exact = |weight: &f64| if total > 0.0 { f64::from(people) * weight / total } else { 0.0 };
    let exact: Vec<f64> = weights.iter().map(exact).collect();
    let mut parts: Vec<u32> = exact.iter().map(|share| (share + 1e-9).floor() as u32).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let fraction = |at: usize| exact[at] - f64::from(parts[at]);
    order.sort_by(|a, b| fraction(*b).total_cmp(&fraction(*a)).then(a.cmp(b)));
    let left = people.saturating_sub(parts.iter().sum());
    let first = if total > 0.0 { order } else { vec![0] };
    for at in first.iter().cycle().take(if parts.is_empty() { 0 } else { left as usize }) {
        parts[*at] += 1;
    }
    parts
}
