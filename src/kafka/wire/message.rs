//! The messages of the replicated log.

use crate::domain::{
    AlarmEvent, DeadLetter, ListRebuilt, MaintenanceEvent, Offset, Position, SourceId, TicketBatch,
    Timestamp,
};
use crate::window::{AggregationKey, Frontier, Partial};

/// One message of the replicated log.
#[derive(Clone, Debug, PartialEq)]
pub enum Wire {
    /// Cumulative counts of a source. If there are several, the one with the largest `upto` wins.
    Partial {
        source: SourceId,
        partial: Partial,
    },
    /// How far a source has counted. It follows the partials that it covers, in the same producer session.
    Frontier {
        source: SourceId,
        frontier: Frontier,
        /// Largest offset that was read; `None` before the first record.
        upto: Option<Offset>,
        /// Clock time of the report.
        reported_at: Timestamp,
    },
    /// An alarm's raise, change or clear. Alarm state outlives windows.
    Alarm {
        position: Position,
        event: AlarmEvent,
    },
    /// A system rebuilt its list of alarms. Releases that do not know this message skip it and log it.
    Rebuilt {
        position: Position,
        list: ListRebuilt,
    },
    Maintenance {
        position: Position,
        event: MaintenanceEvent,
    },
    /// Steps in the lives of tickets, and snapshots of backlogs. Releases that do not know this message skip it and log it.
    Tickets {
        source: SourceId,
        batch: TicketBatch,
    },
    /// A dead letter; for a late event with the key and window that it belongs to.
    Dead {
        letter: DeadLetter,
        place: Option<(AggregationKey, Timestamp)>,
    },
    /// The leader and its URL.
    Leader {
        instance: String,
        url: String,
    },
    /// A command that the leader carried out, as JSON: standbys carry it out too.
    Replicated {
        instance: String,
        what: serde_json::Value,
    },
}

impl Wire {
    /// The source of the message, if it has one.
    pub fn source(&self) -> Option<&SourceId> {
        match self {
            Self::Partial { source, .. }
            | Self::Frontier { source, .. }
            | Self::Tickets { source, .. } => Some(source),
            Self::Alarm { position, .. }
            | Self::Rebuilt { position, .. }
            | Self::Maintenance { position, .. } => Some(&position.source),
            Self::Dead { letter, .. } => Some(&letter.position.source),
            Self::Leader { .. } | Self::Replicated { .. } => None,
        }
    }
}
