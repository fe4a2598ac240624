//! The fast path: decodes plain native tickets without copying. They are the most frequent events.
//!
//! It decodes only flat objects of strings without escapes and whole numbers, with valid fields of a ticket and without
//! duplicates. The [`Decoder`](crate::ingest::Decoder) decodes all other records. A property test compares both.

mod cursor;
mod flat;
mod layout;
#[cfg(test)]
mod tests;

pub use self::layout::Layout;

use self::cursor::{Cursor, Value};
use self::flat::{Flat, Slot};
use super::formats::native::Key;
use super::read::is_id;
use crate::domain::{Brief, EventKind, Name, Place, TicketAction, Timestamp};

/// The ticket in a record; `None` unless it is a plain one.
pub(super) fn fast_path<'r>(
    record: &'r str,
    hint: Option<EventKind>,
    layout: &mut Layout,
) -> Option<Brief<'r>> {
    let flat = flat(record, layout)?;
    let is_ticket = match flat.text(Key::Kind) {
        Some(kind) => kind == "ticket",
        None => hint == Some(EventKind::Ticket),
    };
    if !is_ticket {
        return None;
    }
    match flat.text(Key::Outcome) {
        None | Some("offered" | "answered" | "abandoned") => {}
        Some(_) => return None,
    }
    let action = match flat.text(Key::Action) {
        None | Some("create") => TicketAction::Create,
        Some("update") => TicketAction::Update,
        Some("resolve") => TicketAction::Resolve,
        Some("reopen") => TicketAction::Reopen,
        Some(_) => return None,
    };
    let ts = match flat.ts? {
        Value::Text(text) => Timestamp::parse(text).ok()?,
        Value::Whole(number) => Timestamp::from_epoch(number as f64).ok()?,
    };
    let name = |slot| flat.text(slot).map(trimmed).filter(|text| Name::check(text).is_ok());
    let place = Place::Tickets {
        region: name(Key::Region)?,
        service: name(Key::Service)?,
        channel: name(Key::Channel)?,
    };
    let id = flat.text(Key::EventId).filter(|id| is_id(id))?;
    let text = flat.text(Key::Text).filter(|text| !text.is_empty());
    Some(Brief { ts, id, place, counts_as: action.into(), text })
}

/// A name without blanks around it. Most names have none, and their first and last bytes are printable ASCII.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(|byte| (0x21..0x7f).contains(byte));
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

/// The fields of a flat object; `None` if it is not flat or not plain.
fn flat<'r>(record: &'r str, layout: &mut Layout) -> Option<Flat<'r>> {
    let mut at = Cursor { text: record, next: 0 };
    let mut flat = Flat::default();
    for n in 0.. {
        let rest = &record.as_bytes()[at.next..];
        let (slot, value) = match layout.find(n, rest) {
            Some((slot, value_at)) => {
                at.next += value_at;
                at.space();
                (slot, at.value()?)
            }
            None => field(&mut at, n, layout)?,
        };
        flat.take(slot, value)?;
        at.space();
        match at.peek()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    at.next += 1;
    at.space();
    (at.next == record.len()).then_some(flat)
}

/// Reads the field at this index, with the separator before it, and remembers its layout.
fn field<'r>(at: &mut Cursor<'r>, index: usize, layout: &mut Layout) -> Option<(Slot, Value<'r>)> {
    let start = at.next;
    at.space();
    at.expect(if index == 0 { b'{' } else { b',' })?;
    at.space();
    at.expect(b'"')?;
    let slot = Slot::of(at.string()?)?;
    at.space();
    at.expect(b':')?;
    at.space();
    let value_at = at.next;
    let value = at.value()?;
    layout.remember(index, &at.text.as_bytes()[start..value_at], slot);
    Some((slot, value))
}
