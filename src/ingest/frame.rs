//! The context in which an object is decoded: limits, the mapping, and values from its wrappers.

use super::decoded::Decoded;
use super::mapping::{Attributes, Mapping, Target};
use super::notes::Notes;
use super::reject::{Limits, Reject};
use crate::domain::{EventKind, Name, Timestamp, Zone};

/// Deepest nesting of wrappers, such as a CloudEvent in a CloudEvent.
const WRAPS_MAX: u8 = 4;

/// Detects the format of an object and decodes it. A wrapper calls it for its content.
pub(super) type Detect = fn(&[u8], Frame<'_>) -> Result<Decoded, Reject>;

/// The context of an object. Values from wrappers are defaults for fields that the object does not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) limits: &'a Limits,
    pub(super) mapping: &'a Mapping,
    pub(super) hint: Option<EventKind>,
    pub(super) id: Option<&'a str>,
    pub(super) ts: Option<Timestamp>,
    /// When the record was appended to its log, if that is known.
    pub(super) appended_at: Option<Timestamp>,
    /// A header's or a CloudEvent's type, whose last part may be a TMF event type.
    pub(super) event_type: Option<&'a str>,
    pub(super) device: Option<&'a str>,
    pub(super) wraps: u8,
    /// The zone of times without an offset.
    pub(super) zone: Zone,
    pub(super) notes: &'a Notes,
}

impl<'a> Frame<'a> {
    pub(super) fn new(
        limits: &'a Limits,
        mapping: &'a Mapping,
        hint: Option<EventKind>,
        zone: Zone,
        notes: &'a Notes,
    ) -> Self {
        let (id, ts, event_type, device, appended_at) = (None, None, None, None, None);
        Self {
            limits,
            mapping,
            hint,
            id,
            ts,
            appended_at,
            event_type,
            device,
            wraps: 0,
            zone,
            notes,
        }
    }

    /// The context of the content of a wrapper.
    pub(super) fn within(self) -> Result<Self, Reject> {
        if self.wraps == WRAPS_MAX {
            return Err(Reject::malformed(format!("wrapped more than {WRAPS_MAX} times")));
        }
        Ok(Self { wraps: self.wraps + 1, ..self })
    }

    /// Attributes for the mapping; empty if there is no mapping.
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
