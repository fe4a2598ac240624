use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::{Event, TicketNews};
use crate::ingest::{Decoded, Decoder, Headers};

const TICKETS: [&str; 8] = [
    r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet"}"#,
    r#" { "event_id" : "T-78" , "ts" : 1767225600 , "region" : "华北" , "service" : "tv" , "channel" : "chat" , "more" : 7 , "other" : "x" }"#,
    r#"{"kind":"ticket","event_id":"T-79","ts":1767225600123,"region":"a","service":"b","channel":"c","outcome":"abandoned","action":"update"}"#,
    r#"{"ts":"2026-02-28T23:59:60.5Z","event_id":"T/é","region":"r","service":"s","channel":"c","text":"没有网络"}"#,
    r#"{"kind":"ticket","event_id":"T-80","ts":"2026-01-01T02:05:00.123Z","region":"r","service":"s","channel":"c","device":"d","type":"t","text":"a \"quoted\" word"}"#,
    r#"{"kind":"ticket","event_id":"T-81","ticket_id":"INC-1","action":"create","ts":1767225600,"region":"r","service":"s","channel":"c","priority":" P2","tier":"gold","customer_id":"C-7","text":"very angry: no internet"}"#,
    r#"{"event_id":"T-82","ticket_id":"INC/é","action":"resolve","handled_seconds":300,"ts":1767225600,"region":"r","service":"s","channel":"c","customer_id":"C-7"}"#,
    r#"{"event_id":"T-83","ticket_id":"INC-1","action":"update","ts":1767225600,"region":"r","service":"s","channel":"c","customer_id":12,"handled_seconds":"x"}"#,
];
const PARTS: [&str; 32] = [
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
    "\"ticket_id\":\"INC-2\",",
    "\"ticket_id\":\"\",",
    "\"customer_id\":\"\u{7f}\",",
    "\"handled_seconds\":604801,",
    "/",
    "é",
    "2026-02-30T00:00:00Z",
];

/// If the fast path decodes a record, the decoder gives the same result. Returns whether the fast path decodes it.
fn agree(record: &str, hint: Option<EventKind>, layout: &mut Layout) -> bool {
    let found = fast_path(record, hint, &mut Layout::default());
    assert_eq!(fast_path(record, hint, layout), found, "after {layout:?}: {record:?}");
    let Some(fast) = found else { return false };
    let decoded = Decoder::default().decode(record.as_bytes(), &Headers::default(), hint);
    let Ok(Decoded::One(event)) = decoded else {
        panic!("the decoder gives {decoded:?} for {record:?}")
    };
    assert_eq!(Brief::from(&event), fast.brief(), "{record:?}");
    let Event::Ticket(ticket) = event else { panic!("{record:?} is no ticket") };
    assert_eq!(ticket.news, fast.step.map(|step| TicketNews::Step(step.into())), "{record:?}");
    if fast.step.is_some() {
        let decoder = Decoder::default();
        assert_eq!(
            decoder.facts((&ticket).into(), None),
            decoder.facts(fast.words, None),
            "{record:?}"
        );
    }
    true
}

#[test]
fn plain_tickets_are_decoded() {
    let layout = &mut Layout::default();
    let decoded = TICKETS.map(|record| agree(record, Some(EventKind::Ticket), layout));
    // One has an escape, one a number as the customer's id.
    assert_eq!(decoded, [true, true, true, true, false, true, true, false]);
    assert!(!agree(TICKETS[1], None, layout), "no kind");
    assert!(!agree(TICKETS[1], Some(EventKind::Alarm), layout));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn the_fast_path_agrees_with_the_decoder(
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
        // The layout of an invalid record does not affect valid ones.
        for record in TICKETS {
            agree(record, hint, &mut layout);
        }
    }

    #[test]
    fn a_string_ends_at_its_quote(text in "[ -~\u{e9}\u{4e2d}]{0,40}") {
        let quoted = format!("{text}\"rest of the record");
        let mut at = Cursor::new(&quoted);
        let end = text.find(['"', '\\']);
        match end.map(|end| (end, text.as_bytes()[end])) {
            Some((_, b'\\')) => prop_assert_eq!(at.string(), None),
            Some((end, _)) => prop_assert_eq!(at.string(), Some(&text[..end])),
            None => prop_assert_eq!(at.string(), Some(&text[..])),
        }
    }
}
