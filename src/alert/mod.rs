//! Alerts: the rules, the life cycle, the texts.

mod book;
mod brief;
mod causes;
mod examine;
mod finding;
mod incident;
mod inputs;
mod key;
mod known;
mod memory;
mod need;
mod paging;
mod route;
mod rules;
mod schedule;
mod silence;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod tuning;
mod types;
mod worth;

pub use book::{AlertBook, AlertEffect, test_page};
pub use finding::{Fact, Finding};
pub use incident::{Incident, Part};
pub use inputs::{AlertInputs, SeriesNeed};
pub use known::{Known, adjustments, complaints, overruns};
pub use memory::{BacklogMemory, RuleMemory, SourceMemory};
pub use route::{Escalation, Notified, Route};
pub use rules::{
    ALARMS_REACH, AlarmActivity, BacklogState, Deadlines, RecentScores, RuleInputs, RuleLimits,
    RuleSet, ServicePlan, SourceState, UNDERSTAFFED, configurable_rules, rule_names,
};
pub use schedule::{
    BriefTime, BriefedWork, DueReport, ReportKind, ReportText, ReportTiming, Schedule,
};
pub use silence::{SILENCE_MAX, Silence, Silenced};
pub use steps::NeedStep;
pub use tuning::limit_factor;
pub use types::{
    ActiveAlarm, Alert, AlertSeverity, AlertState, Cause, Held, HoldReason, Notes, Notification,
    NotificationKind, Paging, Shortfall, Trend, Worst,
};
pub use worth::PageLimits;
