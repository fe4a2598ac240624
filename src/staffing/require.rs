//! The smallest number of people that keeps every promise.

use thiserror::Error;

use super::models::Demand;
use super::shrinkage::with_shrinkage;
use super::types::{Profile, Staffing};

/// Largest load that is worked on, Erlang.
const LOAD_MAX: f64 = 100_000.0;
const SLACK: f64 = 1e-12;

/// Why there is no number of agents.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum StaffingError {
    #[error("arrivals of {0} an hour: use a number from 0 up")]
    Arrivals(f64),
    #[error("a load of {0:.0} Erlang: up to {LOAD_MAX} can be worked on")]
    Load(f64),
    #[error("no number of agents reaches the target: {0}")]
    Unreachable(&'static str),
}

/// Handling time of one contact in seconds, as one of several at once counts (chat).
///
/// Efficiency by concurrency after published chat tables: 1, 1.7, 2.5, 2.9, 3.5; nobody gains beyond five.
fn effective_aht(profile: &Profile) -> f64 {
    let factor = match profile.concurrency {
        0 | 1 => 1.0,
        2 => 1.7,
        3 => 2.5,
        4 => 2.9,
        _ => 3.5,
    };
    profile.aht.as_secs_f64() / factor
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
    Ok(figures(&demand(arrivals_per_hour, profile)?, positions, profile))
}

fn demand(per_hour: f64, profile: &Profile) -> Result<Demand, StaffingError> {
    if !per_hour.is_finite() || per_hour < 0.0 {
        return Err(StaffingError::Arrivals(per_hour));
    }
    let demand = Demand {
        arrivals: per_hour / 3600.0,
        aht: effective_aht(profile),
        target: profile.target,
        max_occupancy: profile.max_occupancy,
    };
    let load = demand.load();
    if load > LOAD_MAX { Err(StaffingError::Load(load)) } else { Ok(demand) }
}

fn figures(demand: &Demand, positions: u32, profile: &Profile) -> Staffing {
    let offered_load = demand.load();
    let idle = Staffing {
        offered_load,
        positions,
        agents: with_shrinkage(positions, profile.shrinkage),
        service_level: 1.0,
        asa_seconds: 0.0,
        occupancy: 0.0,
        p_wait: 0.0,
        p_abandon: 0.0,
    };
    if offered_load <= 0.0 {
        return idle;
    }
    let answer = profile.model.queue().answer(demand, positions);
    Staffing {
        service_level: answer.service_level,
        asa_seconds: answer.asa_seconds,
        occupancy: answer.occupancy,
        p_wait: answer.p_wait,
        p_abandon: answer.p_abandon,
        ..idle
    }
}

/// Whether figures keep every promise of the profile.
pub fn meets_targets(staffing: &Staffing, profile: &Profile) -> bool {
    let fits = |value: f64, most: Option<f64>| most.is_none_or(|most| value <= most + SLACK);
    let level = profile.model.queue().level(&profile.target);
    staffing.service_level + SLACK >= level
        && fits(staffing.occupancy, profile.max_occupancy)
        && fits(staffing.asa_seconds, profile.max_asa.map(|asa| asa.as_secs_f64()))
        && fits(staffing.p_abandon, profile.max_abandonment)
}

/// The smallest staffing that keeps every promise of the profile; nobody for no arrivals.
///
/// More people never make any figure worse, so that a bisection finds what a walk from 1 would.
///
/// # Errors
/// [`StaffingError`] for arrivals or a load out of range, or a target that no number reaches.
pub fn required(arrivals_per_hour: f64, profile: &Profile) -> Result<Staffing, StaffingError> {
    let demand = demand(arrivals_per_hour, profile)?;
    let load = demand.load();
    let figures = |n: u32| figures(&demand, n, profile);
    if load <= 0.0 {
        return Ok(figures(0));
    }
    // Occupancy alone asks for this many at most; the queue for a few roots of the load more.
    let by_occupancy = load / profile.max_occupancy.unwrap_or(1.0).max(0.01);
    let mut high = (by_occupancy + 4.0 * load.sqrt() + 4.0).ceil() as u32;
    let mut low = 0;
    while !meets_targets(&figures(high), profile) {
        low = high;
        high = high.saturating_mul(2);
        if f64::from(high) > 4.0 * LOAD_MAX / 0.01 {
            return Err(StaffingError::Unreachable("loosen the target or the occupancy cap"));
        }
    }
    // Neither model keeps a target with less than the load's share that must be answered.
    let least = (load * 0.5).floor() as u32;
    if least > low && !meets_targets(&figures(least), profile) {
        low = least;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if meets_targets(&figures(middle), profile) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(figures(high))
}
