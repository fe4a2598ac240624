//! What surrounds an object while it is read: limits, the mapping, and what its wrappers say.

use super::decoded::Decoded;
use super::mapping::{Attributes, Mapping, Target};
use super::reject::{Limits, Reject};
use crate::domain::{EventKind, Name, Timestamp};

/// Wrappers within wrappers that are taken off: a CloudEvent within a CloudEvent, and some spare.
const WRAPS_MAX: u8 = 4;

/// Tells formats apart and reads what is found: a wrapper gets it for what lies within.
pub(super) type Detect = fn(&[u8], Frame<'_>) -> Result<Decoded, Reject>;

/// What a wrapper lends to the format within, for where that says nothing itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) limits: &'a Limits,
    pub(super) mapping: &'a Mapping,
    pub(super) hint: Option<EventKind>,
    pub(super) id: Option<&'a str>,
    pub(super) ts: Option<Timestamp>,
    /// A header's or a CloudEvent's type, whose last part may be a TMF event type.
    pub(super) event_type: Option<&'a str>,
    pub(super) device: Option<&'a str>,
    pub(super) wraps: u8,
}

impl<'a> Frame<'a> {
    pub(super) fn new(limits: &'a Limits, mapping: &'a Mapping, hint: Option<EventKind>) -> Self {
        let (id, ts, event_type, device) = (None, None, None, None);
        Self { limits, mapping, hint, id, ts, event_type, device, wraps: 0 }
    }

    /// The same, one wrapper further in.
    pub(super) fn within(self) -> Result<Self, Reject> {
        if self.wraps == WRAPS_MAX {
            return Err(Reject::malformed(format!("wrapped more than {WRAPS_MAX} times")));
        }
        Ok(Self { wraps: self.wraps + 1, ..self })
    }

    /// Attributes for the mapping to look at; none where there is no mapping.
    pub(super) fn attributes<'e>(&self, fill: impl FnOnce(&mut Attributes<'e>)) -> Attributes<'e> {
        let mut attributes = Attributes::default();
        if !self.mapping.is_empty() {
            fill(&mut attributes);
        }
        attributes
    }

    pub(super) fn mapped(&self, target: Target, attributes: &Attributes<'_>) -> Name {
        self.mapping.find(target, attributes).unwrap_or_else(Name::unknown)
    }
}
