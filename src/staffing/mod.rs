//! Staffing: arrivals → positions → agents → gap to the roster.

mod basis;
mod error;
mod models;
mod plan;
mod profile;
mod require;
mod shrinkage;
mod target;
#[cfg(test)]
mod tests;
mod types;

pub use basis::{Basis, Goal};
pub use error::ProfileError;
pub use models::{Deferred, ErlangA, ErlangC, Model, ModelName, ModelTerms, erlang_b, erlang_c};
pub use plan::{Planner, outlook};
pub use profile::{ProfileSpec, parse_seconds};
pub use require::{StaffingError, evaluate, meets_targets, required};
pub use shrinkage::with_shrinkage;
pub use target::{ServiceTarget, parse_target};
pub use types::{Outlook, Plan, PlanTarget, Profile, Shift, Staffing};
