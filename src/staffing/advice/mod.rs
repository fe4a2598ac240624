//! Recommendations: what a person can do about agents who are missing or to spare.
//!
//! From the plans of all desks (teams, and series without a team) follow flows of people for each half hour ([`solve`]), from these
//! stretches of time with one number ([`stretch`]), and from these recommendations ([`plan`]). A [`Book`] keeps them: it changes
//! numbers seldom, records what people answer, and compares afterwards what was expected with the actual contacts.

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
pub use types::{Answer, Kind, Outcome, Recommendation, RecommendationState, Uncovered, Why};
