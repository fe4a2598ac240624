//! The result of decoding a record.

use super::reject::Reject;
use crate::domain::{Event, ListRebuilt};

/// The content of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    One(Event),
    /// A change of a ticket that says when the ticket was created. If no creation of the ticket has been counted in the
    /// window of that time, and the window is open, `arrival` counts there too.
    Update {
        event: Event,
        arrival: Event,
    },
    /// A batch in its order. Each element is decoded independently, and none of them is a `Many`.
    Many(Vec<Result<Decoded, Reject>>),
    /// No value: a tombstone of a compacted topic.
    Null,
    /// A valid notification that is not counted, such as a comment on an alarm.
    Ignored {
        why: &'static str,
    },
    /// 28.532's `notifyAlarmListRebuilt`: the state of these alarms may have changed.
    ListRebuilt(ListRebuilt),
}

impl Decoded {
    /// The first event, if there is one.
    pub fn first(self) -> Option<Event> {
        match self {
            Self::One(event) | Self::Update { event, .. } => Some(event),
            Self::Many(all) => all.into_iter().flatten().find_map(Self::first),
            Self::Null | Self::Ignored { .. } | Self::ListRebuilt(_) => None,
        }
    }
}
