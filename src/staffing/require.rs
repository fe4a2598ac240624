//! The smallest number of positions that meets all targets.

use thiserror::Error;

use super::models::{Answer, Demand};
use super::redial;
use super::shrinkage::with_shrinkage;
use super::types::{Profile, Staffing};

/// Largest supported load, Erlang.
const LOAD_MAX: f64 = 100_000.0;
pub(super) const SLACK: f64 = 1e-12;

/// Why there is no number of agents.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum StaffingError {
    #[error("arrivals of {0} an hour: use a number from 0 up")]
    Arrivals(f64),
    #[error("a load of {0:.0} Erlang: use at most {LOAD_MAX}")]
    Load(f64),
    #[error("no number of agents reaches the target: {0}")]
    Unreachable(&'static str),
}

/// Figures of a given number of positions.
///
/// # Errors
/// [`StaffingError`] for arrivals or a load out of range.
pub fn evaluate(
    arrivals_per_hour: f64,
    positions: u32,
    profile: &Profile,
) -> Result<Staffing, StaffingError> {
    let demand = demand(arrivals_per_hour, profile)?;
    Ok(figures(&demand, positions, profile, &profile.model.queue().at(positions)))
}

/// The demand of this number of contacts per hour.
pub(super) fn demand(per_hour: f64, profile: &Profile) -> Result<Demand, StaffingError> {
    if !per_hour.is_finite() || per_hour < 0.0 {
        return Err(StaffingError::Arrivals(per_hour));
    }
    let efficiency = profile.model.queue().efficiency(profile.concurrency);
    let demand = Demand {
        arrivals: per_hour / 3600.0,
        aht: profile.aht.as_secs_f64() / efficiency,
        target: profile.target,
        max_occupancy: profile.max_occupancy,
    };
    let load = demand.load();
    if load > LOAD_MAX { Err(StaffingError::Load(load)) } else { Ok(demand) }
}

/// Figures of `positions`, for which the model gives `answer`.
pub(super) fn figures(
    demand: &Demand,
    positions: u32,
    profile: &Profile,
    answer: &dyn Fn(&Demand) -> Answer,
) -> Staffing {
    let queue = profile.model.queue();
    let idle = Staffing {
        offered_load: demand.load(),
        positions,
        agents: with_shrinkage(positions, profile.shrinkage),
        service_level: 1.0,
        asa_seconds: 0.0,
        occupancy: 0.0,
        p_wait: 0.0,
        p_abandon: 0.0,
        carry_over: queue.carry_over(demand, positions),
        offered_per_hour: None,
    };
    if !queue.has_work(demand) {
        return idle;
    }
    let offered = redial::offered(demand, profile.redial, answer);
    let answer = answer(&offered);
    Staffing {
        offered_load: offered.load(),
        service_level: answer.service_level,
        asa_seconds: answer.asa_seconds,
        occupancy: answer.occupancy,
        p_wait: answer.p_wait,
        p_abandon: answer.p_abandon,
        offered_per_hour: (profile.redial > 0.0).then_some(offered.arrivals * 3600.0),
        ..idle
    }
}

/// Whether figures meet all targets of the profile.
pub fn meets_targets(staffing: &Staffing, profile: &Profile) -> bool {
    staffing.service_level + SLACK >= profile.target.fraction && meets_caps(staffing, profile)
}

/// Whether figures meet all targets except the service level.
pub(super) fn meets_caps(staffing: &Staffing, profile: &Profile) -> bool {
    let fits = |value: f64, most: Option<f64>| most.is_none_or(|most| value <= most + SLACK);
    let stable = staffing.offered_load <= 0.0
        || demand(0.0, profile).is_ok_and(|demand| {
            let arrivals = staffing.offered_load / demand.aht;
            profile.model.queue().is_stable(&Demand { arrivals, ..demand }, staffing.positions)
        });
    stable
        && fits(staffing.occupancy, profile.max_occupancy)
        && fits(staffing.asa_seconds, profile.max_asa.map(|asa| asa.as_secs_f64()))
        && fits(staffing.p_abandon, profile.max_abandonment)
}

/// The smallest staffing that meets all targets of the profile; zero without work.
///
/// # Errors
/// [`StaffingError`] for arrivals or a load out of range, or a target that no number reaches.
pub fn required(arrivals_per_hour: f64, profile: &Profile) -> Result<Staffing, StaffingError> {
    let demand = demand(arrivals_per_hour, profile)?;
    if !profile.model.queue().has_work(&demand) {
        return evaluate(arrivals_per_hour, 0, profile);
    }
    let n = smallest(demand.load(), profile, |n| {
        evaluate(arrivals_per_hour, n, profile).is_ok_and(|found| meets_targets(&found, profile))
    })?;
    evaluate(arrivals_per_hour, n, profile)
}

/// The smallest number for which `holds` is true, for a load in Erlang.
///
/// More people never make any figure worse, so a bisection finds the smallest number.
pub(super) fn smallest(
    load: f64,
    profile: &Profile,
    holds: impl Fn(u32) -> bool,
) -> Result<u32, StaffingError> {
    // Occupancy alone needs at most this many; the queue needs a few square roots of the load more.
    let by_occupancy = load / profile.max_occupancy.unwrap_or(1.0).max(0.01);
    let mut high = (by_occupancy + 4.0 * load.sqrt() + 4.0).ceil() as u32;
    let mut low = 0;
    while !holds(high) {
        low = high;
        high = high.saturating_mul(2);
        if f64::from(high) > 4.0 * LOAD_MAX / 0.01 {
            return Err(StaffingError::Unreachable("loosen the target or the occupancy cap"));
        }
    }
    // A target is rarely met with less than half of the load.
    let least = (load * 0.5).floor() as u32;
    if least > low && !holds(least) {
        low = least;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle }
    }
    Ok(high)
}
