//! Arrivals → positions → agents → the gap to the roster.

mod types;

pub use types::{Model, Outlook, Plan, PlanTarget, Profile, ServiceTarget, Shift, Staffing};
