//! Arrivals → positions → agents → the gap to the roster.

mod erlang;
mod plan;
mod profile;
mod require;
#[cfg(test)]
mod tests;
mod types;

pub use erlang::{erlang_b, erlang_c};
pub use plan::{Planner, outlook};
pub use profile::{ProfileError, ProfileSpec, parse_seconds, parse_target};
pub use require::{StaffingError, evaluate, keeps, required};
pub use types::{Model, Outlook, Plan, PlanTarget, Profile, ServiceTarget, Shift, Staffing};

/// People to schedule for seats to fill: `ceil(n / (1 − shrinkage))`, not `n · (1 + shrinkage)`.
pub fn gross(positions: u32, shrinkage: f64) -> u32 {
    (f64::from(positions) / (1.0 - shrinkage) - 1e-9).ceil() as u32
}
