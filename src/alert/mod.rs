//! Alerts: the rule, the life cycle, the texts.

mod book;
mod causes;
mod known;
mod route;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use book::{AlertBook, AlertEffect, AlertInputs, RULES, SeriesNeed, test_page};
pub use known::{Known, adjustments, complaints, overruns};
pub use route::{Escalation, Heard, Route};
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Notification, NotificationKind,
    Shortfall, Worst,
};
