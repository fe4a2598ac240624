//! Redials: customers who hang up and call again. They increase the number of arrivals that are counted.

use super::models::{Answer, Demand};
use super::require::{StaffingError, demand};
use super::types::Profile;

/// Maximum number of steps of the iteration that finds the arrivals. The result has the precision of the numbers.
const STEPS_MAX: u32 = 100;

/// Fresh demand with its repeated attempts: the arrivals at which `offered = fresh + redial · p_abandon · offered`.
pub(super) fn offered(fresh: &Demand, redial: f64, answer: &dyn Fn(&Demand) -> Answer) -> Demand {
    if redial <= 0.0 || fresh.arrivals <= 0.0 {
        return *fresh;
    }
    let excess = |arrivals: f64| {
        let again = redial * answer(&Demand { arrivals, ..*fresh }).p_abandon * arrivals;
        arrivals - fresh.arrivals - again
    };
    // The excess grows with the arrivals, because the number of hang-ups grows more slowly than the number of arrivals.
    let (mut low, mut high) = (fresh.arrivals, fresh.arrivals / (1.0 - redial));
    let mut arrivals = low;
    for _ in 0..STEPS_MAX {
        let above = excess(arrivals);
        if above > 0.0 {
            high = arrivals
        } else {
            low = arrivals
        }
        // One substitution is close if few callers hang up; otherwise bisection is safe.
        let substituted = arrivals - above;
        let next = if substituted > low && substituted < high && substituted != arrivals {
            substituted
        } else {
            f64::midpoint(low, high)
        };
        if (next - arrivals).abs() <= 1e-14 * arrivals {
            break;
        }
        arrivals = next;
    }
    Demand { arrivals, ..*fresh }
}

/// Fresh contacts among the counted ones: those that are not repeated attempts of customers who hung up.
///
/// `redial` is the share of those who hang up that call again. Use it where a stream counts abandoned contacts.
pub fn fresh_of_abandoned(offered: f64, abandoned: f64, redial: f64) -> f64 {
    (offered - redial * abandoned).max(0.0)
}

/// Fresh contacts per hour among those that were offered to this number of positions, if abandoned contacts are not counted.
/// They follow from the share of customers who hang up according to the model. The profile's `redial` is used.
///
/// # Errors
/// [`StaffingError`] for arrivals or a load out of range.
pub fn fresh_of_model(
    offered_per_hour: f64,
    positions: u32,
    profile: &Profile,
) -> Result<f64, StaffingError> {
    let demand = demand(offered_per_hour, profile)?;
    let queue = profile.model.queue();
    if !queue.has_work(&demand) {
        return Ok(0.0);
    }
    let gone = queue.answer(&demand, positions).p_abandon;
    Ok(fresh_of_abandoned(offered_per_hour, offered_per_hour * gone, profile.redial))
}
