//! Anomalies: windows far outside their forecast band, small differences that last, series that vanish, unusual complaints or
//! phrases of customers, alarm storms, silent sources, and forecasts that have become unreliable.
//!
//! The rules are in `rules`, one file for each. [`SeriesWatch`] and [`Complaints`] hold the history that they compare with.

mod budget;
mod complaints;
mod episodes;
mod rules;
mod run;
mod scope_history;
mod states;
mod types;
mod usual;
mod watch;

pub use budget::AnomalyRules;
pub use complaints::{Complaints, EarlySign};
pub use episodes::{APART, Episode, Ongoing, episodes};
pub use rules::{SILENT_MINUTES, SILENT_TIMES, STORM_ALARMS, STORM_TIMES, UNRELIABLE_SHARE};
pub use rules::{UNRELIABLE_WINDOWS, WindowCase};
pub use states::{AlarmActivity, RecentScores, SourceState, StateCase, judge_states};
pub use types::{AlarmGroup, AlarmSummary, Anomaly, AnomalyKind, Detail};
pub use watch::SeriesWatch;

#[cfg(test)]
mod tests;
