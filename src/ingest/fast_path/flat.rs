//! The fields of a flat ticket.

use super::cursor::Value;
use crate::ingest::detect;
use crate::ingest::formats::native::{KEYS, Key};

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// A field that a ticket may have, or one that a second of is an error.
    Field(Key),
    /// No field of any event.
    Other,
}

impl Slot {
    /// The slot of a key; none for a field of another format or kind.
    pub(super) fn of(key: &str) -> Option<Self> {
        match Key::of(key) {
            Some(Key::AlarmId | Key::Severity | Key::StartsAt | Key::EndsAt | Key::Impact) => None,
            Some(key) => Some(Self::Field(key)),
            None => (!detect::is_mark(key)).then_some(Self::Other),
        }
    }
}

/// The fields of a ticket, as they stand.
#[derive(Default)]
pub(super) struct Flat<'a> {
    texts: [Option<&'a str>; KEYS],
    pub(super) ts: Option<Value<'a>>,
}

impl<'a> Flat<'a> {
    pub(super) fn text(&self, key: Key) -> Option<&'a str> {
        self.texts[key as usize]
    }

    /// Takes a field, unless it is there already or cannot have such a value.
    pub(super) fn take(&mut self, slot: Slot, value: Value<'a>) -> Option<()> {
        let is_first = match (slot, value) {
            (Slot::Other, _) => true,
            (Slot::Field(Key::Ts), value) => self.ts.replace(value).is_none(),
            (Slot::Field(key), Value::Text(text)) => {
                self.texts[key as usize].replace(text).is_none()
            }
            (Slot::Field(_), Value::Whole(_)) => false,
        };
        is_first.then_some(())
    }
}
