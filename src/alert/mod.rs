//! Alerts: the rule, the life cycle, the texts.

mod book;
mod causes;
mod known;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use book::{AlertBook, AlertEffect, AlertInputs, SeriesNeed};
pub use known::{Known, adjustments, complaints, overruns};
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Notification, NotificationKind,
    Shortfall, Worst,
};
