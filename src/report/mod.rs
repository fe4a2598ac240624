//! Reports: a week, an incident. From the store alone, so that a command writes what the API answers.

mod incident;
mod text;
mod weekly;

pub use incident::incident;
pub use text::{Format, Report};
pub use weekly::{Week, weekly};

use crate::alert::Alert;

/// Rows that a table has at most.
const ROWS_MAX: usize = 20;

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0))
}

/// 1 − error.
fn accuracy(error: Option<f64>) -> String {
    percent(error.map(|error| (1.0 - error).max(0.0)))
}

/// A day and time as a person reads it.
fn moment(at: crate::domain::Timestamp) -> String {
    at.utc().format("%a %-d %b %H:%M").to_string()
}

/// Minutes that an alert was open before someone took it on.
fn minutes_open(alert: &Alert) -> Option<u64> {
    alert.acknowledged_at.map(|at| at.since(alert.since).as_secs() / 60)
}

/// Who took an alert on, and how long that took.
fn acknowledged(alert: &Alert) -> String {
    let who = alert.acknowledged_by.as_deref().unwrap_or("nobody");
    minutes_open(alert).map_or_else(|| who.into(), |n| format!("{who} after {n} min"))
}
