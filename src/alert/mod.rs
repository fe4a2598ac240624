//! When to tell whom what: rules, life cycle, texts.

mod book;
mod causes;
mod known;
mod route;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use book::{AlertBook, AlertEffect, AlertInputs, RULES, SeriesNeed};
pub use known::{Known, adjustments, complaints, overruns};
pub use route::Route;
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Notification, NotificationKind,
    Shortfall, Worst,
};
