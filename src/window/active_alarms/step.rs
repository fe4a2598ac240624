//! One message of an alarm, as little of it as is needed.

use std::sync::Arc;

use crate::domain::{AlarmAction, Offset, Scope, Severity, Timestamp};

/// Time and position of a transition: the larger is the newer. Sources by number.
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

/// What its newest transition says of an alarm.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) scope: Arc<Scope>,
    pub(super) device: Option<Arc<str>>,
    pub(super) alarm_type: Option<Arc<str>>,
}
