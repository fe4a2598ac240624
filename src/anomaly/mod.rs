//! Anomalies: windows far outside their forecast band, and unusual complaints or phrases of customers.
//!
//! The rules are in `rules`, one file for each. [`Complaints`] holds the history that they compare with.

mod complaints;
mod rules;
mod scope_history;
mod types;
mod usual;

pub use complaints::{Complaints, EarlySign};
pub use types::{AlarmGroup, AlarmSummary, Anomaly, AnomalyKind, Detail};

use self::rules::{RULES, WindowCase};
use crate::domain::SeriesKey;
use crate::forecast::ForecastPoint;

/// Compares a finalized count with the forecast of its window.
pub fn judge(series: &SeriesKey, target: &ForecastPoint, actual: f64) -> Option<Anomaly> {
    let case = WindowCase { series, target, actual };
    RULES.iter().find_map(|rule| rule.of_window(&case))
}
