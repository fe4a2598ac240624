//! Events: alarms, tickets and maintenance, independent of their format.

use serde::{Deserialize, Serialize};

use super::{Name, Scope, SeriesKey, TicketNews, Timestamp};

/// Perceived severity after ITU-T X.733, most severe first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Critical,
    Major,
    Minor,
    Warning,
    #[default]
    Indeterminate,
}

impl Severity {
    /// All severities, the most severe first.
    pub const EVERY: [Self; 5] =
        [Self::Critical, Self::Major, Self::Minor, Self::Warning, Self::Indeterminate];

    /// The name of the severity in events and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Warning => "warning",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    Alarm,
    Ticket,
    Maintenance,
}

/// What an alarm event does to its alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmAction {
    #[default]
    Raise,
    Change,
    Clear,
}

/// What a ticket event does to its ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TicketAction {
    #[default]
    Create,
    Update,
    Resolve,
    Reopen,
}

/// What a maintenance event does to the planned work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaintenanceAction {
    #[default]
    Plan,
    Cancel,
}

/// One raise, change or clear of a network fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmEvent {
    pub event_id: Box<str>,
    /// Id of the alarm: a raise and its clear have the same one.
    pub alarm_id: Box<str>,
    pub action: AlarmAction,
    pub ts: Timestamp,
    pub severity: Severity,
    pub scope: Scope,
    pub device: Option<Box<str>>,
    pub alarm_type: Option<Box<str>>,
    pub text: Option<Box<str>>,
    /// The ids of the alarm without the name of its system. A clear that does not name the system finds its raise by them.
    #[serde(default)]
    pub aliases: Box<[Box<str>]>,
}

/// A notification that a system rebuilt its alarm list (3GPP TS 28.532). Alarms that it does not raise again have ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRebuilt {
    pub ts: Timestamp,
    /// The system that rebuilt its list: the first part of the ids of its alarms.
    pub system: Option<Box<str>>,
    /// Distinguished name of the object at or below which the list was rebuilt; `None` for the whole list.
    pub object: Option<Box<str>>,
}

impl ListRebuilt {
    /// Whether an alarm belongs to the rebuilt list.
    pub fn concerns(&self, alarm_id: &str, device: Option<&str>) -> bool {
        let is_of =
            |system: &str| alarm_id.strip_prefix(system).is_some_and(|rest| rest.starts_with('|'));
        let is_below = |object: &str| {
            let rest = device.and_then(|device| device.strip_prefix(object));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
        };
        let is_any = self.system.is_some() || self.object.is_some();
        is_any
            && self.system.as_deref().is_none_or(is_of)
            && self.object.as_deref().is_none_or(is_below)
    }
}

/// A contact of a customer: the creation of a ticket, or a later change of the ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketEvent {
    pub event_id: Box<str>,
    pub action: TicketAction,
    pub ts: Timestamp,
    pub series: SeriesKey,
    pub priority: Option<Box<str>>,
    pub tier: Option<Box<str>>,
    /// Id of the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Box<str>>,
    pub text: Option<Box<str>>,
    /// What the event says about open tickets; `None` without a ticket id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<TicketNews>,
}

/// Planned work with a start, an end and a scope. `None` in the scope means all regions or all services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaintenanceEvent {
    pub event_id: Box<str>,
    pub action: MaintenanceAction,
    pub ts: Timestamp,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub region: Option<Name>,
    pub service: Option<Name>,
    pub impact: Option<Box<str>>,
    pub text: Option<Box<str>>,
}

/// One event, of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Alarm(AlarmEvent),
    Ticket(TicketEvent),
    Maintenance(MaintenanceEvent),
}

impl Event {
    /// Event time.
    pub fn ts(&self) -> Timestamp {
        match self {
            Self::Alarm(e) => e.ts,
            Self::Ticket(e) => e.ts,
            Self::Maintenance(e) => e.ts,
        }
    }

    /// The duplicate key.
    pub fn id(&self) -> &str {
        match self {
            Self::Alarm(e) => &e.event_id,
            Self::Ticket(e) => &e.event_id,
            Self::Maintenance(e) => &e.event_id,
        }
    }

    /// The partitioning key: the id of the alarm or ticket if there is one, else the event's id.
    pub fn key(&self) -> &str {
        match self {
            Self::Alarm(e) => &e.alarm_id,
            Self::Ticket(TicketEvent { news: Some(TicketNews::Step(step)), .. }) => &step.ticket_id,
            other => other.id(),
        }
    }

    /// The kind of the event.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Alarm(_) => EventKind::Alarm,
            Self::Ticket(_) => EventKind::Ticket,
            Self::Maintenance(_) => EventKind::Maintenance,
        }
    }
}

/// An event's bytes for a log, with the partitioning key.
pub struct Keyed<'a> {
    pub kind: EventKind,
    /// Alarm or ticket id.
    pub key: &'a str,
    pub bytes: &'a [u8],
}
