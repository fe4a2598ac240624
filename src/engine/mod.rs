//! The path of the data in one process: workers count, the forecaster that leads merges, forecasts and decides.
//!
//! ```text
//! feed ─ worker (decode, fold) ─┐  reports   ┌─ forecaster: merge → finalize → score → forecast → plan → alert
//! feed ─ worker (decode, fold) ─┴───────────▶│              one store transaction a report
//! API ── commands ──────────────────────────▶└─ after the commit: live stream, metrics, outbox
//! ```
//!
//! A report and everything that follows from it are stored in one transaction, together with where its
//! source starts again. After kill -9 the store holds exactly some report's end, and all that is read
//! again leads to what it would have led to.
//!
//! What follows is decided by a step (`step.rs`): (state, reports, now) → effects. It holds no store and no transaction.
//! One place (`write.rs`) writes effects into the transaction.

mod accuracy_metrics;
mod active_alarms;
mod alarm_spells;
mod commands;
mod complaints;
mod config;
mod day_scores;
mod effects;
mod event_loop;
mod finalize;
mod forecast_points;
mod forecaster;
mod histories;
mod issue_config;
mod issued;
mod issuer;
mod ledger;
mod messages;
mod model;
mod planning;
mod progress;
mod refit;
mod report;
mod saved;
mod situation;
mod state;
mod step;
mod stored;
#[cfg(test)]
mod tests;
mod write;

pub use config::ForecasterConfig;
pub use event_loop::{Engine, PeriodicTask};
pub use forecaster::Forecaster;
pub use issue_config::IssueConfig;
pub use messages::{
    Answer, Command, CommandError, Leads, Message, ReplicatedCommand, Reply, StreamEvent,
};
pub use refit::RefitConfig;
pub use report::{AckHandle, Report};
