//! The needed fields of one message of an alarm.

use std::sync::Arc;

use crate::domain::{AlarmAction, Name, Offset, Scope, Severity, Timestamp};

/// Event time, position of the source in a fixed order, and offset of a message. The larger key is the newer one.
pub(super) type Key = (Timestamp, u64, Offset);

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) action: u8,
    pub(super) severity: Severity,
    /// Shared by all steps of an alarm with the same details.
    pub(super) details: Arc<Details>,
}

pub(super) const ACTIONS: [AlarmAction; 3] =
    [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear];

impl Step {
    pub(super) fn action(&self) -> AlarmAction {
        ACTIONS[usize::from(self.action)]
    }
}

/// The place and the type of an alarm according to one message. A name that the message does not have is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) scope: Arc<Scope>,
    pub(super) device: Option<Arc<str>>,
    pub(super) alarm_type: Option<Arc<str>>,
}

impl Details {
    /// The details, with missing values taken from `known`.
    pub(super) fn or(&self, known: &Self) -> Self {
        let unknown = Name::unknown();
        let lacks = (self.scope.region == unknown, self.scope.service == unknown);
        let scope = match lacks {
            (false, false) => self.scope.clone(),
            (true, true) => known.scope.clone(),
            (true, false) => Arc::new(Scope {
                region: known.scope.region.clone(),
                service: self.scope.service.clone(),
            }),
            (false, true) => Arc::new(Scope {
                region: self.scope.region.clone(),
                service: known.scope.service.clone(),
            }),
        };
        Self {
            scope,
            device: self.device.clone().or_else(|| known.device.clone()),
            alarm_type: self.alarm_type.clone().or_else(|| known.alarm_type.clone()),
        }
    }
}
