//! Which values of other rooms are stored as bodies, and the versions of their forms.
//!
//! Forms that only the store knows lie with the code that makes them: [`super::vintage`], [`super::block`],
//! [`super::chunk`], [`super::accuracy`]. Counts and alerts are stored in forms of their own, below.

use serde::{Deserialize, Serialize};

use super::body::Body;
use super::{SourceRecord, StoreError};
use crate::alert::{Alert, Notification, Worst};
use crate::anomaly::Anomaly;
use crate::domain::{AlarmEvent, ListRebuilt, MaintenanceEvent, TOPICS, Timestamp};
use crate::forecast::surge::Threshold;
use crate::forecast::{Adjustment, Score};
use crate::staffing::{Outlook, Plan, PlanTarget};
use crate::window::Counts;

impl Body for SourceRecord {}
impl Body for AlarmEvent {}
impl Body for ListRebuilt {}
impl Body for MaintenanceEvent {}
impl Body for Anomaly {}
/// In a column of its own beside alerts of version 0.
impl Body for Worst {}
/// Ends with an alert: a field appended to one is appended to the other.
impl Body for Notification {}
impl Body for Plan {}
impl Body for PlanTarget {}
impl Body for Outlook {}
impl Body for Adjustment {}
impl Body for Score {}
impl Body for Threshold {}
/// Named state that is one number: a time in milliseconds, an offset.
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

    /// Version 0 has no topics where there are none, or before there were any.
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

/// An alert with the two fields that its own form leaves out. The alert is last: a field appended to it is appended here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AlertBody {
    acknowledged_at: Option<Timestamp>,
    worst: Option<Worst>,
    alert: Alert,
}

impl Body for AlertBody {
    const VERSION: u32 = 1;

    /// Version 0 is the alert alone; the two fields are in columns.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        let alert = postcard::from_bytes(bytes)?;
        Ok(Self { acknowledged_at: None, worst: None, alert })
    }
}

impl From<&Alert> for AlertBody {
    fn from(alert: &Alert) -> Self {
        let Alert { acknowledged_at, worst, .. } = alert.clone();
        Self { acknowledged_at, worst, alert: alert.clone() }
    }
}

impl AlertBody {
    /// `columns`: what rows of version 0 have beside their body.
    pub(super) fn alert(self, columns: (Option<Timestamp>, Option<Worst>)) -> Alert {
        let acknowledged_at = self.acknowledged_at.or(columns.0);
        let worst = self.worst.or(columns.1);
        Alert { acknowledged_at, worst, ..self.alert }
    }
}

/// How far a reader of changes has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor(pub i64);

impl Body for Cursor {
    const VERSION: u32 = 1;

    /// Version 0 is eight bytes, the lowest first.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = bytes.try_into();
        let bytes = bytes.map_err(|_| StoreError::corrupt("a cursor is not of eight bytes"))?;
        Ok(Self(i64::from_le_bytes(bytes)))
    }
}
