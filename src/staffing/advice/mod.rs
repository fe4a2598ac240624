//! Recommendations: what a person can do about agents who are missing or to spare.
//!
//! The plans of all desks (teams, and series without a team) lead to flows of people for each half hour ([`solve`]). The flows
//! are combined to stretches of time with one number of people ([`stretch`]), and these become recommendations ([`plan`]). A
//! [`Book`] keeps the recommendations: it changes numbers seldom, records people's answers, and afterwards compares the
//! expected with the actual contacts.

mod book;
mod desk;
mod grid;
mod judge;
mod life;
mod plan;
mod rules;
mod say;
mod solve;
mod stretch;
#[cfg(test)]
mod tests;
mod types;

pub use book::Book;
pub use desk::{Desk, DeskWindow, Level, Service};
pub use rules::AdviceRules;
pub use solve::{Flows, Offer, flows, greedy};
pub use types::{
    AdviceReason, Answer, Kind, Outcome, Recommendation, RecommendationState, Uncovered,
};
