//! Incidents and their alarms.

use std::time::Duration;

use crate::domain::{Severity, Timestamp};

/// Kind of an incident; it determines alarms and tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// Alarms first, and complaints minutes to hours later.
    Outage,
    /// Tickets without alarms: a billing mistake, a broken app.
    Surge,
    /// Severe alarms that no customer notices.
    Harmless,
    /// One device that raises and clears repeatedly.
    Flapping,
    /// Background of minor alarms and warnings.
    Chatter,
    /// Planned work, announced a day ahead; one in six overruns into the morning.
    Maintenance,
}

impl IncidentKind {
    /// Its name in the truth file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Surge => "surge",
            Self::Harmless => "harmless",
            Self::Flapping => "flapping",
            Self::Chatter => "chatter",
            Self::Maintenance => "maintenance",
        }
    }
}

/// One incident with its true parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: String,
    pub kind: IncidentKind,
    pub region: usize,
    pub service: usize,
    pub starts: Timestamp,
    pub ends: Timestamp,
    /// When complaints begin; equal to `starts` without complaints.
    pub felt_from: Timestamp,
    /// Excess at full strength, in multiples of the series' average hour; 0 without tickets.
    pub size: f64,
    /// Whether it raises alarms.
    pub has_alarms: bool,
    /// When the first of its alarms is raised.
    pub first_alarm: Option<Timestamp>,
}

/// An alarm: a raise, sometimes a change, and a clear.
#[derive(Clone, Debug, PartialEq)]
pub struct Spell {
    pub alarm_id: String,
    pub region: usize,
    pub service: usize,
    pub device: String,
    pub kind: &'static str,
    pub severity: Severity,
    pub raised: Timestamp,
    pub changed: Option<(Timestamp, Severity)>,
    pub cleared: Timestamp,
}

impl Spell {
    /// Id of its incident.
    pub fn incident(&self) -> &str {
        self.alarm_id.rsplit_once('-').map_or(&self.alarm_id, |(incident, _)| incident)
    }
}

/// Incidents of one region and day (UTC).
#[derive(Clone, Debug, Default)]
pub struct DayPlan {
    pub incidents: Vec<Incident>,
    pub spells: Vec<Spell>,
}

/// Maximum duration of the effects of an incident: only the day and the day before need to be examined.
pub const LONGEST: Duration = Duration::from_secs(20 * 3600);

pub(super) fn minutes(n: f64) -> Duration {
    Duration::from_secs_f64(n.max(0.0) * 60.0)
}
