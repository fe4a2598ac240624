//! Alerts: the rule, the life cycle, the texts.

mod book;
mod brief;
mod causes;
mod incident;
mod known;
mod need;
mod paging;
mod route;
mod schedule;
mod silence;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod tuning;
mod types;

pub use book::{AlertBook, AlertEffect, AlertInputs, RULES, SeriesNeed, test_page};
pub use incident::{Incident, Part};
pub use known::{Known, adjustments, complaints, overruns};
pub use route::{Escalation, Heard, Route};
pub use schedule::{DueReport, ReportKind, ReportText, Schedule};
pub use silence::{SILENCE_MAX, Silence, Silenced};
pub use steps::NeedStep;
pub use tuning::limit_factor;
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Held, HoldReason, Notification,
    NotificationKind, Paging, Shortfall, Trend, Worst,
};
