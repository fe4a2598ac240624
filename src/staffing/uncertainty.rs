//! Staffing for arrivals that are known only as a distribution.

use super::require::{StaffingError, demand, evaluate, meets_caps, smallest};
use super::types::{Profile, Staffing};

/// A distribution of arrivals per hour, given by its quantiles.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalsDistribution {
    /// Arrivals per hour and their weight; weights add up to 1.
    points: Vec<(f64, f64)>,
    levels: Vec<f64>,
}

impl ArrivalsDistribution {
    /// Computes it from quantiles (arrivals per hour) at ascending `levels` between 0 and 1. Each quantile represents the
    /// probabilities that are nearest to it. `None` without quantiles or if the lengths differ.
    pub fn new(levels: &[f64], quantiles: &[f64]) -> Option<Self> {
        if levels.is_empty() || levels.len() != quantiles.len() {
            return None;
        }
        let edge = |at: usize| match (at.checked_sub(1).map(|at| levels[at]), levels.get(at)) {
            (Some(below), Some(above)) => f64::midpoint(below, *above),
            (None, _) => 0.0,
            (_, None) => 1.0,
        };
        let point = |(at, arrivals): (usize, &f64)| (*arrivals, edge(at + 1) - edge(at));
        let points = quantiles.iter().enumerate().map(point).collect();
        Some(Self { points, levels: levels.to_vec() })
    }

    /// Arrivals at a probability, interpolated between the nearest quantiles; beyond the outermost quantile, that quantile.
    pub fn quantile(&self, probability: f64) -> f64 {
        let above = self.levels.partition_point(|level| *level < probability);
        let at = |at: usize| self.points[at.min(self.points.len() - 1)].0;
        if above == 0 || above == self.levels.len() {
            return at(above);
        }
        let (low, high) = (self.levels[above - 1], self.levels[above]);
        at(above - 1) + (at(above) - at(above - 1)) * (probability - low) / (high - low)
    }

    /// Calls `take` with each of the arrivals, their weight, and what belongs to their level.
    pub(super) fn each<T>(&self, of_levels: &mut [T], mut take: impl FnMut(f64, f64, &mut T)) {
        let all = self.points.iter().zip(of_levels);
        all.for_each(|((arrivals, weight), own)| take(*arrivals, *weight, own));
    }

    /// Expected service level of this number of positions over the distribution.
    ///
    /// # Errors
    /// [`StaffingError`] for arrivals or a load out of range.
    pub fn expected_level(&self, positions: u32, profile: &Profile) -> Result<f64, StaffingError> {
        let level = |(per_hour, weight): &(f64, f64)| {
            evaluate(*per_hour, positions, profile).map(|found| weight * found.service_level)
        };
        self.points.iter().map(level).sum()
    }
}

/// The smallest staffing whose service level, expected over the distribution, meets the target. Caps hold at the median.
/// The figures are those of the median, with the expected service level.
///
/// # Errors
/// [`StaffingError`] for arrivals or a load out of range, or a target that no number reaches.
pub fn required_expected(
    arrivals: &ArrivalsDistribution,
    profile: &Profile,
) -> Result<Staffing, StaffingError> {
    let median = arrivals.quantile(0.5);
    let most = arrivals.points.iter().map(|point| point.0).fold(0.0, f64::max);
    let load = demand(most, profile)?.load();
    let with = |n: u32| -> Result<Staffing, StaffingError> {
        let service_level = arrivals.expected_level(n, profile)?;
        Ok(Staffing { service_level, ..evaluate(median, n, profile)? })
    };
    let idle = with(0)?;
    if super::meets_targets(&idle, profile) {
        return Ok(idle);
    }
    let level = profile.target.fraction - super::require::SLACK;
    let holds = |n: u32| {
        with(n).is_ok_and(|found| found.service_level >= level && meets_caps(&found, profile))
    };
    with(smallest(load, profile, holds)?)
}

/// The quantile of arrivals to staff for. `under` is the cost of one contact beyond the capacity, `over` the cost of capacity
/// for one contact too many. The result is `under / (under + over)`, the rule of the newsvendor problem. `None` unless both
/// costs are positive numbers.
pub fn quantile_of_costs(under: f64, over: f64) -> Option<f64> {
    let valid = |cost: f64| cost.is_finite() && cost > 0.0;
    (valid(under) && valid(over)).then(|| under / (under + over))
}

/// Agents for an uncertain load with the coefficient of variation `cv`: `ρ + β·√(ρ + cv²ρ²)`, where `β` is the safety factor
/// for a certain load.
pub fn square_root_staffing(load: f64, cv: f64, beta: f64) -> f64 {
    load + beta * (load + cv * cv * load * load).sqrt()
}
