//! The fields of a flat ticket.

use crate::ingest::cursor::Value;
use crate::ingest::detect;
use crate::ingest::formats::native::{KEYS, Key};

/// The field of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// A field of native events. A second one is an error.
    Field(Key),
    /// A field about the life of a ticket. Without the id of a ticket it may be anything, also more than once.
    Life(LifeKey),
    /// Not a field of events.
    Other,
}

/// A field about the life of a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) enum LifeKey {
    TicketId,
    HandledSeconds,
    CustomerId,
}

impl Slot {
    /// The slot of a key; `None` for a field of another format or kind.
    pub(super) fn of(key: &str) -> Option<Self> {
        match Key::of(key) {
            Some(Key::AlarmId | Key::Severity | Key::StartsAt | Key::EndsAt | Key::Impact) => None,
            // It means something only to a snapshot.
            Some(Key::Open) => Some(Self::Other),
            Some(Key::TicketId) => Some(Self::Life(LifeKey::TicketId)),
            Some(Key::HandledSeconds) => Some(Self::Life(LifeKey::HandledSeconds)),
            Some(Key::CustomerId) => Some(Self::Life(LifeKey::CustomerId)),
            Some(key) => Some(Self::Field(key)),
            None => (!detect::is_signature_key(key)).then_some(Self::Other),
        }
    }
}

/// The fields of a ticket, not yet checked.
#[derive(Default)]
pub(super) struct Flat<'a> {
    texts: [Option<&'a str>; KEYS],
    pub(super) ts: Option<Value<'a>>,
    /// By [`LifeKey`].
    life: [Option<Value<'a>>; 3],
}

impl<'a> Flat<'a> {
    pub(super) fn text(&self, key: Key) -> Option<&'a str> {
        self.texts[key as usize]
    }

    pub(super) fn life(&self, key: LifeKey) -> Option<Value<'a>> {
        self.life[key as usize]
    }

    /// Puts in a field; `None` if it is a duplicate or its value has the wrong type.
    pub(super) fn take(&mut self, slot: Slot, value: Value<'a>) -> Option<()> {
        let is_first = match (slot, value) {
            (Slot::Other, _) => true,
            // Of several, the last one counts.
            (Slot::Life(key), value) => {
                self.life[key as usize] = Some(value);
                true
            }
            (Slot::Field(Key::Ts), value) => self.ts.replace(value).is_none(),
            (Slot::Field(key), Value::Text(text)) => {
                self.texts[key as usize].replace(text).is_none()
            }
            (Slot::Field(_), Value::Whole(_)) => false,
        };
        is_first.then_some(())
    }
}
