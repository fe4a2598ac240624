//! How reports word numbers, times and people.

use crate::alert::Alert;
use crate::domain::Timestamp;

/// Rows that a table has at most.
pub const ROWS_MAX: usize = 20;

/// A share with one decimal; a dash where it is not known.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0))
}

/// 1 − error, as a share.
pub fn accuracy(error: Option<f64>) -> String {
    percent(error.map(|error| (1.0 - error).max(0.0)))
}

/// A day and time as a person reads it.
pub fn moment(at: Timestamp) -> String {
    at.utc().format("%a %-d %b %H:%M").to_string()
}

/// Minutes that an alert was open before someone took it on.
pub fn minutes_open(alert: &Alert) -> Option<u64> {
    alert.acknowledged_at.map(|at| at.since(alert.since).as_secs() / 60)
}

/// Who took an alert on, and how long that took.
pub fn acknowledged(alert: &Alert) -> String {
    let who = alert.acknowledged_by.as_deref().unwrap_or("nobody");
    minutes_open(alert).map_or_else(|| who.into(), |n| format!("{who} after {n} min"))
}
