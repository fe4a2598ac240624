//! Staffing: arrivals → positions → agents → gap to the roster.

mod advice;
mod basis;
mod calibration;
mod error;
mod explain;
mod learned;
mod models;
mod plan;
mod profile;
mod redial;
mod require;
mod roster;
mod rules;
mod shrinkage;
mod table;
mod target;
mod team;
#[cfg(test)]
mod tests;
mod time_varying;
mod types;
mod uncertainty;

pub use advice::{
    AdviceReason, AdviceRules, Answer, Book, Desk, DeskWindow, Flows, Kind, Level, Offer, Outcome,
    Recommendation, RecommendationState, Service, Uncovered, flows, greedy,
};
pub use basis::{Basis, Goal};
pub use calibration::{CALIBRATION_BOUNDS, CALIBRATION_PRIOR, Calibration};
pub use error::ProfileError;
pub use explain::{Bound, Figures, WhatIf};
pub use learned::{AhtLearning, HandlingTimes, LearnedAht};
pub use models::{
    Chat, ChatCorrections, Deferred, EXACT_STATES_MAX, ErlangA, ErlangC, Model, ModelName,
    ModelTerms, Rates, erlang_b, erlang_c,
};
pub use plan::{Planner, outlook};
pub use profile::{AHT_PRIOR, ProfileSpec, check_target, parse_rates, parse_seconds};
pub use redial::{fresh_of_abandoned, fresh_of_model};
pub use require::{StaffingError, evaluate, meets_targets, required};
pub use roster::{Presence, TeamShift, present};
pub use rules::Rules;
pub use shrinkage::with_shrinkage;
pub use table::{Table, TableBuilder, spread_backlog, spread_work};
pub use target::{ServiceTarget, parse_target};
pub use team::{Team, overlap, pooled, shares};
pub use time_varying::{OfferedLoad, equivalent_arrivals};
pub use types::{Outlook, Plan, PlanTarget, Profile, Shift, Staffing};
pub use uncertainty::{
    ArrivalsDistribution, quantile_of_costs, required_expected, square_root_staffing,
};
