//! The fast path: decodes plain native tickets without copying their texts. They are the most frequent events.
//!
//! It decodes only flat objects of strings without escapes and whole numbers, with valid fields of a ticket and without
//! duplicates. The [`Decoder`](crate::ingest::Decoder) decodes all other records. A property test compares both.

mod flat;
mod layout;
#[cfg(test)]
mod tests;

pub use self::layout::Layout;

use self::flat::{Flat, LifeKey, Slot};
use super::cursor::{Cursor, Value};
use super::field::Field;
use super::formats::life;
use super::formats::native::Key;
use super::read::is_id;
use crate::domain::{
    Brief, EventKind, Name, Place, StepRef, TicketAction, TicketEvent, Timestamp, unprintable,
};

/// A ticket that the fast path decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTicket<'r> {
    /// The parts that counting needs, but with the id of the event.
    brief: Brief<'r>,
    /// The duplicate key, if it is not the id of the event.
    own_id: Option<Box<str>>,
    /// The step of its ticket, if the event has the id of one.
    pub step: Option<StepRef<'r>>,
    /// The words of the event that say more about the ticket.
    pub words: TicketWords<'r>,
}

impl PlainTicket<'_> {
    /// The parts that counting needs.
    pub fn brief(&self) -> Brief<'_> {
        Brief { id: self.own_id.as_deref().unwrap_or(self.brief.id), ..self.brief }
    }
}

/// What a ticket's event says about the ticket and its customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketWords<'r> {
    pub priority: Option<&'r str>,
    pub tier: Option<&'r str>,
    /// Id of the customer.
    pub customer: Option<&'r str>,
    /// Never empty.
    pub text: Option<&'r str>,
}

impl<'r> From<&'r TicketEvent> for TicketWords<'r> {
    fn from(ticket: &'r TicketEvent) -> Self {
        Self {
            priority: ticket.priority.as_deref(),
            tier: ticket.tier.as_deref(),
            customer: ticket.customer.as_deref(),
            text: ticket.text.as_deref(),
        }
    }
}

/// The ticket in a record; `None` unless it is a plain ticket.
pub(super) fn fast_path<'r>(
    record: &'r str,
    hint: Option<EventKind>,
    layout: &mut Layout,
) -> Option<PlainTicket<'r>> {
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
    let brief = Brief { ts, id, place, counts_as: action.into(), text };
    match flat.life(LifeKey::TicketId) {
        None | Some(Value::Text("")) => {
            Some(PlainTicket { brief, own_id: None, step: None, words: TicketWords::default() })
        }
        Some(Value::Text(ticket_id)) => with_step(&flat, brief, action, ticket_id),
        Some(Value::Whole(_)) => None,
    }
}

/// The ticket with the step that its event is.
fn with_step<'r>(
    flat: &Flat<'r>,
    brief: Brief<'r>,
    action: TicketAction,
    ticket_id: &'r str,
) -> Option<PlainTicket<'r>> {
    let handled = match (action, flat.life(LifeKey::HandledSeconds)) {
        (TicketAction::Resolve, Some(Value::Whole(seconds))) => Field::Whole(seconds),
        (TicketAction::Resolve, Some(Value::Text(_))) => return None,
        _ => Field::Absent,
    };
    // The decoder takes blanks around ids away.
    let is_bare = |text: &str| text == text.trim();
    let ticket_id = Some(ticket_id).filter(|id| is_id(id) && is_bare(id))?;
    let (step, word) = life::step_of(action, ticket_id, &handled).ok()?.unzip();
    let customer = match flat.life(LifeKey::CustomerId) {
        None | Some(Value::Text("")) => None,
        Some(Value::Text(text)) if is_bare(text) => Some(text),
        Some(Value::Text(_) | Value::Whole(_)) => return None,
    };
    let text_of = |key| flat.text(key).filter(|text: &&str| !text.is_empty());
    let words = TicketWords {
        priority: text_of(Key::Priority),
        tier: text_of(Key::Tier),
        customer,
        text: brief.text,
    };
    // The decoder escapes the characters that nobody can read.
    if [words.priority, words.tier].into_iter().flatten().any(|text| text.contains(unprintable)) {
        return None;
    }
    let own_id = word.flatten().map(|word| life::own_id(brief.id, word, brief.ts));
    Some(PlainTicket { brief, own_id, step, words })
}

/// A name without surrounding blanks. Most names have none, and their first and last bytes are printable ASCII.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(|byte| (0x21..0x7f).contains(byte));
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

/// The fields of a flat object; `None` if it is not flat or not plain.
fn flat<'r>(record: &'r str, layout: &mut Layout) -> Option<Flat<'r>> {
    let mut at = Cursor::new(record);
    let mut flat = Flat::default();
    for n in 0.. {
        let (slot, value) = match layout.find(n, at.rest()) {
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
    at.is_at_end().then_some(flat)
}

/// Reads the field at this index, with the separator before it, and remembers its layout.
fn field<'r>(at: &mut Cursor<'r>, index: usize, layout: &mut Layout) -> Option<(Slot, Value<'r>)> {
    let (start, all) = (at.next, at.rest());
    at.space();
    at.expect(if index == 0 { b'{' } else { b',' })?;
    at.space();
    at.expect(b'"')?;
    let slot = Slot::of(at.string()?)?;
    at.space();
    at.expect(b':')?;
    at.space();
    let before = &all[..at.next - start];
    let value = at.value()?;
    layout.remember(index, before, slot);
    Some((slot, value))
}
