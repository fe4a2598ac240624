//! Values of other rooms that are stored as bodies, and the versions of their forms.
//!
//! Forms that only the store uses are in the files that make them: [`super::vintage`], [`super::block`],
//! [`super::chunk`], [`super::accuracy`]. Counts and alerts have forms of their own, below.

use serde::{Deserialize, Serialize};

use super::body::{Body, with_appended};
use super::{SourceRecord, StoreError};
use crate::alert::{
    Alert, AlertSeverity, AlertState, Finding, NeedStep, Notes, Notification, NotificationKind,
    Paging, Part, RuleMemory, Shortfall, Silence, Trend, Worst,
};
use crate::anomaly::Anomaly;
use crate::domain::{
    AlarmEvent, ListRebuilt, MaintenanceEvent, Scope, TOPICS, TicketFacts, TicketMessage,
    Timestamp, Zone,
};
use crate::forecast::surge::Threshold;
use crate::forecast::{Adjustment, Score};
use crate::staffing::{Outlook, Plan, PlanTarget, Recommendation, Uncovered};
use crate::text::Stored;
use crate::tickets::{Assessment, Compliance, Customer};
use crate::window::{
    AlarmTypes, Attained, Backlog, BacklogWindow, Beside, Counts, Mean, ServiceTimes, Ticket,
};

impl Body for SourceRecord {
    const VERSION: u32 = 1;

    /// Version 0 has no `beside`.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &Beside::default())
    }
}
impl Body for AlarmEvent {
    const VERSION: u32 = 1;

    /// Version 0 has no aliases.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &Vec::<Box<str>>::new())
    }
}
impl Body for ListRebuilt {}
impl Body for MaintenanceEvent {}
impl Body for TicketMessage {
    const VERSION: u32 = 1;

    /// Version 0 has only the step.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &None::<Box<TicketFacts>>)
    }
}
impl Body for Assessment {}
impl Body for Compliance {}
impl Body for Customer {}
impl Body for Ticket {
    const VERSION: u32 = 1;

    /// Version 0 has no times by which service is judged.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &ServiceTimes::default())
    }
}
impl Body for Backlog {
    const VERSION: u32 = 1;

    /// Version 0 has no handling times by hour.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &Vec::<Mean>::new())
    }
}
impl Body for AlarmTypes {}
impl Body for Attained {}
impl Body for BacklogWindow {}
impl Body for Anomaly {}
/// In a column of its own, next to alerts of version 0.
impl Body for Worst {}
impl Body for Notification {
    const VERSION: u32 = 5;

    /// Version 4 has no notes. Version 3 has no findings either. Version 2 says nothing about paging either. Version 1 has no steps
    /// either. Version 0 has its texts as sentences.
    fn earlier(version: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        match version {
            4 => return with_appended(bytes, &NO_NOTES),
            3 => return with_appended(bytes, &(NO_FINDING, NO_NOTES)),
            2 => return with_appended(bytes, &(NO_PAGING, NO_FINDING, NO_NOTES)),
            1 => return with_appended(bytes, &(NO_STEPS, NO_PAGING, NO_FINDING, NO_NOTES)),
            _ => {}
        }
        let (id, kind, alert): (String, NotificationKind, AlertWithSentences) =
            postcard::from_bytes(bytes)?;
        Ok(Self { id, kind, alert: alert.into(), report: None })
    }
}
impl Body for Plan {}
impl Body for PlanTarget {}
impl Body for Outlook {}
impl Body for Recommendation {}
impl Body for Silence {}
impl Body for RuleMemory {}
impl Body for Vec<Uncovered> {}
impl Body for Adjustment {}
impl Body for Score {}
impl Body for Threshold {}
/// A stored value that is a single number: a time in milliseconds, or an offset.
impl Body for i64 {}

/// Counts of an open window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CountsBody {
    tickets: u32,
    raised: [u32; 5],
    cleared: u32,
    other: u32,
    duplicates: u32,
    topics: [u32; TOPICS],
}

impl Body for CountsBody {
    const VERSION: u32 = 1;

    /// Version 0 ends before the topics if all of them are zero.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        type Start = (u32, [u32; 5], u32, u32, u32);
        let ((tickets, raised, cleared, other, duplicates), rest) =
            postcard::take_from_bytes::<Start>(bytes)?;
        let topics = if rest.is_empty() { [0; TOPICS] } else { postcard::from_bytes(rest)? };
        Ok(Self { tickets, raised, cleared, other, duplicates, topics })
    }
}

impl From<Counts> for CountsBody {
    fn from(counts: Counts) -> Self {
        let Counts { tickets, raised, cleared, other, duplicates, topics } = counts;
        Self { tickets, raised, cleared, other, duplicates, topics }
    }
}

impl From<CountsBody> for Counts {
    fn from(body: CountsBody) -> Self {
        let CountsBody { tickets, raised, cleared, other, duplicates, topics } = body;
        Self { tickets, raised, cleared, other, duplicates, topics }
    }
}

/// Steps and trend of an alert that was stored without these fields.
const NO_STEPS: (&[NeedStep], Trend) =
    (&[], Trend { as_of: None, next_at: None, calm: 0, eased_at: None });

/// Paging of an alert that was stored without this field.
const NO_PAGING: Paging = Paging {
    silenced: None,
    held: None,
    incident: None,
    total: 0,
    others: Vec::<Part>::new(),
    planned_until: None,
    tuning: 0,
};

/// Finding of an alert that was stored before there were rules other than the lack of agents.
const NO_FINDING: Option<Finding> = None;

/// Notes of an alert that was stored without this field.
const NO_NOTES: Notes = Notes {
    left_over: Vec::new(),
    below_limits: Vec::new(),
    incident_below_limits: Vec::new(),
    complaints_upto: None,
};

/// An alert, with the two fields that its serialized form leaves out. The alert is the last field, so a field that is appended
/// to it is also appended here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AlertBody {
    acknowledged_at: Option<Timestamp>,
    worst: Option<Worst>,
    alert: Alert,
}

impl Body for AlertBody {
    const VERSION: u32 = 6;

    /// Version 5 has no notes. Version 4 has no findings either. Version 3 says nothing about paging either. Version 2 has no steps
    /// either. Version 1 has its texts as sentences. Version 0 is such an alert alone; the two fields are in columns.
    fn earlier(version: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        match version {
            5 => return with_appended(bytes, &NO_NOTES),
            4 => return with_appended(bytes, &(NO_FINDING, NO_NOTES)),
            3 => return with_appended(bytes, &(NO_PAGING, NO_FINDING, NO_NOTES)),
            2 => return with_appended(bytes, &(NO_STEPS, NO_PAGING, NO_FINDING, NO_NOTES)),
            _ => {}
        }
        type V1 = (Option<Timestamp>, Option<Worst>, AlertWithSentences);
        let (acknowledged_at, worst, alert): V1 = match version {
            0 => (None, None, postcard::from_bytes(bytes)?),
            _ => postcard::from_bytes(bytes)?,
        };
        Ok(Self { acknowledged_at, worst, alert: alert.into() })
    }
}

/// An alert with title, text and causes as sentences.
#[derive(Serialize, Deserialize)]
struct AlertWithSentences {
    id: String,
    rule: String,
    severity: AlertSeverity,
    scope: Scope,
    state: AlertState,
    since: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
    from: Timestamp,
    to: Timestamp,
    agents_short: i32,
    shortfalls: Vec<Shortfall>,
    because: Vec<String>,
    title: String,
    text: String,
    acknowledged_by: Option<String>,
    feedback: Option<String>,
    streak: u32,
    notified_gap: i32,
    notified_at: Option<Timestamp>,
}

impl From<AlertWithSentences> for Alert {
    fn from(was: AlertWithSentences) -> Self {
        Self {
            zone: zone_in(&was.text),
            id: was.id,
            rule: was.rule,
            severity: was.severity,
            scope: was.scope,
            state: was.state,
            since: was.since,
            updated_at: was.updated_at,
            ended_at: was.ended_at,
            from: was.from,
            to: was.to,
            agents_short: was.agents_short,
            shortfalls: was.shortfalls,
            because: was.because.into_iter().map(Stored::Sentence).collect(),
            acknowledged_by: was.acknowledged_by,
            acknowledged_at: None,
            worst: None,
            feedback: was.feedback,
            streak: was.streak,
            notified_gap: was.notified_gap,
            notified_at: was.notified_at,
            steps: Vec::new(),
            trend: Trend::default(),
            paging: Paging::default(),
            finding: None,
            notes: Notes::default(),
            recommended: Vec::new(),
        }
    }
}

/// The zone that a text names in its last parentheses; UTC if it names none.
fn zone_in(text: &str) -> Zone {
    let named = text.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    named.and_then(|(zone, _)| zone.parse().ok()).unwrap_or(Zone::UTC)
}

impl From<&Alert> for AlertBody {
    fn from(alert: &Alert) -> Self {
        let Alert { acknowledged_at, worst, .. } = alert.clone();
        Self { acknowledged_at, worst, alert: alert.clone() }
    }
}

impl AlertBody {
    /// The alert. `columns` are the additional columns of rows of version 0.
    pub(super) fn alert(self, columns: (Option<Timestamp>, Option<Worst>)) -> Alert {
        let acknowledged_at = self.acknowledged_at.or(columns.0);
        let worst = self.worst.or(columns.1);
        Alert { acknowledged_at, worst, ..self.alert }
    }
}

/// The change up to which a sink has written everything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor(pub i64);

impl Body for Cursor {
    const VERSION: u32 = 1;

    /// Version 0 is eight bytes, little-endian.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = bytes.try_into();
        let bytes = bytes.map_err(|_| StoreError::corrupt("a cursor is not of eight bytes"))?;
        Ok(Self(i64::from_le_bytes(bytes)))
    }
}
