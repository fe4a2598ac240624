//! A plain native ticket, read where it lies: most of what comes is one, and counting needs little of it.
//!
//! Takes only what leaves no doubt: one flat object of strings without escapes and whole numbers, in which every
//! field that concerns a ticket is there once, and valid. Of anything else it says nothing, and the
//! [`Decoder`](super::Decoder) reads it; a property test holds the two to the same answer.

use super::read::is_id;
use crate::domain::{Brief, EventKind, Name, Place, TicketAction, Timestamp};

/// Fields of other shapes or kinds: an object that has one of them is not for a glance.
const OTHERS: [&str; 15] = [
    "specversion",
    "event",
    "eventList",
    "notificationType",
    "eventTime",
    "variable_bindings",
    "alarmedObject",
    "perceivedSeverity",
    "ticketType",
    "description",
    "alarm_id",
    "severity",
    "starts_at",
    "ends_at",
    "impact",
];

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Kind,
    EventId,
    Action,
    Outcome,
    Region,
    Service,
    Channel,
    Text,
    // Kept of no one who counts, but a second one is an error.
    Priority,
    Tier,
    Device,
    Type,
    Ts,
    /// No field of a ticket.
    Other,
}

/// Fields that are text.
const TEXTS: usize = Slot::Ts as usize;

/// The fields of a ticket, as they stand.
#[derive(Default)]
struct Flat<'a> {
    texts: [Option<&'a str>; TEXTS],
    ts: Option<Value<'a>>,
}

impl<'a> Flat<'a> {
    fn text(&self, slot: Slot) -> Option<&'a str> {
        self.texts[slot as usize]
    }

    /// Takes a field, unless it is there already or cannot have such a value.
    fn take(&mut self, slot: Slot, value: Value<'a>) -> Option<()> {
        let is_first = match (slot, value) {
            (Slot::Other, _) => true,
            (Slot::Ts, value) => self.ts.replace(value).is_none(),
            (slot, Value::Text(text)) => self.texts[slot as usize].replace(text).is_none(),
            (_, Value::Whole(_)) => false,
        };
        is_first.then_some(())
    }
}

/// The slot of a key; none for one that is not for a glance.
fn slot(key: &str) -> Option<Slot> {
    let slot = match key {
        "kind" => Slot::Kind,
        "event_id" => Slot::EventId,
        "action" => Slot::Action,
        "outcome" => Slot::Outcome,
        "region" => Slot::Region,
        "service" => Slot::Service,
        "channel" => Slot::Channel,
        "text" => Slot::Text,
        "priority" => Slot::Priority,
        "tier" => Slot::Tier,
        "device" => Slot::Device,
        "type" => Slot::Type,
        "ts" => Slot::Ts,
        key if OTHERS.contains(&key) => return None,
        _ => Slot::Other,
    };
    Some(slot)
}

/// How the keys of the record before stood: whoever writes one record like another is read faster. What a record says
/// does not depend on it.
#[derive(Debug, Default)]
pub struct Layout {
    /// By the number of the field.
    keys: Vec<Key>,
}

/// Bytes between two values that are remembered.
const KEY_BYTES: usize = 24;
/// Keys that are remembered.
const KEYS_MAX: usize = 24;

/// What stood between the value before, or the beginning, and a value: mark, key and colon.
#[derive(Debug)]
struct Key {
    /// With zeros behind.
    bytes: [u8; KEY_BYTES],
    /// Ones where there are bytes.
    mask: [u8; KEY_BYTES],
    value_at: usize,
    slot: Slot,
}

impl Key {
    fn new(bytes: &[u8], slot: Slot) -> Option<Self> {
        let (empty, value_at) = ([0; KEY_BYTES], bytes.len());
        let mut key = Self { bytes: empty, mask: empty, value_at, slot };
        key.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        key.mask[..bytes.len()].fill(0xff);
        Some(key)
    }

    /// Whether it stands at the beginning of these bytes. Never in the last few of a record.
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.first_chunk::<KEY_BYTES>() else { return false };
        let all = bytes.iter().zip(&self.mask).zip(&self.bytes);
        all.fold(0, |odd, ((byte, mask), key)| odd | ((byte & mask) ^ key)) == 0
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Whole(u64),
}

/// The ticket in a record, if it is a plain one.
pub(super) fn glance<'r>(
    record: &'r str,
    hint: Option<EventKind>,
    layout: &mut Layout,
) -> Option<Brief<'r>> {
    let flat = flat(record, layout)?;
    let is_ticket = match flat.text(Slot::Kind) {
        Some(kind) => kind == "ticket",
        None => hint == Some(EventKind::Ticket),
    };
    if !is_ticket {
        return None;
    }
    match flat.text(Slot::Outcome) {
        None | Some("offered" | "answered" | "abandoned") => {}
        Some(_) => return None,
    }
    let action = match flat.text(Slot::Action) {
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
    let name = |slot| flat.text(slot).filter(|text| Name::check(text).is_ok());
    let place = Place::Tickets {
        region: name(Slot::Region)?,
        service: name(Slot::Service)?,
        channel: name(Slot::Channel)?,
    };
    let id = flat.text(Slot::EventId).filter(|id| is_id(id))?;
    let text = flat.text(Slot::Text).filter(|text| !text.is_empty());
    Some(Brief { ts, id, place, what: action.into(), text })
}

/// The fields of a flat object.
fn flat<'r>(record: &'r str, layout: &mut Layout) -> Option<Flat<'r>> {
    let mut at = Cursor { text: record, next: 0 };
    let mut flat = Flat::default();
    for n in 0.. {
        let rest = &record.as_bytes()[at.next..];
        let (slot, value) = match layout.keys.get(n).filter(|key| key.begins(rest)) {
            Some(key) => {
                at.next += key.value_at;
                at.space();
                (key.slot, at.value()?)
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

/// The field of that number, with the mark before it; remembers how it stood.
fn field<'r>(at: &mut Cursor<'r>, number: usize, layout: &mut Layout) -> Option<(Slot, Value<'r>)> {
    let start = at.next;
    at.space();
    at.expect(if number == 0 { b'{' } else { b',' })?;
    at.space();
    at.expect(b'"')?;
    let slot = slot(at.string()?)?;
    at.space();
    at.expect(b':')?;
    at.space();
    let value_at = at.next;
    let value = at.value()?;
    if let Some(key) = Key::new(&at.text.as_bytes()[start..value_at], slot) {
        let known = layout.keys.len();
        match layout.keys.get_mut(number) {
            Some(place) => *place = key,
            None if number == known && number < KEYS_MAX => layout.keys.push(key),
            None => {}
        }
    }
    Some((slot, value))
}

/// Where reading stands. Every `None` means "not for a glance".
struct Cursor<'a> {
    text: &'a str,
    next: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is zero, and of no byte before the first such.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.next).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.next += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.next += 1;
        }
    }

    /// The rest of a string whose opening quote is taken; none with an escape or a control character.
    fn string(&mut self) -> Option<&'a str> {
        let (bytes, start) = (self.text.as_bytes(), self.next);
        let mut at = start;
        // Eight bytes at a time: quotes, backslashes, and what is below a space.
        let found = loop {
            let Some(eight) = bytes.get(at..at + 8) else {
                // The end of the record is near.
                let rest = bytes.get(at..)?;
                break at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            };
            let word = u64::from_le_bytes(eight.try_into().ok()?);
            let quotes = zeros(word ^ (ONES * u64::from(b'"')));
            let escapes = zeros(word ^ (ONES * u64::from(b'\\')));
            let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            let found = quotes | escapes | controls;
            if found != 0 {
                break at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        };
        at = found;
        if bytes[at] != b'"' {
            return None;
        }
        self.next = at + 1;
        // Quotes are never within a character of UTF-8.
        self.text.get(start..at)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.take()? {
            b'"' => self.string().map(Value::Text),
            first @ b'1'..=b'9' => {
                let mut number = u64::from(first - b'0');
                let mut digits = 1;
                while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.next) {
                    number = number * 10 + u64::from(digit - b'0');
                    digits += 1;
                    self.next += 1;
                    if digits > 17 {
                        return None;
                    }
                }
                let ends = matches!(
                    self.text.as_bytes().get(self.next)?,
                    b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'
                );
                ends.then_some(Value::Whole(number))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::ingest::{Decoded, Decoder, Headers};

    const TICKETS: [&str; 5] = [
        r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet"}"#,
        r#" { "event_id" : "T-78" , "ts" : 1767225600 , "region" : "华北" , "service" : "tv" , "channel" : "chat" , "more" : 7 , "other" : "x" }"#,
        r#"{"kind":"ticket","event_id":"T-79","ts":1767225600123,"region":"a","service":"b","channel":"c","outcome":"abandoned","action":"update"}"#,
        r#"{"ts":"2026-02-28T23:59:60.5Z","event_id":"T/é","region":"r","service":"s","channel":"c","text":"没有网络"}"#,
        r#"{"kind":"ticket","event_id":"T-80","ts":"2026-01-01T02:05:00.123Z","region":"r","service":"s","channel":"c","device":"d","type":"t","text":"a \"quoted\" word"}"#,
    ];
    const PARTS: [&str; 28] = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\u{1}",
        "\u{7f}",
        "\u{85}",
        "null",
        "true",
        "-1",
        "0",
        "12",
        "1e3",
        "\"kind\":\"alarm\",",
        "\"ts\":1,",
        "\"event\":7,",
        "\"ticketType\":\"x\",",
        "_all",
        "\"region\":\"\",",
        "/",
        "é",
        "2026-02-30T00:00:00Z",
    ];

    /// Whatever a glance takes, the decoder takes, and both count the same.
    fn agree(record: &str, hint: Option<EventKind>, layout: &mut Layout) -> bool {
        let found = glance(record, hint, &mut Layout::default());
        assert_eq!(glance(record, hint, layout), found, "after {layout:?}: {record:?}");
        let Some(glance) = found else { return false };
        let decoded = Decoder::default().decode(record.as_bytes(), &Headers::default(), hint);
        let Ok(Decoded::One(event)) = decoded else {
            panic!("the decoder gives {decoded:?} for {record:?}")
        };
        assert_eq!(Brief::from(&event), glance, "{record:?}");
        true
    }

    #[test]
    fn plain_tickets_are_taken() {
        let layout = &mut Layout::default();
        let taken = TICKETS.map(|record| agree(record, Some(EventKind::Ticket), layout));
        // One has an escape.
        assert_eq!(taken, [true, true, true, true, false]);
        assert!(!agree(TICKETS[1], None, layout), "no kind");
        assert!(!agree(TICKETS[1], Some(EventKind::Alarm), layout));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn what_is_taken_is_what_the_decoder_says(
            ticket in 0..TICKETS.len(),
            changes in prop::collection::vec((any::<Index>(), 0..4u8, 0..PARTS.len()), 0..5),
            hint in prop::option::of(Just(EventKind::Ticket)),
            before in prop::collection::vec(0..TICKETS.len(), 0..3),
        ) {
            let mut layout = Layout::default();
            for before in before {
                agree(TICKETS[before], hint, &mut layout);
            }
            let mut record: Vec<char> = TICKETS[ticket].chars().collect();
            for (place, how, part) in changes {
                let at = place.index(record.len());
                let end = (at + usize::from(how)).min(record.len());
                record.splice(at..end, PARTS[part].chars());
                if record.is_empty() {
                    record.push(' ');
                }
            }
            agree(&record.into_iter().collect::<String>(), hint, &mut layout);
            // What it has learned of a broken record does no harm to whole ones.
            for record in TICKETS {
                agree(record, hint, &mut layout);
            }
        }

        #[test]
        fn strings_end_where_they_end(text in "[ -~\u{e9}\u{4e2d}]{0,40}") {
            let quoted = format!("{text}\"rest of the record");
            let mut at = Cursor { text: &quoted, next: 0 };
            let end = text.find(['"', '\\']);
            match end.map(|end| (end, text.as_bytes()[end])) {
                Some((_, b'\\')) => prop_assert_eq!(at.string(), None),
                Some((end, _)) => prop_assert_eq!(at.string(), Some(&text[..end])),
                None => prop_assert_eq!(at.string(), Some(&text[..])),
            }
        }
    }
}
