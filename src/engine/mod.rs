//! The path of the data in one process: workers count, one leader merges, forecasts and decides.
//!
//! ```text
//! feed ─ worker (decode, fold) ─┐  reports   ┌─ leader: merge → settle → score → forecast → plan → alert
//! feed ─ worker (decode, fold) ─┴───────────▶│          one store transaction a report
//! API ── commands ──────────────────────────▶└─ after the commit: live stream, metrics, outbox
//! ```
//!
//! A report and everything that follows from it are stored in one transaction, together with where its
//! source starts again. After kill -9 the store holds exactly some report's end, and all that is read
//! again leads to what it would have led to.

mod commands;
mod figures;
mod forecaster;
mod histories;
mod issue;
mod judge;
mod marks;
mod messages;
mod model;
mod nowcast;
mod recent;
mod refit;
mod report;
mod run;
mod said;
mod spells;
#[cfg(test)]
mod tests;

pub use commands::{Answer, ReplicatedCommand};
pub use forecaster::{Forecaster, ForecasterConfig};
pub use issue::IssueConfig;
pub use messages::{Command, CommandError, Leads, Message, Reply, StreamEvent};
pub use refit::RefitConfig;
pub use report::{AckHandle, Report};
pub use run::{Engine, PeriodicTask};
