//! Alerts: the rule, the life cycle, the texts.

mod book;
mod brief;
mod causes;
mod known;
mod need;
mod route;
mod schedule;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use book::{AlertBook, AlertEffect, AlertInputs, RULES, SeriesNeed, test_page};
pub use known::{Known, adjustments, complaints, overruns};
pub use route::{Escalation, Heard, Route};
pub use schedule::{DueReport, ReportKind, ReportText, Schedule};
pub use steps::NeedStep;
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Notification, NotificationKind,
    Shortfall, Trend, Worst,
};
