//! What a record held.

use super::reject::Reject;
use crate::domain::{Event, ListRebuilt};

/// What a record held.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    One(Event),
    /// A batch, in its order, each element judged alone. No element is a `Many` itself.
    Many(Vec<Result<Decoded, Reject>>),
    /// A valid notification that counts for nothing, such as a comment on an alarm.
    Nothing {
        why: &'static str,
    },
    /// 28.532's `notifyAlarmListRebuilt`: what is known of these alarms may no longer hold.
    ListRebuilt(ListRebuilt),
}

impl Decoded {
    /// The first event, if there is one.
    pub fn first(self) -> Option<Event> {
        match self {
            Self::One(event) => Some(event),
            Self::Many(all) => all.into_iter().flatten().find_map(Self::first),
            Self::Nothing { .. } | Self::ListRebuilt(_) => None,
        }
    }
}
