//! The roster of a simulated operator: it fits usual demand.

use std::collections::BTreeMap;

use crate::config::core::staffing::default_profiles;
use crate::domain::{Name, Timestamp, WindowWidth};
use crate::simulate::{Operator, QUARTER};
use crate::staffing::{Model, Planner, Shift};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
/// The roster is made for the arrivals of an ordinary day, multiplied by this factor.
const MARGIN: f64 = 1.1;
/// Horizon of a plan in quarters of an hour.
const HORIZON: i64 = 24;
/// Quarters of an hour in a day.
const QUARTERS: i64 = 96;
const QUARTER_MS: i64 = 900_000;

/// The shifts of a day in quarters of an hour. Each has the most agents that any plan of an ordinary day needs at that time,
/// with a margin.
pub fn roster(operator: &Operator, day: Timestamp) -> Vec<Shift> {
    let mut planners: BTreeMap<Name, Planner> =
        default_profiles().into_iter().map(|(name, own)| (name, Planner::new(own))).collect();
    let start_of = |quarter: i64| Timestamp::from_millis(day.millis() + quarter * QUARTER_MS);
    let mut shifts: Vec<Shift> = Vec::new();
    for (series, place) in operator.series() {
        let Some(planner) = planners.get_mut(&series.channel) else { continue };
        let usual = |quarter: i64| {
            MARGIN * operator.base_rate(*place, start_of(quarter) + QUARTER / 2) / 4.0
        };
        let arrivals: Vec<f64> = (-HORIZON..QUARTERS + HORIZON).map(usual).collect();
        let mut agents = planner.agents(&arrivals, WIDTH);
        // A plan does not know what came before its first window. That matters longest for work with a deadline of hours.
        let is_deferred = matches!(planner.profile().model, Model::Deferred(_));
        let windows = if is_deferred { HORIZON.unsigned_abs() as usize } else { 1 };
        for (at, horizon) in arrivals.windows(windows).enumerate() {
            for (most, needed) in agents[at..].iter_mut().zip(planner.agents(horizon, WIDTH)) {
                *most = needed.max(*most);
            }
        }
        let planned = (-HORIZON..).zip(agents);
        for (quarter, agents) in planned.filter(|(at, _)| (0..QUARTERS).contains(at)) {
            let (start, end) = (start_of(quarter), start_of(quarter + 1));
            match shifts.last_mut() {
                Some(last)
                    if last.series == *series && last.agents == agents && last.end == start =>
                {
                    last.end = end;
                }
                _ => shifts.push(Shift { series: series.clone(), start, end, agents }),
            }
        }
    }
    shifts
}
