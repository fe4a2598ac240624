//! Surprise: a window far outside the band that was forecast for it, and customers who say what they do not usually say.
//!
//! What is abnormal is said by `rules`, one file a rule; what they look at is kept in [`Complaints`].

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

/// Holds a settled count against what was forecast for its window.
pub fn judge(series: &SeriesKey, target: &ForecastPoint, actual: f64) -> Option<Anomaly> {
    let case = WindowCase { series, target, actual };
    RULES.iter().find_map(|rule| rule.of_window(&case))
}
