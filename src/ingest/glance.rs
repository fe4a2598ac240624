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

/// The fields of a ticket, as they stand.
#[derive(Default)]
struct Flat<'a> {
    kind: Option<&'a str>,
    event_id: Option<&'a str>,
    action: Option<&'a str>,
    outcome: Option<&'a str>,
    ts: Option<Value<'a>>,
    region: Option<&'a str>,
    service: Option<&'a str>,
    channel: Option<&'a str>,
    text: Option<&'a str>,
    // Kept of no one who counts, but a second one is an error.
    priority: Option<&'a str>,
    tier: Option<&'a str>,
    device: Option<&'a str>,
    alarm_type: Option<&'a str>,
}

/// A key of up to eight bytes as a number: compared at once.
const fn word(key: &[u8]) -> u64 {
    let (mut word, mut at) = (0, 0);
    while at < key.len() {
        word |= (key[at] as u64) << (8 * at);
        at += 1;
    }
    word
}

impl<'a> Flat<'a> {
    /// The field of a key, where it is text.
    fn field(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        const KIND: u64 = word(b"kind");
        const EVENT_ID: u64 = word(b"event_id");
        const ACTION: u64 = word(b"action");
        const OUTCOME: u64 = word(b"outcome");
        const REGION: u64 = word(b"region");
        const SERVICE: u64 = word(b"service");
        const CHANNEL: u64 = word(b"channel");
        const TEXT: u64 = word(b"text");
        const PRIORITY: u64 = word(b"priority");
        const TIER: u64 = word(b"tier");
        const DEVICE: u64 = word(b"device");
        const TYPE: u64 = word(b"type");
        // Keys hold no NUL, so that two of them are never one number.
        if key.len() > 8 {
            return None;
        }
        match word(key.as_bytes()) {
            KIND => Some(&mut self.kind),
            EVENT_ID => Some(&mut self.event_id),
            ACTION => Some(&mut self.action),
            OUTCOME => Some(&mut self.outcome),
            REGION => Some(&mut self.region),
            SERVICE => Some(&mut self.service),
            CHANNEL => Some(&mut self.channel),
            TEXT => Some(&mut self.text),
            PRIORITY => Some(&mut self.priority),
            TIER => Some(&mut self.tier),
            DEVICE => Some(&mut self.device),
            TYPE => Some(&mut self.alarm_type),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Whole(u64),
}

/// The ticket in a record, if it is a plain one.
pub(super) fn glance(record: &str, hint: Option<EventKind>) -> Option<Brief<'_>> {
    let flat = flat(record)?;
    let is_ticket = match flat.kind {
        Some(kind) => kind == "ticket",
        None => hint == Some(EventKind::Ticket),
    };
    if !is_ticket {
        return None;
    }
    match flat.outcome {
        None | Some("offered" | "answered" | "abandoned") => {}
        Some(_) => return None,
    }
    let action = match flat.action {
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
    let is_name = |text: &&str| Name::check(text).is_ok();
    let place = Place::Tickets {
        region: flat.region.filter(is_name)?,
        service: flat.service.filter(is_name)?,
        channel: flat.channel.filter(is_name)?,
    };
    let id = flat.event_id.filter(|id| is_id(id))?;
    let text = flat.text.filter(|text| !text.is_empty());
    Some(Brief { ts, id, place, what: action.into(), text })
}

/// The fields of a flat object.
fn flat(record: &str) -> Option<Flat<'_>> {
    let mut at = Cursor { text: record, next: 0 };
    let mut flat = Flat::default();
    at.space();
    at.expect(b'{')?;
    loop {
        at.space();
        at.expect(b'"')?;
        let key = at.string()?;
        at.space();
        at.expect(b':')?;
        at.space();
        let value = at.value()?;
        if let Some(field) = flat.field(key) {
            let Value::Text(text) = value else { return None };
            if field.replace(text).is_some() {
                return None;
            }
        } else if key == "ts" {
            if flat.ts.replace(value).is_some() {
                return None;
            }
        } else if OTHERS.contains(&key) {
            return None;
        }
        at.space();
        match at.take()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    at.space();
    (at.next == record.len()).then_some(flat)
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
    fn take(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.next)?;
        self.next += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.text.as_bytes().get(self.next), Some(b' ' | b'\t' | b'\r' | b'\n')) {
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
    fn agree(record: &str, hint: Option<EventKind>) -> bool {
        let Some(glance) = glance(record, hint) else { return false };
        let decoded = Decoder::default().decode(record.as_bytes(), &Headers::default(), hint);
        let Ok(Decoded::One(event)) = decoded else {
            panic!("the decoder gives {decoded:?} for {record:?}")
        };
        assert_eq!(Brief::from(&event), glance, "{record:?}");
        true
    }

    #[test]
    fn plain_tickets_are_taken() {
        let taken = TICKETS.map(|record| agree(record, Some(EventKind::Ticket)));
        // One has an escape.
        assert_eq!(taken, [true, true, true, true, false]);
        assert!(!agree(TICKETS[1], None), "no kind");
        assert!(!agree(TICKETS[1], Some(EventKind::Alarm)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn what_is_taken_is_what_the_decoder_says(
            ticket in 0..TICKETS.len(),
            changes in prop::collection::vec((any::<Index>(), 0..4u8, 0..PARTS.len()), 0..5),
            hint in prop::option::of(Just(EventKind::Ticket)),
        ) {
            let mut record: Vec<char> = TICKETS[ticket].chars().collect();
            for (place, how, part) in changes {
                let at = place.index(record.len());
                let end = (at + usize::from(how)).min(record.len());
                record.splice(at..end, PARTS[part].chars());
                if record.is_empty() {
                    record.push(' ');
                }
            }
            agree(&record.into_iter().collect::<String>(), hint);
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
