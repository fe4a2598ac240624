//! The result of decoding a record.

use super::reject::Reject;
use crate::domain::{Event, ListRebuilt};

/// The content of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    One(Event),
    /// A batch in its order. Each element is decoded independently, and none of them is a `Many`.
    Many(Vec<Result<Decoded, Reject>>),
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
            Self::One(event) => Some(event),
            Self::Many(all) => all.into_iter().flatten().find_map(Self::first),
            Self::Ignored { .. } | Self::ListRebuilt(_) => None,
        }
    }
}
