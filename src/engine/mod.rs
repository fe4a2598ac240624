//! The forecaster: it merges reports, finalizes windows, forecasts, plans and raises alerts.
//!
//! ```text
//! feed ─ worker (decode, count) ─┐  reports   ┌─ forecaster: merge → finalize → score → forecast → plan → alert
//! feed ─ worker (decode, count) ─┴───────────▶│              one transaction per report
//! API ── commands ───────────────────────────▶└─ after the commit: live stream, metrics, outbox
//! ```
//!
//! A report and everything that follows from it are stored in one transaction, together with the offset at which its
//! source resumes. After kill -9 the store holds the state after some report, and reading on leads to the same results.
//!
//! A step (`step.rs`) decides what follows: (state, reports, now) → effects. It holds no store and no transaction. Only
//! `write.rs` writes effects into the transaction.

mod accuracy_metrics;
mod active_alarms;
mod advising;
mod alarm_spells;
mod beyond;
mod commands;
mod complaints;
mod config;
mod coverage;
mod day_scores;
mod effects;
mod event_loop;
mod finalize;
mod forecast_points;
mod forecaster;
mod generations;
mod histories;
mod issue_config;
mod issued;
mod issuer;
mod ledger;
mod messages;
mod model;
mod overdue;
mod planning;
mod progress;
mod refit;
mod report;
mod restored_ahead;
mod saved;
mod situation;
mod staffing_tables;
mod state;
mod step;
mod stored;
#[cfg(test)]
mod tests;
mod write;

/// Length of the history that forecasts use.
pub const HISTORY_REACH: std::time::Duration = histories::Histories::REACH;

pub use config::ForecasterConfig;
pub use event_loop::{Engine, PeriodicTask};
pub use forecaster::Forecaster;
pub use issue_config::IssueConfig;
#[cfg(test)]
pub use messages::Leading;
pub use messages::{
    Answer, Command, CommandError, Leads, Message, ReplicatedCommand, Reply, StreamEvent,
};
pub use refit::RefitConfig;
pub use report::{AckHandle, Report};
