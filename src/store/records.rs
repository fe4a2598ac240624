//! What goes in and comes out, as values.

use serde::{Deserialize, Serialize};

use crate::alert::Notification;
use crate::domain::{
    AlarmEvent, EventKind, Name, Offset, Scope, SeriesKey, Severity, SourceId, Timestamp,
};
use crate::window::{AggregationKey, Counts};

/// Counts of one cell in one window as the leader knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecord {
    pub counts: Counts,
    /// Alarms standing at the window's end (alarm cells only).
    pub active: u32,
    pub settled: bool,
    /// A settled count that changed later.
    pub revised: bool,
    /// No source could tell: not the same as zero.
    pub missing: bool,
}

/// How far one source has been merged, and where its reader starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub source: SourceId,
    /// Windows ending at or before this are closed by the source.
    pub closed: Timestamp,
    /// Largest offset ever processed.
    pub decided_upto: Offset,
    /// Offset to start reading from after a restart.
    pub resume_at: Offset,
    /// Clock time at which the source last said that it had read everything there was.
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
}

/// Partial of an unfinished window, kept by source so that a later one replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialRecord {
    pub window: Timestamp,
    pub cell: AggregationKey,
    pub source: SourceId,
    pub counts: Counts,
    pub upto: Offset,
}

/// A ticket series that has been seen, leaf or roll-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesInfo {
    pub series: SeriesKey,
    /// Start of the first and of the last window with a count.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// One window of one series, leaf or roll-up, with the alarms of its scope beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesWindow {
    pub start: Timestamp,
    pub tickets: u32,
    /// Alarms raised, in the order of [`Severity::EVERY`].
    pub raised: [u32; 5],
    pub cleared: u32,
    /// Alarms standing at the window's end; known once the window is settled.
    pub active: u32,
    /// Tickets and alarms that came too late to be counted.
    pub late: u32,
    /// Largest offset that an open window has counted; 0 once it is settled.
    pub upto: Offset,
    pub settled: bool,
    pub revised: bool,
    pub missing: bool,
}

/// Which part of the world to list; `None` leaves that part open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub region: Option<Name>,
    pub service: Option<Name>,
    pub channel: Option<Name>,
}

impl Filter {
    /// The one series that is asked for, where all its names are.
    pub fn one(&self) -> Option<SeriesKey> {
        let Self { region, service, channel } = self.clone();
        Some(SeriesKey::new(region?, service?, channel?))
    }

    /// Whether `series` has the names asked for; `_all` asks for the roll-up itself.
    pub fn admits_series(&self, series: &SeriesKey) -> bool {
        let same = |wanted: &Option<Name>, name: &Name| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        same(&self.region, &series.region)
            && same(&self.service, &series.service)
            && same(&self.channel, &series.channel)
    }

    /// Whether alarms at `scope` are asked for; `_all` asks for every one, for alarms have no roll-ups.
    pub fn admits_scope(&self, scope: &Scope) -> bool {
        let same = |wanted: &Option<Name>, name: &Name| {
            wanted.as_ref().is_none_or(|wanted| wanted.is_all() || wanted == name)
        };
        same(&self.region, &scope.region) && same(&self.service, &scope.service)
    }
}

/// An alarm that is raised and not cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlarm {
    /// The newest raise or change of it.
    pub event: AlarmEvent,
    /// When it was raised, after the last clear before that.
    pub raised_at: Timestamp,
}

impl ActiveAlarm {
    /// The severity as of the newest event.
    pub fn severity(&self) -> Severity {
        self.event.severity
    }
}

/// What became of one try to deliver a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryOutcome {
    Delivered {
        at: Timestamp,
    },
    /// Try again at `at`.
    Retry {
        at: Timestamp,
        error: String,
    },
    /// Given up; a person may ask for it again.
    Dead {
        at: Timestamp,
        error: String,
    },
}

/// Where a notice to one receiver stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    Pending,
    Delivered,
    Dead,
}

/// One notice to one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    pub notice: Notification,
    pub receiver: String,
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: u32,
    pub created_at: Timestamp,
    /// When it is due (pending), or when it was delivered or given up.
    pub next_at: Timestamp,
    pub last_error: Option<String>,
}

/// What to append to the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// What the sender said it is; `None` leaves it to the decoder.
    pub kind: Option<EventKind>,
    pub bytes: Vec<u8>,
}

/// What the event log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub offset: Offset,
    pub received_at: Timestamp,
    pub kind: Option<EventKind>,
    pub bytes: Vec<u8>,
}

/// Something that a sink has to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Counts of the window that starts then.
    Window(Timestamp),
    /// Vintages, plans and outlooks issued then.
    Issue(Timestamp),
    /// Anomalies of the window that starts then.
    Anomalies(Timestamp),
    /// Nowcasts issued then.
    Nowcast(Timestamp),
    /// The alert with this time and id.
    Alert(Timestamp, String),
    /// Scores, surges and calls of the day that starts then.
    Accuracy(Timestamp),
}

/// Counts of a cell as a sink sends them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellWindow {
    pub record: WindowRecord,
    /// Events of the window that came too late to be counted.
    pub late: u32,
    /// Largest offset that an open window has counted; 0 once it is settled.
    pub upto: Offset,
}
