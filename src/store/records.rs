//! Records of the store, as values.

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::alert::Notification;
use crate::domain::{
    AlarmEvent, EventKind, MaintenanceEvent, Name, Offset, Scope, SeriesKey, Severity, SourceId,
    Timestamp,
};
use crate::forecast::Adjustment;
use crate::window::{AggregationKey, Beside, Counts, Restored};

/// The record of one aggregation key and window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecord {
    pub counts: Counts,
    /// Active alarms at the window's end (keys of alarms only).
    pub active: u32,
    /// Whether the window is finalized.
    pub settled: bool,
    /// Whether the count changed after the window was finalized.
    pub revised: bool,
    /// Whether the count is unknown, because a source was silent. Not the same as zero.
    pub missing: bool,
    /// Both counts of tickets, if the window was restored. `counts` contains the larger one.
    pub restored: Option<Restored>,
}

impl WindowRecord {
    /// The counts of events that were counted here.
    pub fn counted(&self) -> Counts {
        let tickets = match self.restored {
            Some(both) => both.counted.unwrap_or(0),
            None => self.counts.tickets,
        };
        Counts { tickets, ..self.counts }
    }

    /// Whether it was finalized here, not only restored.
    pub fn was_finalized(&self) -> bool {
        self.restored.is_none_or(|both| both.counted.is_some())
    }

    /// The record of a window that was restored before. `self` has what was counted.
    pub(super) fn keeping(self, restored: Option<Restored>) -> Self {
        let Some(before) = restored else { return self };
        let counted = (!self.missing).then_some(self.counts.tickets);
        self.with_restored(before.count(counted))
    }

    /// The same with restored tickets. `is_new` says that the window had no record.
    pub(super) fn restored(self, tickets: u32, is_new: bool) -> Self {
        let both = match self.restored {
            Some(both) => both.restore(tickets),
            None => {
                let is_counted = !self.missing && !is_new;
                Restored { tickets, counted: is_counted.then_some(self.counts.tickets) }
            }
        };
        self.with_restored(both)
    }

    /// The same with these counts of tickets.
    pub(super) fn with_restored(mut self, both: Restored) -> Self {
        self.counts.tickets = both.larger();
        (self.settled, self.missing) = (true, false);
        self.restored = Some(both);
        self
    }
}

/// How far one source has been merged, and where it resumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub source: SourceId,
    /// Windows that end at or before this are closed by the source.
    pub closed: Timestamp,
    /// Largest offset ever processed.
    pub decided_upto: Offset,
    /// Offset at which reading resumes after a restart.
    pub resume_at: Offset,
    /// Clock time at which the source had last read everything available.
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
    /// The watermark, and windows that are not read again after a restart.
    pub beside: Beside,
}

/// A partial of an open window. A later one of the same source replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialRecord {
    pub window: Timestamp,
    pub key: AggregationKey,
    pub source: SourceId,
    pub counts: Counts,
    pub upto: Offset,
}

/// A known ticket series, leaf or roll-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesInfo {
    pub series: SeriesKey,
    /// Start of the first and of the last window with a count.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// One window of one series, leaf or roll-up, with the alarms of its scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesWindow {
    pub start: Timestamp,
    pub tickets: u32,
    /// Alarms raised, in the order of [`Severity::EVERY`].
    pub raised: [u32; 5],
    pub cleared: u32,
    /// Active alarms at the window's end; known once the window is finalized.
    pub active: u32,
    /// Tickets and alarms that were too late to be counted.
    pub late: u32,
    /// Largest counted offset of an open window; 0 once it is finalized.
    pub upto: Offset,
    pub settled: bool,
    pub revised: bool,
    pub missing: bool,
}

/// A filter by region, service and channel; `None` admits every name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub region: Option<Name>,
    pub service: Option<Name>,
    pub channel: Option<Name>,
}

impl Filter {
    /// The series, if the filter has all three names.
    pub fn one(&self) -> Option<SeriesKey> {
        let Self { region, service, channel } = self.clone();
        Some(SeriesKey::new(region?, service?, channel?))
    }

    /// Whether the filter admits `series`. The name `_all` admits only roll-ups over that name.
    pub fn admits_series(&self, series: &SeriesKey) -> bool {
        let same = |wanted: &Option<Name>, name: &Name| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        same(&self.region, &series.region)
            && same(&self.service, &series.service)
            && same(&self.channel, &series.channel)
    }

    /// Whether the filter admits alarms of `scope`. The name `_all` admits every name, because alarms have no roll-ups.
    pub fn admits_scope(&self, scope: &Scope) -> bool {
        let same = |wanted: &Option<Name>, name: &Name| {
            wanted.as_ref().is_none_or(|wanted| wanted.is_all() || wanted == name)
        };
        same(&self.region, &scope.region) && same(&self.service, &scope.service)
    }
}

/// An active alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlarm {
    /// Its newest raise or change.
    pub event: AlarmEvent,
    /// Its first raise after its last clear.
    pub raised_at: Timestamp,
}

impl ActiveAlarm {
    /// Severity of the newest event.
    pub fn severity(&self) -> Severity {
        self.event.severity
    }
}

/// The outcome of one attempt to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryOutcome {
    Delivered {
        at: Timestamp,
    },
    /// The next attempt is due at `at`.
    Retry {
        at: Timestamp,
        error: String,
    },
    /// Given up. A person may send it again.
    Dead {
        at: Timestamp,
        error: String,
    },
}

/// State of a notification to one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    Pending,
    Delivered,
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const EVERY: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One notification to one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    pub notice: Notification,
    pub receiver: String,
    pub state: DeliveryState,
    /// Number of attempts so far.
    pub attempts: u32,
    pub created_at: Timestamp,
    /// When it is due (pending), or when it was delivered or abandoned.
    pub next_at: Timestamp,
    pub last_error: Option<String>,
}

/// A record to append to the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Kind given by the sender; `None` leaves it to the decoder.
    pub kind: Option<EventKind>,
    pub bytes: Vec<u8>,
}

/// A record of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub offset: Offset,
    pub received_at: Timestamp,
    pub kind: Option<EventKind>,
    pub bytes: Vec<u8>,
}

/// A change that sinks have to write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Counts of the window that starts at this time.
    Window(Timestamp),
    /// Vintages, plans and outlooks issued at this time.
    Issue(Timestamp),
    /// Anomalies of the window that starts at this time.
    Anomalies(Timestamp),
    /// Nowcasts issued at this time.
    Nowcast(Timestamp),
    /// The alert with this time and id.
    Alert(Timestamp, String),
    /// Scores, surges and warnings of the day that starts at this time.
    Accuracy(Timestamp),
    /// Planned work or an adjustment with this start, by the text form of its [`PlannedKey`].
    Planned(Timestamp, String),
    /// The recommendation that was made at this time and has this id.
    Recommendation(Timestamp, String),
    /// Attained service of contacts that were created in the window that starts at this time.
    Service(Timestamp),
}

/// What is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedKind {
    /// Planned work on the network.
    Maintenance,
    /// A planner's adjustment of forecasts.
    Adjustment,
}

/// Planned work or an adjustment, with the names under which sinks write it. The journal keeps these names, because after the
/// work was moved or deleted they are not stored anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedKey {
    pub kind: PlannedKind,
    /// `_all` if none is named.
    pub series: SeriesKey,
    pub id: String,
}

impl PlannedKey {
    /// The key of planned work.
    pub fn of_work(work: &MaintenanceEvent) -> Self {
        let name = |name: &Option<Name>| name.clone().unwrap_or_else(Name::all);
        let series = SeriesKey::new(name(&work.region), name(&work.service), Name::all());
        Self { kind: PlannedKind::Maintenance, series, id: work.event_id.to_string() }
    }

    /// The key of an adjustment.
    pub fn of_adjustment(entry: &Adjustment) -> Self {
        let name = |name: &Option<Name>| name.clone().unwrap_or_else(Name::all);
        let (region, service) = (name(&entry.region), name(&entry.service));
        let series = SeriesKey::new(region, service, name(&entry.channel));
        Self { kind: PlannedKind::Adjustment, series, id: entry.id.clone() }
    }

    /// The text form in the journal.
    pub(super) fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|e| StoreError::corrupt(e.to_string()))
    }

    /// Reads the text form in the journal.
    ///
    /// # Errors [`StoreError::Corrupt`] for any other text.
    pub fn of(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|e| StoreError::corrupt(e.to_string()))
    }
}

/// One window of one aggregation key, as sinks write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyWindow {
    pub record: WindowRecord,
    /// Events of the window that were too late to be counted.
    pub late: u32,
    /// Largest counted offset of an open window; 0 once it is finalized.
    pub upto: Offset,
}
