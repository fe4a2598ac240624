//! What a message says.

use crate::domain::{
    AlarmEvent, DeadLetter, ListRebuilt, MaintenanceEvent, Offset, Position, SourceId, Timestamp,
};
use crate::window::{AggregationKey, Frontier, Partial};

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub enum Wire {
    /// What a source has counted so far; of several the largest `upto` wins.
    Partial {
        source: SourceId,
        partial: Partial,
    },
    /// How far a source is. It follows the partials it speaks of in the same producer session.
    Frontier {
        source: SourceId,
        frontier: Frontier,
        /// Largest offset that was read; `None` before the first event.
        upto: Option<Offset>,
        /// Clock time of the report.
        reported_at: Timestamp,
    },
    /// An alarm's raise, change or clear: state that outlives windows.
    Alarm {
        position: Position,
        event: AlarmEvent,
    },
    /// A system made its list of alarms anew. Releases before it skip it, with a line in their log.
    Rebuilt {
        position: Position,
        list: ListRebuilt,
    },
    Maintenance {
        position: Position,
        event: MaintenanceEvent,
    },
    /// An event that was not counted, and where it would have been.
    Dead {
        letter: DeadLetter,
        place: Option<(AggregationKey, Timestamp)>,
    },
    /// Who leads, and where it answers.
    Leader {
        instance: String,
        url: String,
    },
    /// What the leader was told, or did, that no event says: for the stores of those who follow.
    Replicated {
        instance: String,
        what: serde_json::Value,
    },
}

impl Wire {
    /// The source that it speaks of, if it speaks of one.
    pub fn source(&self) -> Option<&SourceId> {
        match self {
            Self::Partial { source, .. } | Self::Frontier { source, .. } => Some(source),
            Self::Alarm { position, .. }
            | Self::Rebuilt { position, .. }
            | Self::Maintenance { position, .. } => Some(&position.source),
            Self::Dead { letter, .. } => Some(&letter.position.source),
            Self::Leader { .. } | Self::Replicated { .. } => None,
        }
    }
}
