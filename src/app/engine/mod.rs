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
mod counter;
mod figures;
mod histories;
mod issue;
mod judge;
mod leader;
mod marks;
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
mod worker;

pub use commands::{Answer, Told};
pub use counter::{Counter, RecordRef};
pub use issue::IssueConfig;
pub use leader::{Leader, LeaderConfig};
pub use refit::RefitConfig;
pub use report::{Handed, Report};
pub use run::{Chore, Engine, Input};
pub use worker::{Feed, Record, Worker};
