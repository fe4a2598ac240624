//! The needed fields of one message of an alarm.

use std::sync::Arc;

use crate::domain::{AlarmAction, Offset, Scope, Severity, Timestamp};

/// Event time, number of the source, and offset of a message. The larger is the newer.
pub(super) type Key = (Timestamp, u16, Offset);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) action: u8,
    pub(super) severity: Severity,
}

pub(super) const ACTIONS: [AlarmAction; 3] =
    [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear];

impl Step {
    pub(super) fn action(self) -> AlarmAction {
        ACTIONS[usize::from(self.action)]
    }
}

/// An alarm's fields that come from its newest message.
#[derive(Clone, Debug)]
pub(super) struct Details {
    pub(super) scope: Arc<Scope>,
    pub(super) device: Option<Arc<str>>,
    pub(super) alarm_type: Option<Arc<str>>,
}
